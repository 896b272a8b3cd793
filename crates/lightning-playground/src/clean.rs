//! Removing what playgrounds left behind that were killed.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};

use crate::directory::{self, PREFIX};
use crate::owner::{self, Owner};
use crate::screen;

/// Removes the one in `dir`, or all in the directory for temporary files. Those whose owner runs are left alone, and so is what has no
/// marker.
pub(crate) fn run(dir: Option<&Path>) -> Result<()> {
    if let Some(dir) = dir {
        let dir = fs::canonicalize(dir).with_context(|| format!("can't find {}", dir.display()))?;
        let owner = Owner::of(&dir);
        let owner = owner.with_context(|| format!("{} is no playground", dir.display()))?;
        ensure!(
            !owner.lives(),
            "a playground runs in {}: process {}",
            dir.display(),
            owner.pid
        );
        return remove(&dir);
    }
    let mut removed = 0_usize;
    for dir in candidates()? {
        let Some(owner) = Owner::of(&dir) else {
            continue;
        };
        if owner.lives() {
            let shown = dir.display();
            screen::print(&format!("{shown} is in use by process {}\n", owner.pid));
            continue;
        }
        remove(&dir)?;
        removed = removed.saturating_add(1);
    }
    if removed == 0 {
        screen::print("Nothing to remove.\n");
    }
    Ok(())
}

/// Directories, of ours alone, with such a name.
fn candidates() -> Result<Vec<PathBuf>> {
    let parent = std::env::temp_dir();
    let entries =
        fs::read_dir(&parent).with_context(|| format!("can't read {}", parent.display()))?;
    let found = entries.flatten().filter(|entry| {
        let named = entry.file_name().to_string_lossy().starts_with(PREFIX);
        named && entry.file_type().is_ok_and(|kind| kind.is_dir())
    });
    found
        .map(|entry| fs::canonicalize(entry.path()).map_err(Into::into))
        .collect()
}

fn remove(dir: &Path) -> Result<()> {
    let mut killed = owner::kill_marked(dir);
    // One may have started another just before.
    let end = Instant::now() + directory::PATIENCE;
    loop {
        match owner::kill_marked(dir) {
            0 => break,
            more => killed = killed.max(more),
        }
        ensure!(
            Instant::now() < end,
            "the processes of {} do not end",
            dir.display()
        );
        std::thread::sleep(directory::PAUSE);
    }
    directory::remove(dir)?;
    let shown = dir.display();
    screen::print(&format!("Removed {shown} and {killed} processes.\n"));
    Ok(())
}
