//! bitcoind's command line and `bitcoin.conf`.

use std::path::{Path, PathBuf};

/// The section of the configuration file that belongs to this chain.
const SECTION: &str = "regtest";
/// Settings that the part of the file before any section may not make for regtest.
const SECTION_ONLY: &[&str] = &[
    "addnode",
    "bind",
    "connect",
    "port",
    "rpcbind",
    "rpcport",
    "wallet",
    "whitebind",
];

/// Settings from the command line and the configuration file.
#[derive(Debug, Clone, Default)]
pub struct Options {
    command_line: Vec<(String, String)>,
    /// The options of the command line as they were written, without dashes.
    written: Vec<String>,
    section: Vec<(String, String)>,
    general: Vec<(String, String)>,
    /// Words of the command line from the first that is no option.
    pub words: Vec<String>,
}

impl Options {
    /// Reads command line words: `-name`, `-name=value`, `-noname`; `--name` means the same. Stops
    /// at the first word that is none of these.
    pub fn from_words(words: impl IntoIterator<Item = String>) -> Self {
        let mut options = Self::default();
        let mut words = words.into_iter();
        for word in words.by_ref() {
            let Some(option) = word.strip_prefix('-').filter(|rest| !rest.is_empty()) else {
                options.words.push(word);
                break;
            };
            let option = option.strip_prefix('-').unwrap_or(option);
            let (name, value) = option.split_once('=').unwrap_or((option, ""));
            options.written.push(name.to_owned());
            options.command_line.push(normal(name, value));
        }
        options.words.extend(words);
        options
    }

    /// Adds the settings of a configuration file. `Err` says what is wrong and on which line.
    pub fn add_file(&mut self, text: &str) -> Result<(), String> {
        let mut section = String::new();
        for (number, line) in text.lines().enumerate() {
            let line = line.split('#').next().unwrap_or_default().trim();
            if line.is_empty() {
                continue;
            }
            if let Some(name) = line
                .strip_prefix('[')
                .and_then(|rest| rest.strip_suffix(']'))
            {
                name.clone_into(&mut section);
                continue;
            }
            let Some((name, value)) = line.split_once('=') else {
                return Err(format!(
                    "parse error on line {}: {line}, options in configuration file must be specified without leading -",
                    number + 1
                ));
            };
            let (name, value) = (name.trim(), value.trim());
            let (place, name) = match name.split_once('.') {
                Some((prefix, name)) => (prefix, name),
                None => (section.as_str(), name),
            };
            if place.is_empty() {
                self.general.push(normal(name, value));
            } else if place == SECTION {
                self.section.push(normal(name, value));
            }
        }
        Ok(())
    }

    /// The value of a setting: the last on the command line, else the first of the file's regtest
    /// section, else the first of its general part.
    pub fn get(&self, name: &str) -> Option<&str> {
        let of = |(key, _): &&(String, String)| key == name;
        let general = self
            .general
            .iter()
            .find(of)
            .filter(|_| !SECTION_ONLY.contains(&name));
        let found = self.command_line.iter().rev().find(of);
        found
            .or_else(|| self.section.iter().find(of))
            .or(general)
            .map(|(_, value)| value.as_str())
    }

    /// All values of a setting that may be given more than once.
    pub fn all(&self, name: &str) -> Vec<&str> {
        let general = self
            .general
            .iter()
            .filter(|_| !SECTION_ONLY.contains(&name));
        let every = self.command_line.iter().chain(&self.section).chain(general);
        every
            .filter(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
            .collect()
    }

    /// A switch: a setting without value is on, `0` is off.
    pub fn flag(&self, name: &str, default: bool) -> bool {
        self.get(name).map_or(default, is_on)
    }

    /// A number, or `default`; `Err` names the setting if it is none.
    pub fn number(&self, name: &str, default: u64) -> Result<u64, String> {
        let Some(text) = self.get(name) else {
            return Ok(default);
        };
        text.parse()
            .map_err(|_| format!("Invalid value for -{name}: '{text}' (not a number)"))
    }

    /// The first option of the command line that is not in `known`.
    pub fn unknown<'a>(&'a self, known: &[&str]) -> Option<&'a str> {
        let named = self.written.iter().zip(&self.command_line);
        named
            .into_iter()
            .find(|(_, (name, _))| !known.contains(&name.as_str()))
            .map(|(word, _)| word.as_str())
    }

    /// The data directory: `-datadir`, or `.bitcoin` in the home directory.
    pub fn data_dir(&self) -> PathBuf {
        if let Some(given) = self.get("datadir") {
            return PathBuf::from(given);
        }
        let home = std::env::var_os("HOME").map_or_else(|| PathBuf::from("."), PathBuf::from);
        home.join(".bitcoin")
    }

    /// The directory of this chain inside the data directory.
    pub fn chain_dir(&self) -> PathBuf {
        self.data_dir().join("regtest")
    }

    /// The configuration file: `-conf`, or `bitcoin.conf` in the data directory.
    pub fn config_path(&self) -> PathBuf {
        self.data_dir()
            .join(self.get("conf").unwrap_or("bitcoin.conf"))
    }

    /// Reads the configuration file and the files it includes. A missing file is an error only if
    /// `-conf` named it.
    pub fn read_config(&mut self) -> Result<(), String> {
        let path = self.config_path();
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(_) if self.get("conf").is_none() => return Ok(()),
            Err(error) => {
                return Err(format!(
                    "Error reading configuration file: specified config file \"{}\" could not be opened: {error}",
                    path.display()
                ));
            }
        };
        let wrap = |why: String| format!("Error reading configuration file: {why}");
        self.add_file(&text).map_err(wrap)?;
        let included: Vec<String> = self
            .all("includeconf")
            .into_iter()
            .map(str::to_owned)
            .collect();
        for name in included {
            let path = self.data_dir().join(Path::new(&name));
            let text = std::fs::read_to_string(&path).map_err(|error| {
                wrap(format!(
                    "Failed to include configuration file {name}: {error}"
                ))
            })?;
            self.add_file(&text).map_err(wrap)?;
        }
        Ok(())
    }

    /// Whether regtest is the chain that was asked for; `Err` names another one.
    pub fn is_regtest(&self) -> Result<bool, String> {
        for other in ["testnet", "testnet4", "signet"] {
            if self.flag(other, false) {
                return Err(other.to_owned());
            }
        }
        match self.get("chain") {
            Some("regtest") => Ok(true),
            Some(other) => Err(other.to_owned()),
            None => Ok(self.flag("regtest", false)),
        }
    }
}

/// Whether the value of a switch means on.
pub fn is_on(value: &str) -> bool {
    value.is_empty() || value.trim().parse::<i64>().is_ok_and(|number| number != 0)
}

/// `-noname` becomes `name=0`.
fn normal(name: &str, value: &str) -> (String, String) {
    match name.strip_prefix("no") {
        Some(positive) if !positive.is_empty() && name != "noconnect" => (
            positive.to_owned(),
            if is_on(value) { "0" } else { "1" }.to_owned(),
        ),
        _ => (name.to_owned(), value.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(words: &[&str]) -> Options {
        Options::from_words(words.iter().map(|word| (*word).to_owned()))
    }

    #[test]
    fn the_last_of_the_command_line_and_the_first_of_the_file_win() {
        let mut options = options(&["-rpcport=1", "--rpcport=2", "-nolisten", "getinfo", "-x"]);
        options
            .add_file("rpcuser=a\nrpcuser=b # x\n[regtest]\nrpcpassword=p\n[main]\nrpcauth=1\n")
            .unwrap();
        assert_eq!(options.get("rpcport"), Some("2"));
        assert!(!options.flag("listen", true));
        assert_eq!(options.get("rpcuser"), Some("a"));
        assert_eq!(options.get("rpcpassword"), Some("p"));
        assert_eq!(options.get("rpcauth"), None);
        assert_eq!(options.words, ["getinfo", "-x"]);
    }

    #[test]
    fn a_port_for_this_chain_must_be_in_its_section() {
        let mut options = options(&[]);
        options.add_file("rpcport=1\nregtest.rpcport=2\n").unwrap();
        assert_eq!(options.get("rpcport"), Some("2"));
        assert!(options.add_file("nonsense").is_err());
    }
}
