//! The pure crates ban clocks, files and sockets, all of them in the same words.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::layers::is_pure;
use crate::cargo::Package;

/// The ban every pure crate has a copy of.
const BAN: &str = "docs/dev/clippy-pure.toml";
/// What every pure crate says at its top.
const ARITHMETIC: &str = "#![warn(clippy::arithmetic_side_effects)]";

/// The one crate that may hold `unsafe`, and so has lints of its own.
const UNSAFE: &str = "ln-sys";

pub(super) fn check(root: &Path, packages: &[Package]) -> Result<Vec<String>> {
    let ban = fs::read_to_string(root.join(BAN)).with_context(|| format!("reading {BAN}"))?;
    let mut problems = Vec::new();
    for package in packages {
        let manifest = fs::read_to_string(package.directory.join("Cargo.toml"))?;
        if !manifest.contains("[lints]\nworkspace = true") && package.name != UNSAFE {
            problems.push(format!(
                "{}: its manifest does not take the workspace's lints",
                package.name
            ));
        }
        if !is_pure(&package.name) {
            continue;
        }
        let own = fs::read_to_string(package.directory.join("clippy.toml")).unwrap_or_default();
        if own != ban {
            problems.push(format!(
                "{}: its clippy.toml is not a copy of {BAN}, which keeps clocks, files and sockets out",
                package.name
            ));
        }
        let library = fs::read_to_string(package.directory.join("src/lib.rs")).unwrap_or_default();
        // A macro crate computes nothing at run time.
        if !library.contains(ARITHMETIC) && !package.name.ends_with("-derive") {
            problems.push(format!("{}: its lib.rs lacks {ARITHMETIC}", package.name));
        }
    }
    Ok(problems)
}
