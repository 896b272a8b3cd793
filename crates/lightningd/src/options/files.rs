//! Config files: lines, `include`, and what may stand in which of them.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::settings::{OptionError, Setting, Settings, Source, split};

/// How deep files may include each other.
const MAX_INCLUDES: usize = 100;
/// More than this is no config file.
const MAX_SIZE: u64 = 16 << 20;
/// The end of the name of the file that `setconfig` writes to.
const SETCONFIG: &str = ".setconfig";

/// Which config file it is: what may stand in it depends on that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ConfigFile {
    /// The one that `conf` names.
    Explicit,
    /// `config` in the lightning directory.
    Base,
    /// `config` in the network's directory.
    Network,
}

impl Settings {
    /// Reads a config file. Only one that was named must exist; another one is empty if it does not.
    pub(crate) fn file(path: &Path, which: ConfigFile) -> Result<Self, OptionError> {
        let mut reader = Reader {
            which,
            open: Vec::new(),
            found: Self::default(),
        };
        if which == ConfigFile::Explicit {
            reader.found.conf = Some(path.to_owned());
        }
        match contents(path) {
            Ok(bytes) => reader.lines(path, &bytes)?,
            Err(error)
                if error.kind() == std::io::ErrorKind::NotFound
                    && which != ConfigFile::Explicit => {}
            Err(error) => return Err(unreadable(path, &error)),
        }
        Ok(reader.found)
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> OptionError {
    OptionError::file(path, format!("can't be read: {error}"))
}

fn contents(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?
        .take(MAX_SIZE + 1)
        .read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > MAX_SIZE {
        return Err(std::io::Error::other(format!(
            "it is larger than {MAX_SIZE} bytes: is this a config file?"
        )));
    }
    Ok(bytes)
}

struct Reader {
    which: ConfigFile,
    /// The files being read: each was included by the one before it.
    open: Vec<PathBuf>,
    found: Settings,
}

impl Reader {
    fn lines(&mut self, path: &Path, bytes: &[u8]) -> Result<(), OptionError> {
        if self.found.setconfig.is_none()
            && path
                .as_os_str()
                .as_encoded_bytes()
                .ends_with(SETCONFIG.as_bytes())
        {
            self.found.setconfig = Some(path.to_owned());
        }
        self.open.push(path.to_owned());
        let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
        for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
            let line = line.strip_suffix(b"\r").unwrap_or(line).trim_ascii_start();
            if line.is_empty() || line.starts_with(b"#") {
                continue;
            }
            let place = Place {
                path,
                line: index + 1,
            };
            let text = std::str::from_utf8(line)
                .map_err(|_| place.error("is not UTF-8 text: save the file as UTF-8"))?;
            if text.contains('\0') {
                return Err(place.error("contains a zero byte: is this a text file?"));
            }
            self.line(&place, text)?;
        }
        self.open.pop();
        Ok(())
    }

    fn line(&mut self, place: &Place<'_>, text: &str) -> Result<(), OptionError> {
        if let Some(included) = text.strip_prefix("include ") {
            return self.include(place, included.trim());
        }
        let (name, value) = split(text);
        let name = name.trim_end().to_owned();
        let keeps_blanks = matches!(name.as_str(), "alias" | "log-prefix");
        let setting = Setting {
            value: value.map(|value| {
                let kept = if keeps_blanks {
                    &value
                } else {
                    value.trim_end()
                };
                kept.to_owned()
            }),
            name,
            source: Source::File(place.path.to_owned(), place.line),
        };
        if let Some(problem) = self.misplaced(&setting.name) {
            return Err(OptionError::new(&setting, problem));
        }
        self.found.push(setting);
        Ok(())
    }

    /// Why an option may not stand in this file.
    fn misplaced(&self, name: &str) -> Option<String> {
        let problem = match (name, self.which) {
            ("conf", _) => "not permitted in configuration files: give it on the command line",
            ("help" | "version" | "list-features-only" | "test-daemons-only", _) => {
                "only makes sense on the command line"
            }
            ("lightning-dir", ConfigFile::Base | ConfigFile::Network) => {
                "not permitted in implicit configuration files: give it on the command line, or in the file that --conf names"
            }
            (
                "network" | "mainnet" | "testnet" | "testnet4" | "signet" | "regtest",
                ConfigFile::Network,
            ) => {
                "not permitted in network-specific configuration files: its directory says which network it is for"
            }
            _ => {
                let bare = name.strip_prefix("--")?;
                return Some(format!(
                    "is written without dashes in a config file: '{bare}'"
                ));
            }
        };
        Some(problem.to_owned())
    }

    fn include(&mut self, place: &Place<'_>, included: &str) -> Result<(), OptionError> {
        let file = place.path.parent().unwrap_or(Path::new(".")).join(included);
        let same = |open: &PathBuf| same_file(open, &file);
        if self.open.iter().any(same) {
            return Err(place.error(&format!(
                "include {included}: the file is being read already: files must not include each other in a circle"
            )));
        }
        if self.open.len() > MAX_INCLUDES {
            return Err(place.error(&format!(
                "include {included}: files include each other more than {MAX_INCLUDES} deep"
            )));
        }
        let bytes = contents(&file).map_err(|error| {
            place.error(&format!(
                "include {included}: {} can't be read: {error}",
                file.display()
            ))
        })?;
        self.lines(&file, &bytes)
    }
}

fn same_file(one: &Path, other: &Path) -> bool {
    match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        _ => one == other,
    }
}

struct Place<'a> {
    path: &'a Path,
    line: usize,
}

impl Place<'_> {
    fn error(&self, problem: &str) -> OptionError {
        OptionError::line(self.path, self.line, problem)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(dir: &Path, which: ConfigFile, bytes: &[u8]) -> Result<Settings, String> {
        std::fs::write(dir.join("config"), bytes).unwrap();
        Settings::file(&dir.join("config"), which).map_err(|error| error.to_string())
    }

    #[test]
    fn files_have_comments_includes_and_line_numbers() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path();
        std::fs::create_dir(dir.join("sub")).unwrap();
        std::fs::write(dir.join("sub/more"), "rgb=ff0000  \ninclude third").unwrap();
        std::fs::write(dir.join("sub/third"), "rescan=5").unwrap();
        let text = "\u{feff}# hi\r\n\r\nalias=two \r\n  include sub/more \r\nlog-prefix = \t\r\nfee-base=7\t \n";
        let settings = read(dir, ConfigFile::Base, text.as_bytes()).unwrap();
        assert_eq!(settings.text("alias"), Some("two "));
        assert_eq!(settings.text("rgb"), Some("ff0000"));
        assert_eq!(settings.text("rescan"), Some("5"));
        assert_eq!(settings.text("log-prefix"), Some(" \t"));
        assert_eq!(settings.text("fee-base"), Some("7"));
        let source = |name| settings.last(name).unwrap().source.to_string();
        assert_eq!(source("rgb"), format!("{}/sub/more:1", dir.display()));
        assert_eq!(source("fee-base"), format!("{}/config:6", dir.display()));
    }

    #[test]
    fn files_in_a_circle_and_too_deep_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path();
        std::fs::write(dir.join("b"), "\ninclude ./config").unwrap();
        let problem = read(dir, ConfigFile::Base, b"include b\n").unwrap_err();
        assert!(
            problem.contains("b line 2: include ./config: "),
            "{problem}"
        );
        for depth in 0..102 {
            let next = format!("include {}\n", depth + 1);
            std::fs::write(dir.join(depth.to_string()), next).unwrap();
        }
        let problem = read(dir, ConfigFile::Base, b"include 0\n").unwrap_err();
        assert!(problem.contains("more than 100 deep"), "{problem}");
        let problem = read(dir, ConfigFile::Base, b"\ninclude none\n").unwrap_err();
        assert!(
            problem.contains("config line 2: include none: "),
            "{problem}"
        );
        assert!(problem.contains("No such file"), "{problem}");
    }

    #[test]
    fn some_options_are_refused_in_some_files() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path();
        let all = [ConfigFile::Explicit, ConfigFile::Base, ConfigFile::Network];
        let allowed = |line: &str| all.map(|which| read(dir, which, line.as_bytes()).is_ok());
        assert_eq!(allowed("conf=x"), [false, false, false]);
        assert_eq!(allowed("help"), [false, false, false]);
        assert_eq!(allowed("lightning-dir=/x"), [true, false, false]);
        assert_eq!(allowed("network=regtest"), [true, true, false]);
        assert_eq!(allowed("regtest"), [true, true, false]);
        assert_eq!(allowed("alias=x"), [true, true, true]);
        assert_eq!(allowed("--alias=x"), [false, false, false]);
    }

    #[test]
    fn what_is_no_text_is_refused_with_its_line() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path();
        let problem = |bytes: &[u8]| read(dir, ConfigFile::Base, bytes).unwrap_err();
        assert!(problem(b"rescan=1\nalias=\xff\n").contains("config line 2: is not UTF-8"));
        assert!(problem(b"alias=\0\n").contains("config line 1: contains a zero byte"));
        let huge = vec![b'\n'; usize::try_from(MAX_SIZE).unwrap() + 1];
        assert!(problem(&huge).contains("larger than"));
        let none = Settings::file(&dir.join("none"), ConfigFile::Explicit);
        assert!(none.unwrap_err().to_string().contains("No such file"));
        assert!(Settings::file(&dir.join("none"), ConfigFile::Base).is_ok());
    }
}
