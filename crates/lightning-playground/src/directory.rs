//! The directory that everything is in.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};

use crate::owner::{MARKER, Owner};

/// How directories for temporary files are named.
pub(crate) const PREFIX: &str = "playground-";
/// How long the end of something may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(59);
/// How long between two looks.
pub(crate) const PAUSE: Duration = Duration::from_millis(20);

/// What the chain needs at first, and each node, in bytes.
const CHAIN_NEEDS: u64 = 16 << 20;
const NODE_NEEDS: u64 = 4 << 20;

/// A directory of our own.
#[derive(Debug)]
pub(crate) struct Directory {
    path: PathBuf,
}

impl Directory {
    /// Makes it and puts the marker in.
    pub(crate) fn make(wanted: Option<&Path>, nodes: usize) -> Result<Self> {
        let path = match wanted {
            Some(path) => claim(path)?,
            None => {
                let parent = std::env::temp_dir();
                tempfile::Builder::new()
                    .prefix(PREFIX)
                    .tempdir_in(&parent)
                    .with_context(|| format!("can't make a directory in {}", parent.display()))?
                    .keep()
            }
        };
        let path = fs::canonicalize(&path)?;
        let directory = Self { path };
        let filled = has_room(&directory.path, nodes)
            .and_then(|()| Owner::this()?.mark(&directory.path))
            .and_then(|()| {
                for name in ["bin", "start"] {
                    fs::create_dir(directory.path.join(name))?;
                }
                Ok(())
            });
        if filled.is_err() {
            let _as_far_as_it_goes = fs::remove_dir_all(&directory.path);
        }
        filled.map(|()| directory)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Leaves it to the person: nobody will remove it.
    pub(crate) fn give_away(&self) -> Result<()> {
        Ok(fs::remove_file(self.path.join(MARKER))?)
    }
}

/// A directory that somebody named: new or empty.
fn claim(path: &Path) -> Result<PathBuf> {
    let shown = path.display();
    if let Some(owner) = Owner::of(path) {
        if owner.lives() {
            bail!("a playground runs in {shown}: process {}", owner.pid);
        }
        bail!("{shown} is left from an earlier playground: --clean --dir {shown} removes it");
    }
    let made = fs::DirBuilder::new().mode(0o700).create(path);
    match made {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let entries = fs::read_dir(path).with_context(|| format!("can't use {shown}"))?;
            ensure!(
                entries.count() == 0,
                "{shown} is not empty: name a directory that is or that is not there"
            );
        }
        Err(error) => return Err(error).with_context(|| format!("can't make {shown}")),
    }
    Ok(path.to_owned())
}

/// Says so now if there is no room, rather than have a node fail.
fn has_room(path: &Path, nodes: usize) -> Result<()> {
    let space = rustix::fs::statvfs(path)?;
    let free = space.f_bavail.saturating_mul(space.f_frsize);
    let count = u64::try_from(nodes).unwrap_or(u64::MAX);
    let needed = CHAIN_NEEDS.saturating_add(NODE_NEEDS.saturating_mul(count));
    let megabytes = |bytes: u64| bytes >> 20;
    ensure!(
        free >= needed,
        "no space: {nodes} nodes need {} MB, and there are {} MB at {}; TMPDIR or --dir names another place",
        megabytes(needed),
        megabytes(free),
        path.display()
    );
    Ok(())
}

/// Removes a directory into which an ending helper may still write. The marker goes last, so that an interrupted removal can be made good.
pub(crate) fn remove(dir: &Path) -> Result<()> {
    let end = Instant::now() + PATIENCE;
    loop {
        match remove_now(dir) {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == ErrorKind::NotFound && !dir.exists() => return Ok(()),
            Err(_) if Instant::now() < end => thread::sleep(PAUSE),
            Err(error) => {
                return Err(error).with_context(|| format!("can't remove {}", dir.display()));
            }
        }
    }
}

fn remove_now(dir: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_name() == MARKER {
            continue;
        }
        if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        } else {
            fs::remove_file(entry.path())?;
        }
    }
    fs::remove_dir_all(dir)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_must_be_new_or_empty() {
        let parent = tempfile::tempdir().unwrap();
        let new = parent.path().join("new");
        let made = Directory::make(Some(&new), 1).unwrap();
        let again = Directory::make(Some(&new), 1).unwrap_err().to_string();
        assert!(again.contains("a playground runs in"), "{again}");
        made.give_away().unwrap();
        let full = Directory::make(Some(&new), 1).unwrap_err().to_string();
        assert!(full.contains("not empty"), "{full}");
        remove(&new).unwrap();
        assert!(!new.exists());

        let empty = parent.path().join("empty");
        fs::create_dir(&empty).unwrap();
        Directory::make(Some(&empty), 1).unwrap();

        let file = parent.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(Directory::make(Some(&file), 1).is_err());
        assert!(Directory::make(Some(&file.join("below")), 1).is_err());
        assert_eq!(fs::read(&file).unwrap(), b"");
    }

    #[test]
    fn no_space_is_told_at_once() {
        let parent = tempfile::tempdir().unwrap();
        let new = parent.path().join("new");
        let error = Directory::make(Some(&new), usize::MAX).unwrap_err();
        assert!(error.to_string().contains("no space"), "{error}");
        assert!(!new.exists());
    }
}
