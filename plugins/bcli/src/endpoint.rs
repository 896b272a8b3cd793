//! Where bitcoind is and how to be let in: options first, then bitcoin.conf, then what bitcoind itself assumes.

use std::path::PathBuf;

use ln_types::Network;

use crate::conf::{Conf, subdirectory};
use crate::credentials::Credentials;
use crate::options::Options;

/// Where bitcoind is and how to be let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) credentials: Credentials,
    /// How many calls bitcoind serves at a time, if bitcoin.conf says so.
    pub(crate) rpc_threads: Option<u32>,
}

impl Endpoint {
    /// Works them out; a text says what is wrong.
    pub(crate) fn new(options: &Options, network: Network) -> Result<Self, String> {
        let default_datadir = || {
            let home = std::env::var_os("HOME").unwrap_or_default();
            PathBuf::from(home).join(".bitcoin")
        };
        let given = options.datadir.clone();
        let conf_dir = given.clone().unwrap_or_else(default_datadir);
        let conf = Conf::read(&conf_dir, network);
        let datadir = given.or(conf.datadir.clone()).unwrap_or(conf_dir);
        let connect = options.rpcconnect.clone().or(conf.rpcconnect.clone());
        let connect = connect.unwrap_or_else(|| "127.0.0.1".to_owned());
        let (host, own_port) = split_port(&connect)?;
        let conf_port = match &conf.rpcport {
            None => None,
            Some(text) => Some(port(text)?),
        };
        Ok(Self {
            host: host.to_owned(),
            port: options
                .rpcport
                .or(conf_port)
                .or(own_port)
                .unwrap_or(network.rpc_port()),
            credentials: credentials(options, &conf, &datadir.join(subdirectory(network))),
            rpc_threads: conf.rpcthreads.and_then(|text| text.parse().ok()),
        })
    }

    /// How bitcoin-cli would be called: for messages, without secrets.
    pub(crate) fn command_line(options: &Options, network: Network) -> String {
        let mut words = vec![
            options
                .cli
                .clone()
                .unwrap_or_else(|| "bitcoin-cli".to_owned()),
        ];
        if network != Network::Bitcoin {
            words.push(format!("-{network}"));
        }
        if let Some(datadir) = &options.datadir {
            words.push(format!("-datadir={}", datadir.display()));
        }
        words.push(format!(
            "-rpcclienttimeout={}",
            options.client_timeout.as_secs()
        ));
        if let Some(host) = &options.rpcconnect {
            words.push(format!("-rpcconnect={host}"));
        }
        if let Some(port) = options.rpcport {
            words.push(format!("-rpcport={port}"));
        }
        if options.rpcuser.is_some() {
            words.push("-rpcuser=...".to_owned());
        }
        if options.rpcpassword.is_some() {
            words.push("-stdinrpcpass".to_owned());
        }
        words.join(" ")
    }
}

/// Without a password the cookie is used, whatever the user.
fn credentials(options: &Options, conf: &Conf, directory: &std::path::Path) -> Credentials {
    let password = options.rpcpassword.clone().or(conf.rpcpassword.clone());
    let user = options.rpcuser.clone().or(conf.rpcuser.clone());
    match password.filter(|password| !password.is_empty()) {
        Some(password) => Credentials::Password {
            user: user.unwrap_or_default(),
            password,
        },
        None => {
            let file = conf.rpccookiefile.clone();
            Credentials::Cookie(directory.join(file.unwrap_or_else(|| PathBuf::from(".cookie"))))
        }
    }
}

fn port(text: &str) -> Result<u16, String> {
    text.parse()
        .map_err(|_| format!("rpcport '{text}' in bitcoin.conf is no port"))
}

/// `host`, `host:port`, `[v6]:port` or a bare IPv6 address.
fn split_port(text: &str) -> Result<(&str, Option<u16>), String> {
    if let Some(rest) = text.strip_prefix('[') {
        let (host, rest) = rest
            .split_once(']')
            .ok_or_else(|| format!("rpcconnect '{text}' has no ']'"))?;
        return match rest.strip_prefix(':') {
            Some(number) => Ok((host, Some(port(number)?))),
            None => Ok((host, None)),
        };
    }
    match text.split_once(':') {
        Some((host, number)) if !number.contains(':') => Ok((host, Some(port(number)?))),
        Some(_) | None => Ok((text, None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_may_carry_a_port() {
        assert_eq!(split_port("a"), Ok(("a", None)));
        assert_eq!(split_port("a:1"), Ok(("a", Some(1))));
        assert_eq!(split_port("::1"), Ok(("::1", None)));
        assert_eq!(split_port("[::1]:7"), Ok(("::1", Some(7))));
        assert!(split_port("a:x").is_err());
    }

    #[test]
    fn options_go_before_bitcoin_conf_and_that_before_defaults() {
        let dir = tempfile::tempdir().unwrap();
        let mut options = Options {
            datadir: Some(dir.path().to_owned()),
            ..Options::default()
        };
        let endpoint = Endpoint::new(&options, Network::Regtest).unwrap();
        assert_eq!((&*endpoint.host, endpoint.port), ("127.0.0.1", 18443));
        let cookie = dir.path().join("regtest/.cookie");
        assert_eq!(endpoint.credentials, Credentials::Cookie(cookie));

        let text = "rpcuser=u\nrpcpassword=p\nrpcthreads=2\n[regtest]\nrpcport=5\nrpcconnect=h:6\n";
        std::fs::write(dir.path().join("bitcoin.conf"), text).unwrap();
        let endpoint = Endpoint::new(&options, Network::Regtest).unwrap();
        assert_eq!((&*endpoint.host, endpoint.port), ("h", 5));
        assert_eq!(endpoint.rpc_threads, Some(2));
        let header = endpoint.credentials.header().unwrap();
        assert_eq!(header, "Basic dTpw");

        options.rpcport = Some(9);
        options.rpcpassword = Some("q".to_owned());
        let endpoint = Endpoint::new(&options, Network::Regtest).unwrap();
        assert_eq!(endpoint.port, 9);
        assert_eq!(endpoint.credentials.header().unwrap(), "Basic dTpx");
        assert_eq!(
            Endpoint::command_line(&options, Network::Regtest),
            format!(
                "bitcoin-cli -regtest -datadir={} -rpcclienttimeout=0 -rpcport=9 -stdinrpcpass",
                dir.path().display()
            )
        );
    }
}
