//! The Rust files of the project.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// One Rust file.
#[derive(Debug)]
pub(crate) struct Source {
    /// From the workspace's directory.
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

/// Where our Rust files are.
const PLACES: &[&str] = &[
    "benches", "contrib", "crates", "fuzz", "interop", "plugins", "sim", "tests", "xtask",
];

/// Every Rust file of the project, sorted by path.
pub(crate) fn all(root: &Path) -> Result<Vec<Source>> {
    let mut sources = Vec::new();
    for place in PLACES {
        collect(root, &root.join(place), &mut sources)?;
    }
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(sources)
}

fn collect(root: &Path, directory: &Path, sources: &mut Vec<Source>) -> Result<()> {
    let Ok(entries) = fs::read_dir(directory) else {
        return Ok(());
    };
    for entry in entries {
        let path = entry?.path();
        let hidden = path
            .file_name()
            .is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if path.is_dir() && !hidden && !path.ends_with("target") {
            collect(root, &path, sources)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text =
                fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
            sources.push(Source {
                path: path.strip_prefix(root)?.to_owned(),
                text,
            });
        }
    }
    Ok(())
}
