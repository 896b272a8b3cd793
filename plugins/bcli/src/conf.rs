//! bitcoin.conf, as far as it says how to reach bitcoind.

use std::path::{Path, PathBuf};

use ln_types::Network;

/// What bitcoin.conf says about RPC for one network.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Conf {
    pub(crate) rpcuser: Option<String>,
    pub(crate) rpcpassword: Option<String>,
    pub(crate) rpcconnect: Option<String>,
    pub(crate) rpcport: Option<String>,
    pub(crate) rpcthreads: Option<String>,
    pub(crate) rpccookiefile: Option<PathBuf>,
    pub(crate) datadir: Option<PathBuf>,
}

/// One setting.
#[derive(Debug)]
struct Line {
    /// Empty outside all sections.
    section: String,
    name: String,
    value: String,
}

/// The most files that are included.
const MAX_INCLUDED: usize = 16;

impl Conf {
    /// Reads `bitcoin.conf` in a data directory, and what it includes. Files that are not there say nothing.
    pub(crate) fn read(datadir: &Path, network: Network) -> Self {
        let read = |file: &str| {
            let text = std::fs::read_to_string(datadir.join(file));
            parse(&text.unwrap_or_default())
        };
        let mut lines = read("bitcoin.conf");
        let included = lines.iter().filter(|line| line.name == "includeconf");
        let included: Vec<String> = included.map(|line| line.value.clone()).collect();
        // As for bitcoind, included files include no others.
        for file in included.iter().take(MAX_INCLUDED) {
            lines.extend(read(file));
        }
        Self::from_lines(&lines, network)
    }

    fn from_lines(lines: &[Line], network: Network) -> Self {
        let section = section(network);
        // The network's own section goes before the common one, and what comes first counts.
        let find = |name: &str, common: bool| {
            let own = lines
                .iter()
                .find(|line| line.section == section && line.name == name);
            let shared = lines
                .iter()
                .find(|line| common && line.section.is_empty() && line.name == name);
            own.or(shared).map(|line| line.value.clone())
        };
        // A port outside all sections is meant for the main chain only.
        let common_port = network == Network::Bitcoin;
        Self {
            rpcuser: find("rpcuser", true),
            rpcpassword: find("rpcpassword", true),
            rpcconnect: find("rpcconnect", true),
            rpcport: find("rpcport", common_port),
            rpcthreads: find("rpcthreads", true),
            rpccookiefile: find("rpccookiefile", true).map(PathBuf::from),
            datadir: find("datadir", true).map(PathBuf::from),
        }
    }
}

/// The name of a network's section.
fn section(network: Network) -> &'static str {
    match network {
        Network::Bitcoin => "main",
        Network::Testnet => "test",
        Network::Testnet4 => "testnet4",
        Network::Signet => "signet",
        Network::Regtest => "regtest",
    }
}

/// The directory of a network inside the data directory.
pub(crate) fn subdirectory(network: Network) -> &'static str {
    match network {
        Network::Bitcoin => "",
        Network::Testnet => "testnet3",
        Network::Testnet4 => "testnet4",
        Network::Signet => "signet",
        Network::Regtest => "regtest",
    }
}

fn parse(text: &str) -> Vec<Line> {
    let mut section = String::new();
    let mut lines = Vec::new();
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            name.trim().clone_into(&mut section);
        } else if let Some((name, value)) = line.split_once('=') {
            let (name, value) = (name.trim(), value.trim().to_owned());
            // `regtest.rpcport=1` is another way to write a section.
            let (section, name) = match name.split_once('.') {
                Some((section, name)) => (section.to_owned(), name),
                None => (section.clone(), name),
            };
            let name = name.trim_start_matches('-').to_owned();
            lines.push(Line {
                section,
                name,
                value,
            });
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "
        rpcuser = alice   # who
        rpcpassword=s=cret
        rpcport=1111
        regtest.rpcconnect=10.0.0.1
        [regtest]
        rpcport=2222
        rpcport=3333
        rpcuser=bob
        [test]
        rpccookiefile=/tmp/c
        nonsense
    ";

    #[test]
    fn the_networks_own_section_counts_first() {
        let conf = Conf::from_lines(&parse(TEXT), Network::Regtest);
        assert_eq!(conf.rpcuser.as_deref(), Some("bob"));
        assert_eq!(conf.rpcpassword.as_deref(), Some("s=cret"));
        assert_eq!(conf.rpcport.as_deref(), Some("2222"));
        assert_eq!(conf.rpcconnect.as_deref(), Some("10.0.0.1"));
        let conf = Conf::from_lines(&parse(TEXT), Network::Bitcoin);
        assert_eq!(conf.rpcport.as_deref(), Some("1111"));
        assert_eq!(conf.rpcuser.as_deref(), Some("alice"));
        let conf = Conf::from_lines(&parse(TEXT), Network::Testnet);
        assert_eq!(conf.rpcport, None);
        assert_eq!(conf.rpccookiefile, Some(PathBuf::from("/tmp/c")));
    }

    #[test]
    fn files_include_others() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
        write(
            "bitcoin.conf",
            "includeconf=more.conf\nincludeconf=bitcoin.conf\n",
        );
        write("more.conf", "rpcpassword=x\n");
        let conf = Conf::read(dir.path(), Network::Regtest);
        assert_eq!(conf.rpcpassword.as_deref(), Some("x"));
        let nothing = Conf::read(&dir.path().join("no"), Network::Regtest);
        assert_eq!(nothing, Conf::default());
    }
}
