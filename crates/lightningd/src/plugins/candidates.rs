//! Which programs are to be run as plugins.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::builtin::BUILTIN_PLUGINS;
use crate::options::{OptionError, Setting, Settings};

/// A program to run as a plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Candidate {
    /// Its path, or the name of a built-in one.
    pub(crate) path: String,
    /// Whether it is one of ours.
    pub(crate) builtin: bool,
    /// Whether the node ends with it.
    pub(crate) important: bool,
}

impl Candidate {
    fn is_named(&self, name: &str) -> bool {
        if name.contains('/') {
            return self.path == name;
        }
        Path::new(&self.path)
            .file_name()
            .is_some_and(|file| file == name)
    }
}

/// The programs to run, in the order in which they are started and asked: ours, those of the config files, those of the command line,
/// those of the directory that needs no option.
///
/// Relative paths count from the directory lightningd was started in: call this before leaving it.
pub(crate) fn candidates(
    settings: &Settings,
    base_dir: &Path,
) -> Result<Vec<Candidate>, OptionError> {
    let unimportant = settings.flag("dev-builtin-plugins-unimportant");
    let mut list = List::default();
    for name in BUILTIN_PLUGINS {
        list.add((*name).to_owned(), true, !unimportant);
    }
    for setting in settings.all() {
        let value = setting.value.as_deref().unwrap_or_default();
        match setting.name.as_str() {
            "plugin" => list.add(program(setting, value)?, false, false),
            "important-plugin" => list.add(program(setting, value)?, false, true),
            "plugin-dir" => {
                let dir = std::path::absolute(value)
                    .map_err(|error| OptionError::new(setting, error.to_string()))?;
                let found = programs_in(&dir).map_err(|error| {
                    OptionError::new(setting, format!("{value} can't be read: {error}"))
                })?;
                for path in found {
                    list.add(path, false, false);
                }
            }
            "disable-plugin" => list.disable(value),
            "clear-plugins" => list.found.clear(),
            _ => {}
        }
    }
    for path in programs_in_default_dir(base_dir) {
        list.add(path, false, false);
    }
    Ok(list.found)
}

#[derive(Default)]
struct List {
    found: Vec<Candidate>,
    disabled: Vec<String>,
}

impl List {
    /// The same path twice is one plugin; it is important if it is so once.
    fn add(&mut self, path: String, builtin: bool, important: bool) {
        if let Some(known) = self.found.iter_mut().find(|known| known.path == path) {
            known.important |= important;
            return;
        }
        let candidate = Candidate {
            path,
            builtin,
            important,
        };
        if !self.disabled.iter().any(|name| candidate.is_named(name)) {
            self.found.push(candidate);
        }
    }

    fn disable(&mut self, name: &str) {
        self.found.retain(|candidate| !candidate.is_named(name));
        self.disabled.push(name.to_owned());
    }
}

/// A program named by an option.
fn program(setting: &Setting, value: &str) -> Result<String, OptionError> {
    let path =
        std::path::absolute(value).map_err(|error| OptionError::new(setting, error.to_string()))?;
    check_program(&path).map_err(|problem| OptionError::new(setting, problem))?;
    Ok(path.to_string_lossy().into_owned())
}

/// What keeps a path from being run as a plugin.
pub(super) fn check_program(path: &Path) -> Result<(), String> {
    let shown = path.display();
    let metadata = fs::metadata(path).map_err(|error| format!("{shown}: {error}"))?;
    if !metadata.is_file() {
        return Err(format!("{shown} is not a file"));
    }
    if metadata.permissions().mode() & 0o111 == 0 {
        return Err(format!("{shown} is not executable: run chmod +x {shown}"));
    }
    Ok(())
}

/// The programs of a directory, by name: executable files whose names look like a plugin's.
pub(super) fn programs_in(dir: &Path) -> std::io::Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let plain = |c: char| !c.is_ascii_punctuation() || "-_.".contains(c);
        if name.chars().all(plain) && name != "README.md" && check_program(&path).is_ok() {
            found.push(path.to_string_lossy().into_owned());
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// The directory whose plugins run without an option.
pub(super) fn default_dir(base_dir: &Path) -> PathBuf {
    base_dir.join("plugins")
}

/// The programs of the default directory and of the directories in it; none if it does not exist.
pub(super) fn programs_in_default_dir(base_dir: &Path) -> Vec<String> {
    let dir = default_dir(base_dir);
    let mut found = programs_in(&dir).unwrap_or_default();
    let mut below: Vec<PathBuf> = fs::read_dir(&dir)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.is_dir())
        .collect();
    below.sort_unstable();
    for dir in below {
        found.extend(programs_in(&dir).unwrap_or_default());
    }
    found
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;

    fn executable(path: &Path) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "#!/bin/sh\n").unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn found(dir: &Path, line: &[String]) -> Vec<(String, bool)> {
        let line: Vec<OsString> = line.iter().map(OsString::from).collect();
        let settings = Settings::command_line(&line).unwrap();
        let prefix = format!("{}/", dir.display());
        candidates(&settings, dir)
            .unwrap()
            .into_iter()
            .map(|found| (found.path.replace(&prefix, ""), found.important))
            .collect()
    }

    fn plain(names: &[&str]) -> Vec<(String, bool)> {
        names
            .iter()
            .map(|name| ((*name).to_owned(), *name == "bcli"))
            .collect()
    }

    #[test]
    fn plugins_come_from_options_directories_and_the_default_directory() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path();
        for name in [
            "a.py",
            "d/one",
            "d/two~",
            "d/deeper/no",
            "plugins/p",
            "plugins/x/q",
            "plugins/x/y/no",
        ] {
            executable(&dir.join(name));
        }
        fs::write(dir.join("d/README.md"), "").unwrap();
        fs::write(dir.join("d/data"), "").unwrap();
        let at = |name: &str| dir.join(name).display().to_string();
        let (plugin, plugins) = (
            format!("--plugin={}", at("a.py")),
            format!("--plugin-dir={}", at("d")),
        );
        let all = found(dir, &[plugin.clone(), plugins.clone()]);
        assert_eq!(
            all,
            plain(&["bcli", "a.py", "d/one", "plugins/p", "plugins/x/q"])
        );
        let disabled = "--disable-plugin=one".to_owned();
        let some = found(dir, &[disabled, plugins, "--disable-plugin=p".to_owned()]);
        assert_eq!(some, plain(&["bcli", "plugins/x/q"]));
        let cleared = found(dir, &["--clear-plugins".to_owned(), plugin.clone()]);
        assert_eq!(cleared, plain(&["a.py", "plugins/p", "plugins/x/q"]));
        let important = found(dir, &[plugin, format!("--important-plugin={}", at("a.py"))]);
        assert_eq!(important.get(1), Some(&("a.py".to_owned(), true)));
    }

    #[test]
    fn what_can_not_be_run_is_named() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("data"), "").unwrap();
        let error = |argument: String| {
            let settings = Settings::command_line(&[argument.into()]).unwrap();
            candidates(&settings, dir.path()).unwrap_err().to_string()
        };
        let at = dir.path().display();
        assert!(error(format!("--plugin={at}/none")).contains("No such file"));
        assert!(error(format!("--plugin={at}/data")).contains("chmod +x"));
        assert!(error(format!("--plugin-dir={at}/none")).contains("can't be read"));
    }
}
