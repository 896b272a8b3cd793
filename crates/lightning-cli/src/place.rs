//! Where the node's socket is.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ln_types::Network;

use crate::options::PlaceOptions;

/// The socket's name when nothing else is said.
const DEFAULT_SOCKET: &str = "lightning-rpc";
/// How deep files may include each other.
const MAX_INCLUDES: u32 = 100;

/// Where a node was looked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The socket.
    pub(crate) socket: PathBuf,
    base: PathBuf,
    network: Network,
    /// The socket's path was given as it is.
    absolute: bool,
}

/// What configuration files say about it.
#[derive(Debug, Default)]
struct Settings {
    lightning_dir: Option<PathBuf>,
    network: Option<Network>,
    rpc_file: Option<PathBuf>,
}

/// Works out where the socket is from the command line, the configuration files and the home directory.
pub(crate) fn find(options: &PlaceOptions, home: Option<OsString>) -> Result<Place, String> {
    let mut settings = Settings::default();
    if let Some(conf) = &options.conf {
        let text = fs::read_to_string(conf)
            .map_err(|error| format!("can't read {}: {error}", conf.display()))?;
        settings.read(&text, conf, MAX_INCLUDES)?;
    }
    let base = options
        .lightning_dir
        .clone()
        .or_else(|| settings.lightning_dir.take())
        .unwrap_or_else(|| PathBuf::from(home.unwrap_or_default()).join(".lightning"));
    if options.conf.is_none() {
        settings.read_file(&base.join("config"))?;
    }
    let network = options
        .network
        .or(settings.network)
        .unwrap_or(Network::Bitcoin);
    let directory = base.join(network.name());
    if options.conf.is_none() {
        settings.read_file(&directory.join("config"))?;
    }
    let file = options
        .rpc_file
        .clone()
        .or(settings.rpc_file)
        .unwrap_or_else(|| PathBuf::from(DEFAULT_SOCKET));
    Ok(Place {
        socket: directory.join(&file),
        absolute: file.is_absolute(),
        base,
        network,
    })
}

impl Settings {
    /// Reads a file that need not be there.
    fn read_file(&mut self, path: &Path) -> Result<(), String> {
        match fs::read_to_string(path) {
            Ok(text) => self.read(&text, path, MAX_INCLUDES),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(format!("can't read {}: {error}", path.display())),
        }
    }

    /// Takes what concerns us; the rest is for lightningd.
    fn read(&mut self, text: &str, path: &Path, includes: u32) -> Result<(), String> {
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            let failure =
                |error: String| format!("{}:{}: {error}", path.display(), index.saturating_add(1));
            if let Some(file) = line.strip_prefix("include ") {
                let file = path.with_file_name("").join(file.trim());
                if includes == 0 {
                    return Err(failure("files include each other too deeply".to_owned()));
                }
                let text = fs::read_to_string(&file).map_err(|error| {
                    failure(format!("can't include {}: {error}", file.display()))
                })?;
                self.read(&text, &file, includes.saturating_sub(1))?;
                continue;
            }
            let (name, value) = line.split_once('=').unwrap_or((line, ""));
            match name {
                "lightning-dir" => self.lightning_dir = Some(PathBuf::from(value)),
                "rpc-file" => self.rpc_file = Some(PathBuf::from(value)),
                "network" => {
                    let network = value
                        .parse()
                        .map_err(|error: ln_types::UnknownNetwork| failure(error.to_string()))?;
                    self.network = Some(network);
                }
                "mainnet" | "testnet" | "testnet4" | "signet" | "regtest" => {
                    self.network = name.parse().ok();
                }
                _ => {}
            }
        }
        Ok(())
    }
}

impl Place {
    /// What to tell when the socket can't be connected to.
    pub(crate) fn explain_failure(&self, error: &io::Error) -> String {
        let socket = self.socket.display();
        if self.absolute {
            return format!(
                "can't connect to {socket}: {error}. Is lightningd running with this --rpc-file?"
            );
        }
        let asked = format!(
            "lightningd --lightning-dir={} --network={}",
            self.base.display(),
            self.network
        );
        let directory = self.socket.parent().unwrap_or(&self.base);
        let kind = error.kind();
        if kind == io::ErrorKind::NotFound && !self.base.is_dir() {
            return format!(
                "there is no directory {}: no node was ever started there. Start one with \"{asked}\", or name the right place \
                 with --lightning-dir.",
                self.base.display()
            );
        }
        if kind == io::ErrorKind::NotFound && !directory.is_dir() {
            return format!(
                "there is no directory {}: no node was ever started for this network. Start one with \"{asked}\", or name the \
                 right network with --network{}.",
                directory.display(),
                self.other_networks()
            );
        }
        if kind == io::ErrorKind::NotFound {
            return format!(
                "there is no socket {socket}: lightningd is not running, or not listening yet. Start it with \"{asked}\"."
            );
        }
        if kind == io::ErrorKind::ConnectionRefused {
            return format!(
                "nobody listens at {socket}: lightningd has ended. Start it again with \"{asked}\" and see its log for why it \
                 ended."
            );
        }
        if kind == io::ErrorKind::PermissionDenied {
            return format!(
                "no permission to use {socket}: run this as the user who runs lightningd, or start that with --rpc-file-mode=0660 \
                 for its group."
            );
        }
        format!("can't connect to {socket}: {error}. Is \"{asked}\" running?")
    }

    /// The networks that have a directory.
    fn other_networks(&self) -> String {
        let there: Vec<&str> = Network::ALL
            .into_iter()
            .map(Network::name)
            .filter(|name| self.base.join(name).is_dir())
            .collect();
        if there.is_empty() {
            String::new()
        } else {
            format!(" (there is {})", there.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> PlaceOptions {
        PlaceOptions::default()
    }

    #[test]
    fn the_socket_is_in_the_directory_of_the_network() {
        let place = find(&options(), Some("/home/x".into())).unwrap();
        let want = Path::new("/home/x/.lightning/bitcoin/lightning-rpc");
        assert_eq!(place.socket, want);
        let place = find(&options(), None).unwrap();
        assert_eq!(place.socket, Path::new(".lightning/bitcoin/lightning-rpc"));
    }

    #[test]
    fn files_and_command_line_have_their_say() {
        let directory = tempfile::tempdir().unwrap();
        let base = directory.path();
        fs::create_dir_all(base.join("regtest")).unwrap();
        fs::write(base.join("config"), "# x\nalias=a b\ninclude more\n").unwrap();
        fs::write(base.join("more"), "network=regtest\nrpc-file=first\n").unwrap();
        fs::write(base.join("regtest/config"), "rpc-file=second\n").unwrap();
        let mut options = PlaceOptions {
            lightning_dir: Some(base.to_owned()),
            ..options()
        };
        let place = find(&options, None).unwrap();
        assert_eq!(place.socket, base.join("regtest/second"));
        options.network = Some(Network::Signet);
        assert_eq!(
            find(&options, None).unwrap().socket,
            base.join("signet/first")
        );
        options.rpc_file = Some("/abs/rpc".into());
        assert_eq!(find(&options, None).unwrap().socket, Path::new("/abs/rpc"));
    }

    #[test]
    fn a_file_of_ones_own_replaces_the_usual_ones() {
        let directory = tempfile::tempdir().unwrap();
        let base = directory.path();
        fs::write(base.join("config"), "network=signet\n").unwrap();
        let conf = base.join("my.conf");
        fs::write(
            &conf,
            format!("lightning-dir={}\nregtest\n", base.display()),
        )
        .unwrap();
        let options = PlaceOptions {
            conf: Some(conf.clone()),
            ..options()
        };
        let place = find(&options, Some("/home/x".into())).unwrap();
        assert_eq!(place.socket, base.join("regtest/lightning-rpc"));
        fs::write(&conf, "network=moon\n").unwrap();
        let error = find(&options, None).unwrap_err();
        assert!(
            error.contains("my.conf:1: unknown network 'moon'"),
            "{error}"
        );
        fs::write(&conf, "include my.conf\n").unwrap();
        assert!(find(&options, None).unwrap_err().contains("too deeply"));
        fs::remove_file(&conf).unwrap();
        assert!(find(&options, None).unwrap_err().contains("can't read"));
    }
}
