//! What is written from declarations: schemas, manual pages, lists of the book.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fs, io, process};

use anyhow::{Context, Result, ensure};

use crate::{cargo, pages};

/// Directories below docs/ that hold nothing but what is generated.
const OWNED: &[&str] = &["schemas", "man", "completions"];

/// Writes docs/, or only compares.
pub(crate) fn run(check: bool) -> Result<()> {
    let scratch = env::temp_dir().join(format!("fulgurite-gen-{}", process::id()));
    let result = generate(&scratch, check);
    if scratch.exists() {
        fs::remove_dir_all(&scratch)?;
    }
    result
}

fn generate(scratch: &Path, check: bool) -> Result<()> {
    let target = scratch
        .to_str()
        .context("the temporary directory has no UTF-8 name")?;
    cargo::run(&[
        "run",
        "--quiet",
        "--package",
        "ln-rpc",
        "--example",
        "manual",
        "--",
        target,
    ])?;
    let docs = cargo::root().join("docs");
    let mut wanted = files_below(scratch)?;
    wanted.extend(pages::all()?);
    let mut stale = Vec::new();
    for (name, text) in &wanted {
        let path = docs.join(name);
        if fs::read(&path).ok().as_ref() != Some(text) {
            stale.push(path.clone());
            if !check {
                fs::create_dir_all(path.parent().unwrap_or(&docs))?;
                fs::write(&path, text)?;
            }
        }
    }
    for directory in OWNED {
        for name in files_below(&docs.join(directory))?.into_keys() {
            if !wanted.contains_key(&Path::new(directory).join(&name)) {
                let path = docs.join(directory).join(name);
                if !check {
                    fs::remove_file(&path)?;
                }
                stale.push(path);
            }
        }
    }
    let names: Vec<String> = stale
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    ensure!(
        !check || stale.is_empty(),
        "these files are not what the declarations say (run `cargo xtask gen`):\n  {}",
        names.join("\n  ")
    );
    Ok(())
}

/// All files below a directory with their contents, by path from there. None if there is no such directory.
fn files_below(directory: &Path) -> Result<BTreeMap<PathBuf, Vec<u8>>> {
    let mut files = BTreeMap::new();
    let mut waiting = vec![directory.to_owned()];
    while let Some(next) = waiting.pop() {
        let entries = match fs::read_dir(&next) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error.into()),
        };
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                waiting.push(path);
            } else {
                let name = path.strip_prefix(directory)?.to_owned();
                files.insert(name, fs::read(&path)?);
            }
        }
    }
    Ok(files)
}
