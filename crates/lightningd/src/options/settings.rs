//! What was set, by whom, before it is understood.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use super::missing::is_missing;
use super::nearest::nearest;
use super::table::{Kind, NOT_YET, OPTIONS, OptionInfo};

/// A word that is true or false, in capitals or not.
pub(super) fn truth(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "1" => Some(true),
        "false" | "no" | "0" => Some(false),
        _ => None,
    }
}

/// Keeps what is said of a value on one line that can be read.
fn shorten(text: &str) -> String {
    let printable = |c: char| if c.is_control() { '?' } else { c };
    let mut short: String = text.chars().take(MOST_SAID).map(printable).collect();
    if text.chars().nth(MOST_SAID).is_some() {
        short.push_str("...");
    }
    short
}

/// How much is said of one problem.
const MOST_SAID: usize = 300;

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// The command line.
    CommandLine,
    /// A line of a file, counted from 1.
    File(PathBuf, usize),
    /// The call that started a plugin.
    PluginStart,
    /// `setconfig`, until the node ends.
    Transient,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CommandLine => f.write_str("cmdline"),
            Self::PluginStart => f.write_str("pluginstart"),
            Self::Transient => f.write_str("setconfig transient"),
            Self::File(path, line) => write!(f, "{}:{line}", path.display()),
        }
    }
}

/// One value of one option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Setting {
    /// The option.
    pub(crate) name: String,
    /// What was given after `=`.
    pub(crate) value: Option<String>,
    /// Where.
    pub(crate) source: Source,
}

impl Setting {
    /// Which option it is and where it is set, for messages.
    pub(crate) fn place(&self) -> String {
        match &self.source {
            Source::CommandLine => format!("--{}", self.name),
            Source::PluginStart | Source::Transient => self.name.clone(),
            Source::File(path, line) => format!("{} line {line}: {}", path.display(), self.name),
        }
    }
}

/// Why the settings can't be used. The text names the place and says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {problem}")]
pub(crate) struct OptionError {
    place: String,
    problem: String,
}

impl OptionError {
    /// A problem with one setting.
    pub(crate) fn new(setting: &Setting, problem: impl fmt::Display) -> Self {
        let problem = shorten(&problem.to_string());
        let place = setting.place();
        Self { place, problem }
    }

    /// What is wrong, without the place.
    pub(crate) fn problem(&self) -> &str {
        &self.problem
    }

    /// A problem with a line that is no setting.
    pub(super) fn line(path: &Path, line: usize, problem: impl fmt::Display) -> Self {
        Self {
            place: format!("{} line {line}", path.display()),
            problem: problem.to_string(),
        }
    }

    /// A problem with a file.
    pub(super) fn file(path: &Path, problem: impl fmt::Display) -> Self {
        Self {
            place: path.display().to_string(),
            problem: problem.to_string(),
        }
    }
}

/// Everything set, in the order in which later values override earlier ones.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settings {
    pub(super) all: Vec<Setting>,
    /// The file that `conf` names.
    pub(super) conf: Option<PathBuf>,
    /// The file that `setconfig` writes to, once there is one.
    pub(super) setconfig: Option<PathBuf>,
    /// Lists that `setconfig` replaced for this run: what else was set does not count.
    pub(super) replaced: BTreeSet<String>,
}

impl Settings {
    /// Reads the command line: `--name`, `--name=value`, `--name value` (for options known to take one), `-h`, `-V`.
    pub(crate) fn command_line(arguments: &[OsString]) -> Result<Self, OptionError> {
        let mut all = Vec::new();
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            let text = readable(argument)?;
            let (name, value) = match text {
                "-h" | "-?" => ("help".to_owned(), None),
                "-V" => ("version".to_owned(), None),
                text => {
                    let Some(word) = text.strip_prefix("--") else {
                        let setting = Setting {
                            name: text.to_owned(),
                            value: None,
                            source: Source::CommandLine,
                        };
                        return Err(OptionError::new(
                            &setting,
                            "no arguments are taken, only options: write --name=value",
                        ));
                    };
                    split(word)
                }
            };
            let mut setting = Setting {
                name,
                value,
                source: Source::CommandLine,
            };
            let of_plugin = find(&setting.name).is_none();
            let next_is_value = || {
                let next = rest.clone().next();
                next.is_some_and(|next| !next.to_string_lossy().starts_with('-'))
            };
            // Whether a plugin's option takes a value is not known yet, but a word without dashes can be nothing else.
            if setting.value.is_none()
                && (wants_value(&setting.name) || of_plugin && next_is_value())
            {
                let Some(next) = rest.next() else {
                    return Err(OptionError::new(&setting, "needs a value"));
                };
                let value = next
                    .to_str()
                    .ok_or_else(|| OptionError::new(&setting, NOT_TEXT))?;
                setting.value = Some(value.to_owned());
            }
            all.push(setting);
        }
        Ok(Self {
            all,
            ..Self::default()
        })
    }

    /// Adds a setting that overrides earlier ones.
    pub(super) fn push(&mut self, setting: Setting) {
        self.all.push(setting);
    }

    /// Lets `later` override.
    pub(crate) fn extend(&mut self, later: Self) {
        self.all.extend(later.all);
        self.conf = self.conf.take().or(later.conf);
        self.setconfig = self.setconfig.take().or(later.setconfig);
    }

    /// All settings, in order.
    pub(crate) fn all(&self) -> &[Setting] {
        &self.all
    }

    /// The setting of an option that counts: the last.
    pub(crate) fn last(&self, name: &str) -> Option<&Setting> {
        self.all.iter().rev().find(|setting| setting.name == name)
    }

    /// The settings that count for an option that may be given several times.
    pub(crate) fn list<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Setting> {
        let replaced = self.replaced.contains(name);
        let all = self.all.iter();
        all.filter(move |setting| {
            setting.name == name && (!replaced || setting.source == Source::Transient)
        })
    }

    /// All values of an option that may be given several times.
    pub(crate) fn every(&self, name: &str) -> Vec<String> {
        self.all
            .iter()
            .filter(|setting| setting.name == name)
            .filter_map(|setting| setting.value.clone())
            .collect()
    }

    /// The text of an option.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.last(name).and_then(|setting| setting.value.as_deref())
    }

    /// Whether a flag is given.
    pub(crate) fn flag(&self, name: &str) -> bool {
        self.last(name).is_some()
    }

    /// A truth value.
    pub(crate) fn bool(&self, name: &str, default: bool) -> Result<bool, OptionError> {
        let Some(setting) = self.last(name) else {
            return Ok(default);
        };
        let Some(text) = setting.value.as_deref() else {
            return Ok(true);
        };
        truth(text)
            .ok_or_else(|| OptionError::new(setting, format!("'{text}' is neither true nor false")))
    }

    /// A value of any type that can be read from text.
    pub(crate) fn parsed<T>(&self, name: &str, default: T) -> Result<T, OptionError>
    where
        T: std::str::FromStr,
        T::Err: fmt::Display,
    {
        let Some(setting) = self.last(name) else {
            return Ok(default);
        };
        let text = setting.value.as_deref().unwrap_or_default();
        text.parse()
            .map_err(|error| OptionError::new(setting, format!("'{text}': {error}")))
    }

    /// Fails at the first setting that is no option of ours nor of a plugin.
    pub(crate) fn check_known(
        &self,
        developer: bool,
        of_plugin: impl Fn(&str) -> bool,
    ) -> Result<(), OptionError> {
        for setting in &self.all {
            match find(&setting.name) {
                Some(info) if info.dev && !developer => {
                    return Err(OptionError::new(
                        setting,
                        "is only for developers: give --developer as well",
                    ));
                }
                Some(info) if NOT_YET.contains(&info.name) => {
                    return Err(OptionError::new(setting, NOT_SUPPORTED));
                }
                Some(info) => check_shape(info, setting)?,
                None if of_plugin(&setting.name) => {}
                None if is_missing(&setting.name) => {
                    return Err(OptionError::new(setting, NOT_SUPPORTED));
                }
                None => {
                    let hint = nearest(&setting.name, OPTIONS.iter().map(|info| info.name))
                        .map(|name| format!(": did you mean '{name}'?"))
                        .unwrap_or_default();
                    return Err(OptionError::new(setting, format!("unknown option{hint}")));
                }
            }
        }
        Ok(())
    }
}

/// Texts that mean something when they are empty.
pub(super) const MAY_BE_EMPTY: [&str; 4] = ["addr", "alias", "bind-addr", "log-prefix"];

fn check_shape(info: &OptionInfo, setting: &Setting) -> Result<(), OptionError> {
    match (info.kind, setting.value.as_deref()) {
        (Kind::Flag, Some(_)) => Err(OptionError::new(setting, "takes no value")),
        (Kind::Bool, Some(value)) if truth(value).is_none() => Err(OptionError::new(
            setting,
            format!("'{value}' is neither true nor false"),
        )),
        (Kind::Msat, Some(value)) => match value.parse::<ln_types::Msat>() {
            Ok(_) => Ok(()),
            Err(error) => Err(OptionError::new(setting, format!("'{value}': {error}"))),
        },
        (Kind::Text, Some("")) if !MAY_BE_EMPTY.contains(&info.name) => {
            Err(OptionError::new(setting, "needs a value"))
        }
        (Kind::Int, Some(value)) if value.parse::<i64>().is_err() => Err(OptionError::new(
            setting,
            format!("'{value}' is not a whole number"),
        )),
        (Kind::Int | Kind::Msat | Kind::Text, None) => {
            Err(OptionError::new(setting, "needs a value"))
        }
        (Kind::Flag | Kind::Bool | Kind::Int | Kind::Text, _) => Ok(()),
    }
}

/// Whether lightningd itself has an option with this name.
pub(crate) fn is_own(name: &str) -> bool {
    find(name).is_some()
}

/// The option with this name.
pub(crate) fn find(name: &str) -> Option<&'static OptionInfo> {
    OPTIONS.iter().find(|info| info.name == name)
}

const NOT_SUPPORTED: &str = "is not supported yet by this version: leave it out";

const NOT_TEXT: &str = "is not UTF-8 text";

/// An argument as text.
fn readable(argument: &OsString) -> Result<&str, OptionError> {
    argument.to_str().ok_or_else(|| {
        let lossy = argument.to_string_lossy();
        let (name, _) = split(lossy.trim_start_matches('-'));
        let setting = Setting {
            name,
            value: None,
            source: Source::CommandLine,
        };
        OptionError::new(&setting, NOT_TEXT)
    })
}

fn wants_value(name: &str) -> bool {
    find(name).is_some_and(|info| !matches!(info.kind, Kind::Flag | Kind::Bool))
}

pub(super) fn split(word: &str) -> (String, Option<String>) {
    match word.split_once('=') {
        Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
        None => (word.to_owned(), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(arguments: &[&str]) -> Result<Settings, OptionError> {
        Settings::command_line(&arguments.iter().map(OsString::from).collect::<Vec<_>>())
    }

    #[test]
    fn the_last_value_counts_and_lists_gather() {
        let settings = line(&[
            "--alias=a",
            "--alias",
            "b",
            "--addr=1.2.3.4",
            "--addr=::1",
            "--developer",
        ])
        .unwrap();
        assert_eq!(settings.text("alias"), Some("b"));
        assert_eq!(settings.every("addr"), ["1.2.3.4", "::1"]);
        assert!(settings.flag("developer"));
    }

    #[test]
    fn mistakes_are_named() {
        let settings = line(&["--aliass=a"]).unwrap();
        let error = settings
            .check_known(false, |_| false)
            .unwrap_err()
            .to_string();
        assert_eq!(error, "--aliass: unknown option: did you mean 'alias'?");
        assert!(line(&["--alias"]).is_err());
        assert!(line(&["alias"]).is_err());
        let settings = line(&["--clnrest-port=3010"]).unwrap();
        let error = settings.check_known(false, |_| false).unwrap_err();
        assert_eq!(error.problem(), NOT_SUPPORTED);
        assert!(settings.check_known(false, |_| true).is_ok());
        let settings = line(&["--rescan=many"]).unwrap();
        assert!(settings.check_known(false, |_| false).is_err());
        let settings = line(&["--dev-fast-gossip"]).unwrap();
        assert!(settings.check_known(false, |_| false).is_err());
        assert!(settings.check_known(true, |_| false).is_ok());
    }
}
