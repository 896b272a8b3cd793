//! Making the book with mdbook.
//!
//! The mdbook of this version is taken from the path, or else installed by cargo, once, below the target directory: it is no
//! dependency of the workspace, which would compile it, and choose versions with it, for everybody.

use std::env;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::cargo;

/// The version that is used everywhere, so that all see the same complaints.
const VERSION: &str = "0.5.4";

/// Renders the book into a directory, which is made anew.
pub(crate) fn render(place: &Path) -> Result<()> {
    let mdbook = match at_hand()? {
        Some(mdbook) => mdbook,
        None => install()?,
    };
    if place.exists() {
        fs::remove_dir_all(place)?;
    }
    let output = Command::new(&mdbook)
        .arg("build")
        .arg(cargo::root().join("docs/book"))
        .arg("--dest-dir")
        .arg(place)
        .output()
        .with_context(|| format!("can't start {}", mdbook.display()))?;
    let said = String::from_utf8_lossy(&output.stderr);
    let complaint = said
        .lines()
        .find(|line| ["WARN", "ERROR"].iter().any(|level| line.contains(level)));
    ensure!(
        output.status.success() && complaint.is_none(),
        "mdbook does not like the book:\n{said}"
    );
    ensure!(
        place.join("index.html").is_file(),
        "mdbook made no index.html:\n{said}"
    );
    Ok(())
}

/// Whether the book can be rendered without installing anything.
pub(crate) fn is_at_hand() -> bool {
    at_hand().is_ok_and(|found| found.is_some())
}

fn at_hand() -> Result<Option<PathBuf>> {
    let kept = tools()?.join("bin/mdbook");
    let path = env::var_os("PATH").unwrap_or_default();
    let mut places = vec![kept];
    places.extend(env::split_paths(&path).map(|directory| directory.join("mdbook")));
    Ok(places.into_iter().find(|mdbook| is_wanted(mdbook)))
}

fn is_wanted(mdbook: &Path) -> bool {
    let asked = Command::new(mdbook).arg("--version").output();
    asked.is_ok_and(|output| {
        let said = String::from_utf8_lossy(&output.stdout);
        said.trim().trim_start_matches("mdbook v") == VERSION
    })
}

fn tools() -> Result<PathBuf> {
    Ok(cargo::target_directory()?.join(format!("tools/mdbook-{VERSION}")))
}

/// Has cargo compile mdbook, which takes a minute or two.
fn install() -> Result<PathBuf> {
    let tools = tools()?;
    writeln!(
        io::stderr(),
        "compiling mdbook {VERSION} into {}, once",
        tools.display()
    )?;
    let build = tools.join("build");
    let text = |path: &Path| {
        let text = path.to_str().map(str::to_owned);
        text.context("the target directory has no UTF-8 name")
    };
    cargo::run(&[
        "install",
        "mdbook",
        "--version",
        VERSION,
        "--locked",
        "--quiet",
        // It runs for a second, and compiles in half the time.
        "--debug",
        "--no-default-features",
        "--features",
        "search",
        "--root",
        &text(&tools)?,
        "--target-dir",
        &text(&build)?,
    ])
    .context("mdbook can't be installed (the first time that needs the registry); cargo xtask book --check does without")?;
    fs::remove_dir_all(&build)?;
    Ok(tools.join("bin/mdbook"))
}
