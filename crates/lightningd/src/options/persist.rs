//! Writing a changed option into the config files, so that it counts after the next start.
//!
//! New values go to a file beside the config file, `config.setconfig`, which the config file includes. Lines that no longer count are
//! commented out where they stand. A file is replaced as a whole: it is the old one or the new one whenever the power fails, and the file
//! with the new value is on disk before an old value is taken away.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{Access, access};

use super::settings::{Setting, Settings, Source};

const HEADER: &str =
    "# Created and update by setconfig, but you can edit this manually when node is stopped.";

/// Why a change can't be written. The text is for whoever asked for it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PersistError {
    /// A file or directory is not ours to write.
    #[error("Cannot write to config file {}", .0.display())]
    NotWritable(PathBuf),
    /// A file can't be read.
    #[error("Could not load configfile {}: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// Somebody shortened a file.
    #[error("Configfile {} no longer has {line} lines!", path.display())]
    Shorter {
        /// The file.
        path: PathBuf,
        /// The line that is gone.
        line: usize,
    },
    /// Somebody edited a line.
    #[error("Configfile {} line {line} changed from {was} to {is}!", path.display())]
    Edited {
        /// The file.
        path: PathBuf,
        /// The line.
        line: usize,
        /// What was read when the node started.
        was: String,
        /// What stands there now.
        is: String,
    },
    /// Writing failed.
    #[error("Could not write config file {}: {error}: nothing was changed", path.display())]
    Failed {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
}

/// A change of one option to be kept in the config files.
#[derive(Debug)]
pub(crate) struct Persist<'a> {
    settings: &'a Settings,
    name: &'a str,
    /// Whether all lines of the option are replaced, not only the one that counts.
    multi: bool,
    /// The file that includes the other.
    main: PathBuf,
    /// The file that is written to.
    setconfig: PathBuf,
}

/// What was written.
#[derive(Debug)]
pub(crate) struct Written {
    /// The file.
    file: PathBuf,
    /// Its new lines.
    settings: Vec<Setting>,
}

/// A file and what it is to hold.
struct Draft {
    path: PathBuf,
    text: String,
}

impl<'a> Persist<'a> {
    /// A change of `name`. `network_dir` is where the config file is that gets the include, unless the settings name another one.
    pub(crate) fn new(
        settings: &'a Settings,
        network_dir: &Path,
        name: &'a str,
        multi: bool,
    ) -> Self {
        let main = settings.conf.clone();
        let main = main.unwrap_or_else(|| network_dir.join("config"));
        let setconfig = settings.setconfig.clone().unwrap_or_else(|| {
            let mut name = main.clone().into_os_string();
            name.push(".setconfig");
            name.into()
        });
        Self {
            settings,
            name,
            multi,
            main,
            setconfig,
        }
    }

    /// The lines of files that stop counting, the last one first.
    fn old_lines(&self) -> Vec<(&'a Setting, &'a Path, usize)> {
        let all = self.settings.all.iter().rev();
        let mut found: Vec<_> = all
            .filter(|setting| setting.name == self.name)
            .filter_map(|setting| match &setting.source {
                Source::File(path, line) => Some((setting, path.as_path(), *line)),
                Source::CommandLine | Source::PluginStart | Source::Transient => None,
            })
            .collect();
        if !self.multi {
            // What stands behind the line to replace counts now, and must not count later.
            let ours = found
                .iter()
                .position(|(_, path, _)| *path == self.setconfig);
            let last = found.first().map(|(_, path, _)| *path);
            match ours {
                Some(index) => found.truncate(index + 1),
                None => found.retain(|(_, path, _)| Some(*path) == last),
            }
        }
        found
    }

    /// Looks whether the change could be written, before anything is changed.
    pub(crate) fn check(&self) -> Result<(), PersistError> {
        let refuse = |path: &Path| Err(PersistError::NotWritable(path.to_owned()));
        let old = self.old_lines();
        for (_, path, _) in &old {
            if !is_writable(&directory(path)) {
                return refuse(path);
            }
        }
        if self.settings.setconfig.is_some() {
            if !is_writable(&self.setconfig) {
                return refuse(&self.setconfig);
            }
        } else if !is_writable(&directory(&self.main)) {
            return refuse(&self.main);
        }
        for (setting, path, line) in old {
            unchanged(&read(path)?, setting, path, line)?;
        }
        Ok(())
    }

    /// Writes the new lines and returns what the settings hold of them.
    pub(crate) fn write(
        &self,
        values: &[Option<String>],
        now: Duration,
    ) -> Result<Written, PersistError> {
        let mut drafts: Vec<Draft> = Vec::new();
        let fresh = self.settings.setconfig.is_none();
        let mut ours = self.read_own(fresh)?;
        let mut replaced = None;
        for (setting, path, line) in self.old_lines() {
            if path == self.setconfig {
                unchanged(&ours, setting, path, line)?;
                if self.multi {
                    comment_out(&mut ours, line);
                } else if let [value] = values {
                    set_line(&mut ours, line, &config_line(self.name, value.as_deref()));
                    replaced = Some(line);
                }
                continue;
            }
            let known = drafts.iter().position(|draft| draft.path == path);
            let index = known.map_or_else(
                || {
                    let text = read(path)?;
                    let path = path.to_owned();
                    drafts.push(Draft { path, text });
                    Ok(drafts.len() - 1)
                },
                Ok,
            )?;
            if let Some(draft) = drafts.get_mut(index) {
                unchanged(&draft.text, setting, path, line)?;
                comment_out(&mut draft.text, line);
            }
        }
        let settings = values.iter().map(|value| {
            let line = replaced
                .unwrap_or_else(|| append(&mut ours, &config_line(self.name, value.as_deref())));
            Setting {
                name: self.name.to_owned(),
                value: value.clone(),
                source: Source::File(self.setconfig.clone(), line),
            }
        });
        let settings = settings.collect();
        if fresh {
            self.include(&mut drafts, now)?;
        }
        // The new value first: what was commented out without it would be lost.
        let own = Draft {
            path: self.setconfig.clone(),
            text: ours,
        };
        replace_all(&own, &drafts)?;
        Ok(Written {
            file: own.path,
            settings,
        })
    }

    /// What the file that is written to holds.
    fn read_own(&self, fresh: bool) -> Result<String, PersistError> {
        match read(&self.setconfig) {
            Err(PersistError::Unreadable { error, .. })
                if fresh && error.kind() == ErrorKind::NotFound =>
            {
                Ok(format!("{HEADER}\n"))
            }
            other => other,
        }
    }

    /// Lets the config file include the new file.
    fn include(&self, drafts: &mut Vec<Draft>, now: Duration) -> Result<(), PersistError> {
        let name = self.setconfig.file_name().unwrap_or_default();
        let line = format!(
            "# Inserted by setconfig {}\ninclude {}",
            crate::clock::readable(now),
            name.to_string_lossy()
        );
        if let Some(draft) = drafts.iter_mut().find(|draft| draft.path == self.main) {
            append(&mut draft.text, &line);
            return Ok(());
        }
        let mut text = match read(&self.main) {
            Err(PersistError::Unreadable { error, .. }) if error.kind() == ErrorKind::NotFound => {
                String::new()
            }
            other => other?,
        };
        append(&mut text, &line);
        // Before lines elsewhere are taken away.
        drafts.insert(
            0,
            Draft {
                path: self.main.clone(),
                text,
            },
        );
        Ok(())
    }
}

impl Settings {
    /// Notes what was written to the files.
    pub(crate) fn adopt(&mut self, name: &str, written: Written) {
        self.setconfig.get_or_insert(written.file);
        self.forget(name, |_| true);
        self.all.extend(written.settings);
    }

    /// Forgets settings of an option.
    fn forget(&mut self, name: &str, which: impl Fn(&Setting) -> bool) {
        self.replaced.remove(name);
        self.all
            .retain(|setting| setting.name != name || !which(setting));
    }

    /// Sets an option until the node ends.
    pub(crate) fn set_for_this_run(&mut self, name: &str, values: &[Option<String>], multi: bool) {
        self.forget(name, |setting| setting.source == Source::Transient);
        if multi {
            self.replaced.insert(name.to_owned());
        }
        let new = values.iter().map(|value| Setting {
            name: name.to_owned(),
            value: value.clone(),
            source: Source::Transient,
        });
        self.all.extend(new);
    }
}

fn config_line(name: &str, value: Option<&str>) -> String {
    match value {
        Some(value) => format!("{name}={value}"),
        None => name.to_owned(),
    }
}

fn is_writable(path: &Path) -> bool {
    access(path, Access::WRITE_OK).is_ok()
}

fn directory(path: &Path) -> PathBuf {
    path.parent().unwrap_or(Path::new("/")).to_owned()
}

fn read(path: &Path) -> Result<String, PersistError> {
    std::fs::read_to_string(path).map_err(|error| PersistError::Unreadable {
        path: path.to_owned(),
        error,
    })
}

/// The place of a line, counted from 1, without its end.
fn find_line(text: &str, line: usize) -> Option<std::ops::Range<usize>> {
    let mut start = 0;
    for (index, with_end) in text.split_inclusive('\n').enumerate() {
        if index + 1 == line {
            let bare = with_end.strip_suffix('\n').unwrap_or(with_end);
            let bare = bare.strip_suffix('\r').unwrap_or(bare);
            return Some(start..start + bare.len());
        }
        start += with_end.len();
    }
    None
}

/// Fails if a line is not the one that was read when the node started.
fn unchanged(text: &str, setting: &Setting, path: &Path, line: usize) -> Result<(), PersistError> {
    let path = path.to_owned();
    let place = find_line(text, line).and_then(|place| text.get(place));
    let Some(is) = place else {
        return Err(PersistError::Shorter { path, line });
    };
    let was = config_line(&setting.name, setting.value.as_deref());
    let (name, value) = super::settings::split(is.trim_start());
    let blanks = |text: Option<&str>| text.map(|text| text.trim_end().to_owned());
    if name.trim_end() == setting.name
        && blanks(value.as_deref()) == blanks(setting.value.as_deref())
    {
        return Ok(());
    }
    Err(PersistError::Edited {
        path,
        line,
        was,
        is: is.to_owned(),
    })
}

fn set_line(text: &mut String, line: usize, new: &str) {
    if let Some(place) = find_line(text, line) {
        text.replace_range(place, new);
    }
}

fn comment_out(text: &mut String, line: usize) {
    if let Some(place) = find_line(text, line) {
        text.insert_str(
            place.start,
            "# setconfig commented out (see config.setconfig): ",
        );
    }
}

/// Appends a line and returns its number.
fn append(text: &mut String, line: &str) -> usize {
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    let number = text.matches('\n').count() + 1;
    text.push_str(line);
    text.push('\n');
    number
}

/// Replaces files in this order. All are written before the first is replaced: a full disk changes nothing.
fn replace_all(own: &Draft, others: &[Draft]) -> Result<(), PersistError> {
    let failed = |path: &Path, error: std::io::Error| PersistError::Failed {
        path: path.to_owned(),
        error,
    };
    let mut staged = Vec::new();
    for draft in std::iter::once(own).chain(others) {
        match stage(draft) {
            Ok(new) => staged.push((draft, new)),
            // A file that may be written in a directory that may not.
            Err(error) if error.kind() == ErrorKind::PermissionDenied && others.is_empty() => {
                return append_only(draft).map_err(|error| failed(&draft.path, error));
            }
            Err(error) => {
                discard(&staged);
                return Err(failed(&draft.path, error));
            }
        }
    }
    for (draft, (new, target)) in &staged {
        if let Err(error) = std::fs::rename(new, target) {
            discard(&staged);
            return Err(failed(&draft.path, error));
        }
        // The names are changed already; whether the disk knows is up to it.
        drop(File::open(directory(target)).and_then(|directory| directory.sync_all()));
    }
    Ok(())
}

fn discard(staged: &[(&Draft, (PathBuf, PathBuf))]) {
    for (_, (new, _)) in staged {
        drop(std::fs::remove_file(new));
    }
}

/// Writes a draft beside its file: the names of both. A link stays a link.
fn stage(draft: &Draft) -> std::io::Result<(PathBuf, PathBuf)> {
    let target = draft.path.canonicalize();
    let target = target.unwrap_or_else(|_| draft.path.clone());
    let mut new = target.clone().into_os_string();
    new.push(".new");
    let new = PathBuf::from(new);
    // Left by a node that was killed.
    drop(std::fs::remove_file(&new));
    let mode = std::fs::metadata(&target).map_or(0o644, |known| known.permissions().mode());
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode & 0o777)
        .open(&new)?;
    write_to(file, draft).inspect_err(|_| drop(std::fs::remove_file(&new)))?;
    Ok((new, target))
}

/// Appends what a draft has more than its file.
fn append_only(draft: &Draft) -> std::io::Result<()> {
    let there = std::fs::read_to_string(&draft.path)?;
    let Some(more) = draft.text.strip_prefix(&there) else {
        return Err(ErrorKind::PermissionDenied.into());
    };
    let mut file = OpenOptions::new().append(true).open(&draft.path)?;
    file.write_all(more.as_bytes())?;
    file.sync_all()
}

fn write_to(mut file: File, draft: &Draft) -> std::io::Result<()> {
    file.write_all(draft.text.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
#[path = "persist_tests.rs"]
mod tests;
