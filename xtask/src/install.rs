//! Putting the programs, their manual and what belongs to them where a system looks for it.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use crate::{book, cargo};

/// The programs.
const PROGRAMS: &[&str] = &[
    "lightningd",
    "lightning-cli",
    "lightning-hsmtool",
    "bolt11-cli",
    "lightning-playground",
    "regtest-bitcoind",
    "regtest-cli",
];

/// The packages they are in.
const PACKAGES: &[&str] = &[
    "lightningd",
    "lightning-cli",
    "lightning-hsmtool",
    "bolt11-cli",
    "lightning-playground",
    "regtest-bitcoind",
];

/// Where things go, and how they were built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    /// Where they will be used from.
    pub(crate) prefix: PathBuf,
    /// What is put in front of that now: the root of a package or of another system.
    pub(crate) destdir: Option<PathBuf>,
    /// As released, or with the checks of a development build.
    pub(crate) release: bool,
}

/// `cargo xtask install`
pub(crate) fn run(arguments: &[&str]) -> Result<()> {
    let plan = parse(arguments)?;
    let files = install(&plan)?;
    writeln!(
        io::stdout(),
        "installed {} files below {}",
        files.len(),
        plan.target(&plan.prefix).display()
    )?;
    Ok(())
}

fn parse(arguments: &[&str]) -> Result<Plan> {
    let mut plan = Plan {
        prefix: "/usr/local".into(),
        destdir: None,
        release: true,
    };
    let mut words = arguments.iter().flat_map(|word| word.splitn(2, '='));
    while let Some(word) = words.next() {
        match word {
            "--prefix" => plan.prefix = absolute(words.next(), word)?,
            "--destdir" => plan.destdir = Some(absolute(words.next(), word)?),
            "--debug" => plan.release = false,
            _ => bail!("install takes --prefix DIR, --destdir DIR and --debug, not '{word}'"),
        }
    }
    Ok(plan)
}

fn absolute(path: Option<&str>, option: &str) -> Result<PathBuf> {
    let path = path.filter(|path| !path.is_empty());
    let path = path.with_context(|| format!("{option} needs a directory"))?;
    Ok(std::path::absolute(path)?)
}

impl Plan {
    /// Where a file is put now that will be used as `path`.
    fn target(&self, path: &Path) -> PathBuf {
        match (&self.destdir, path.strip_prefix("/")) {
            (Some(destdir), Ok(below)) => destdir.join(below),
            (Some(_) | None, _) => path.to_owned(),
        }
    }
}

/// Builds everything and puts it in its place; returns the paths, below the prefix.
pub(crate) fn install(plan: &Plan) -> Result<Vec<PathBuf>> {
    let mut arguments = vec!["build"];
    arguments.extend(plan.release.then_some("--release"));
    arguments.extend(PACKAGES.iter().flat_map(|package| ["--package", package]));
    cargo::run(&arguments)?;
    let profile = if plan.release { "release" } else { "debug" };
    let built = cargo::target_directory()?.join(profile);
    let mut done = Vec::new();
    for program in PROGRAMS {
        let contents = read(&built.join(program))?;
        put(
            plan,
            &mut done,
            format!("bin/{program}").into(),
            &contents,
            0o755,
        )?;
    }
    for (source, target) in texts()? {
        let text = read(&cargo::root().join(&source))?;
        put(plan, &mut done, target, &text, 0o644)?;
    }
    let unit = fs::read_to_string(cargo::root().join("contrib/systemd/lightningd.service"))?;
    let unit = unit.replace("@prefix@", &plan.prefix.display().to_string());
    let place = "lib/systemd/system/lightningd.service".into();
    put(plan, &mut done, place, unit.as_bytes(), 0o644)?;
    put_book(plan, &mut done)?;
    Ok(done)
}

/// The book for a browser, where mdbook is at hand: it takes longer to compile than all else here.
fn put_book(plan: &Plan, done: &mut Vec<PathBuf>) -> Result<()> {
    if !book::is_at_hand() {
        writeln!(
            io::stderr(),
            "without the book: `cargo xtask book` gets mdbook, which makes it"
        )?;
        return Ok(());
    }
    let rendered = cargo::target_directory()?.join("book");
    book::render(&rendered)?;
    let mut directories = vec![PathBuf::new()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(rendered.join(&directory))? {
            let path = directory.join(entry?.file_name());
            let source = rendered.join(&path);
            if source.is_dir() {
                directories.push(path);
            } else {
                let target = Path::new("share/doc/fulgurite/book").join(&path);
                put(plan, done, target, &read(&source)?, 0o644)?;
            }
        }
    }
    Ok(())
}

/// What is copied as it is: from the repository, to below the prefix.
fn texts() -> Result<Vec<(PathBuf, PathBuf)>> {
    let mut texts: Vec<(PathBuf, PathBuf)> = [
        (
            "docs/completions/lightning-cli.bash",
            "share/bash-completion/completions/lightning-cli",
        ),
        (
            "docs/completions/_lightning-cli",
            "share/zsh/site-functions/_lightning-cli",
        ),
        (
            "docs/completions/lightning-cli.fish",
            "share/fish/vendor_completions.d/lightning-cli.fish",
        ),
        (
            "contrib/systemd/lightningd.sysusers",
            "lib/sysusers.d/lightningd.conf",
        ),
        ("README.md", "share/doc/fulgurite/README.md"),
        ("CHANGELOG.md", "share/doc/fulgurite/CHANGELOG.md"),
        ("LICENSE", "share/doc/fulgurite/copyright"),
    ]
    .map(|(source, target)| (source.into(), target.into()))
    .into();
    for page in names_in("docs/man")? {
        let section = page.rsplit('.').next().unwrap_or("7").to_owned();
        let source = Path::new("docs/man").join(&page);
        texts.push((source, format!("share/man/man{section}/{page}").into()));
    }
    for plugin in names_in("contrib/plugins").unwrap_or_default() {
        let source = Path::new("contrib/plugins").join(&plugin);
        if cargo::root().join(&source).is_file() {
            texts.push((
                source,
                format!("share/doc/fulgurite/plugins/{plugin}").into(),
            ));
        }
    }
    Ok(texts)
}

fn names_in(directory: &str) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(cargo::root().join(directory))? {
        names.extend(entry?.file_name().into_string().ok());
    }
    names.sort();
    Ok(names)
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("can't read {}", path.display()))
}

/// Writes a file beside its place and moves it there: a program that runs keeps its own.
fn put(
    plan: &Plan,
    done: &mut Vec<PathBuf>,
    below: PathBuf,
    contents: &[u8],
    mode: u32,
) -> Result<()> {
    let path = plan.target(&plan.prefix.join(&below));
    let directory = path.parent().context("a file is in a directory")?;
    fs::create_dir_all(directory).with_context(|| format!("can't make {}", directory.display()))?;
    let name = path.file_name().context("a file has a name")?;
    let unfinished = directory.join(format!(".{}.new", name.to_string_lossy()));
    let executable = contents.starts_with(b"#!");
    let mode = if executable { 0o755 } else { mode };
    fs::write(&unfinished, contents)
        .and_then(|()| fs::set_permissions(&unfinished, fs::Permissions::from_mode(mode)))
        .and_then(|()| fs::rename(&unfinished, &path))
        .with_context(|| {
            format!(
                "can't write {} (another --prefix, or more rights?)",
                path.display()
            )
        })?;
    ensure!(path.is_file(), "{} is not there", path.display());
    done.push(below);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_are_told_in_two_ways() {
        let plan = parse(&["--prefix=/opt/x", "--destdir", "/tmp/root", "--debug"]).unwrap();
        assert_eq!(
            plan.target(&plan.prefix.join("bin")),
            Path::new("/tmp/root/opt/x/bin")
        );
        assert!(!plan.release);
        assert!(parse(&["--prefix"]).is_err());
        assert!(parse(&["--prefix="]).is_err());
        assert!(parse(&["here"]).is_err());
    }

    #[test]
    fn every_text_is_there() {
        for (source, target) in texts().unwrap() {
            assert!(
                cargo::root().join(&source).is_file(),
                "{source:?} for {target:?}"
            );
        }
    }
}
