//! Which files may still be read.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Where this process's memory is listed: a backtrace's names are looked for in the files it is made of.
const MAPS: &str = "/proc/self/maps";

/// What looking a name up may read: whole directories, since what is in them is replaced when the network changes. Which name service a
/// system has is known to its C library alone, which loads a library for each.
const NAMES: &[&str] = &[
    "/etc",
    "/run/NetworkManager",
    "/run/connman",
    "/run/resolvconf",
    "/run/systemd/resolve",
    "/lib",
    "/lib32",
    "/lib64",
    "/usr/lib",
    "/usr/lib32",
    "/usr/lib64",
    "/usr/local/lib",
    "/nix/store",
    "/gnu/store",
];

/// Directories to be read for looking up names of hosts.
pub fn for_names() -> Vec<PathBuf> {
    NAMES.iter().map(PathBuf::from).collect()
}

/// What a panic's backtrace is made from: this program, the libraries it is linked with, and the list of both.
pub(crate) fn for_backtraces() -> Vec<PathBuf> {
    let maps = fs::read_to_string(MAPS).unwrap_or_default();
    let mut files: Vec<_> = mapped(&maps).into_iter().map(PathBuf::from).collect();
    files.push(MAPS.into());
    files
}

/// The files that are mapped to be run.
fn mapped(maps: &str) -> BTreeSet<&str> {
    let lines = maps.lines().filter(|line| line.contains(" r-xp "));
    let paths = lines.filter_map(|line| Some(line.split_at_checked(line.find('/')?)?.1));
    paths.collect()
}

/// A directory of others that may be read without anything of ours in it: `None` if this process works in or below it.
pub fn alone(directory: &Path) -> Option<PathBuf> {
    let ours = std::env::current_dir().ok()?;
    let directory = directory.canonicalize().ok()?;
    (!ours.starts_with(&directory)).then_some(directory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_program_is_among_what_a_backtrace_needs() {
        let files = for_backtraces();
        assert!(
            files.contains(&std::env::current_exe().unwrap()),
            "{files:?}"
        );
        assert!(files.contains(&PathBuf::from(MAPS)));
        assert!(files.len() < 10, "{files:?}");
    }

    #[test]
    fn names_with_blanks_and_memory_without_a_file_are_understood() {
        let maps = "55d0-55d1 r-xp 00001000 fe:00 7   /opt/my node/lightningd\n\
                    7f00-7f01 r-xp 00000000 00:00 0   [vdso]\n\
                    7f02-7f03 r--p 00000000 fe:00 9   /tmp/data\n";
        assert_eq!(Vec::from_iter(mapped(maps)), ["/opt/my node/lightningd"]);
    }

    #[test]
    fn a_directory_above_our_own_is_not_read() {
        assert_eq!(alone(Path::new("/")), None);
        assert_eq!(alone(Path::new("/proc")), Some("/proc".into()));
    }
}
