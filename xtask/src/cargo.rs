//! Running cargo, and what it knows about the workspace.

use std::env;
use std::path::PathBuf;
use std::process::{Command, Output};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// The directory of the workspace.
pub(crate) fn root() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.parent().map(ToOwned::to_owned).unwrap_or(here)
}

/// One crate of the workspace.
#[derive(Debug)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) directory: PathBuf,
    pub(crate) dependencies: Vec<Dependency>,
}

/// What a crate depends on.
#[derive(Debug)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) only_for_tests: bool,
    /// It is a crate of the workspace.
    pub(crate) is_ours: bool,
}

fn cargo(arguments: &[&str]) -> Command {
    let program = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.args(arguments).current_dir(root());
    command
}

/// Runs cargo and fails if it does.
pub(crate) fn run(arguments: &[&str]) -> Result<()> {
    let status = cargo(arguments).status().context("can't start cargo")?;
    ensure!(status.success(), "cargo {} failed", arguments.join(" "));
    Ok(())
}

/// Runs cargo and takes what is written to its output.
pub(crate) fn output(arguments: &[&str]) -> Result<Output> {
    cargo(arguments).output().context("can't start cargo")
}

/// A crate that is not ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ForeignCrate {
    pub(crate) name: String,
    pub(crate) version: String,
    /// Where it comes from, as cargo names it.
    pub(crate) source: String,
    /// Its licence, an SPDX expression in whatever form its authors wrote it.
    pub(crate) license: String,
}

/// The crates of the workspace.
pub(crate) fn packages() -> Result<Vec<Package>> {
    let metadata = metadata(&["--no-deps"])?;
    let packages = metadata.get("packages").and_then(Value::as_array);
    packages.into_iter().flatten().map(package).collect()
}

/// Every crate of others that any of ours is built with, on any platform.
pub(crate) fn foreign_crates() -> Result<Vec<ForeignCrate>> {
    let metadata = metadata(&[])?;
    let packages = metadata.get("packages").and_then(Value::as_array);
    let crates = packages.into_iter().flatten().filter_map(|package| {
        let text = |name: &str| Some(package.get(name)?.as_str()?.to_owned());
        Some(ForeignCrate {
            source: text("source")?,
            name: text("name")?,
            version: text("version")?,
            license: text("license").unwrap_or_default(),
        })
    });
    Ok(crates.collect())
}

/// Where cargo puts what it builds.
pub(crate) fn target_directory() -> Result<PathBuf> {
    let metadata = metadata(&["--no-deps"])?;
    let directory = metadata.get("target_directory").and_then(Value::as_str);
    directory
        .map(PathBuf::from)
        .context("cargo metadata: no target_directory")
}

/// The version of all our crates.
pub(crate) fn version() -> Result<String> {
    let metadata = metadata(&["--no-deps"])?;
    let packages = metadata.get("packages").and_then(Value::as_array);
    let lightningd = packages
        .into_iter()
        .flatten()
        .find(|package| package.get("name").and_then(Value::as_str) == Some("lightningd"));
    let version = lightningd.and_then(|package| package.get("version")?.as_str());
    version
        .map(ToOwned::to_owned)
        .context("cargo metadata: lightningd has no version")
}

fn metadata(more: &[&str]) -> Result<Value> {
    let output = output(&[&["metadata", "--format-version", "1"], more].concat())?;
    ensure!(
        output.status.success(),
        "cargo metadata failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn package(value: &Value) -> Result<Package> {
    let text = |value: &Value, name: &str| {
        let text = value.get(name).and_then(Value::as_str);
        text.map(ToOwned::to_owned)
            .with_context(|| format!("cargo metadata: no text '{name}'"))
    };
    let manifest = PathBuf::from(text(value, "manifest_path")?);
    let dependencies = value
        .get("dependencies")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .map(|dependency| {
            Ok(Dependency {
                name: text(dependency, "name")?,
                only_for_tests: text(dependency, "kind").is_ok_and(|kind| kind == "dev"),
                is_ours: text(dependency, "path").is_ok(),
            })
        })
        .collect::<Result<_>>()?;
    Ok(Package {
        name: text(value, "name")?,
        directory: manifest.parent().map(ToOwned::to_owned).unwrap_or_default(),
        dependencies,
    })
}

pub(crate) fn format_check() -> Result<()> {
    run(&["fmt", "--all", "--", "--check"])
}

pub(crate) fn clippy() -> Result<()> {
    run(&[
        "clippy",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ])
}

/// The programs that nodes on a private chain consist of.
const PROGRAMS: &[&str] = &[
    "--package=bolt11-cli",
    "--package=lightningd",
    "--package=lightning-cli",
    "--package=lightning-hsmtool",
    "--package=lightning-playground",
    "--package=regtest-bitcoind",
];

/// Two nodes that pay each other, as released.
pub(crate) fn demo(rest: &[&str]) -> Result<()> {
    run(&[&["build", "--release"], PROGRAMS].concat())?;
    run_release("lightning-playground", &[&["demo"], rest].concat())
}

/// All tests, with nextest where it is installed, which runs them in parallel across crates.
pub(crate) fn test(rest: &[&str]) -> Result<()> {
    // Black-box tests run the programs, which cargo does not build for them by itself.
    run(&[&["build"], PROGRAMS].concat())?;
    let has_nextest = cargo(&["nextest", "--version"])
        .output()
        .is_ok_and(|output| output.status.success());
    if has_nextest {
        run(&[&["nextest", "run", "--workspace"], rest].concat())?;
        if rest.is_empty() {
            // Examples in comments, which nextest leaves out.
            run(&["test", "--workspace", "--doc", "--quiet"])?;
        }
        Ok(())
    } else {
        run(&[&["test", "--workspace"], rest].concat())
    }
}

/// Other people's programs against ours, with pytest.
pub(crate) fn interop(rest: &[&str]) -> Result<()> {
    run(&[&["build", "--package=tests"], PROGRAMS].concat())?;
    let status = Command::new(root().join("tests/interop/run"))
        .args(rest)
        .status()
        .context("can't start tests/interop/run")?;
    ensure!(
        status.success(),
        "the interop tests failed (they need python3 with venv; cargo xtask test --no-interop leaves them out)"
    );
    Ok(())
}

/// Runs one of our programs as it is released.
pub(crate) fn run_release(package: &str, rest: &[&str]) -> Result<()> {
    run(&[&["run", "--release", "--package", package, "--"], rest].concat())
}
