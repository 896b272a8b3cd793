//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use lexopt::prelude::*;
use ln_rpc::jsonrpc::LogLevel;
use ln_types::Network;

use crate::output::Format;
use crate::plugin_new;

/// The text of `--help`.
pub(crate) const USAGE: &str = "\
Usage: lightning-cli [OPTIONS] <command> [<params>...]

Sends a command to a running lightningd and prints its answer. \"lightning-cli help\" lists the commands.

\"lightning-cli plugin new NAME --lang python|rust|shell\" needs no node: it writes a plugin to begin with.

Which node:
      --lightning-dir <dir>      its base directory (default: ~/.lightning)
      --network <name>           bitcoin (default), testnet, testnet4, signet or regtest
      --mainnet, --testnet, --testnet4, --signet, --regtest
                                 the same as --network
      --conf <file>              its configuration file
      --rpc-file <path>          its socket (default: lightning-rpc in the directory of the network)
What to send:
  -k, --keywords                 parameters are key=value (default if the first contains a '=')
  -o, --order                    parameters are in order
  -l, --filter <json>            which parts of the answer to get
  -c, --commando <peer>[:<rune>] send the command to that peer
What to show:
  -J, --json                     indented JSON (default, except for help)
  -R, --raw                      JSON as it came
  -H, --human-readable           plain lines
  -F, --flat                     one path=value per line
  -N, --notifications <level>    io, trace, debug, info (default), unusual, broken or none
  -h, --help                     this text
  -V, --version                  the version
";

/// How parameters are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Input {
    Keywords,
    Ordered,
}

/// Another node that is to run the command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Commando {
    pub(crate) peer_id: String,
    pub(crate) rune: Option<String>,
}

/// What was said about where the node is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct PlaceOptions {
    pub(crate) conf: Option<PathBuf>,
    pub(crate) lightning_dir: Option<PathBuf>,
    pub(crate) network: Option<Network>,
    pub(crate) rpc_file: Option<PathBuf>,
}

/// A command line that asks a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) place: PlaceOptions,
    pub(crate) format: Option<Format>,
    pub(crate) input: Option<Input>,
    pub(crate) level: Option<LogLevel>,
    pub(crate) filter: Option<String>,
    pub(crate) commando: Option<Commando>,
    pub(crate) method: Option<String>,
    pub(crate) params: Vec<String>,
    /// The language of a new plugin.
    pub(crate) lang: Option<String>,
}

/// What a command line asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Parsed {
    Run(Box<Options>),
    Help,
    Version,
}

/// Reads the command line; the error says what is wrong with it.
pub(crate) fn parse(parser: lexopt::Parser) -> Result<Parsed, String> {
    read(parser).map_err(|error| {
        format!("{error}\n(\"lightning-cli --help\" shows the options; put -- before parameters that begin with -)")
    })
}

fn read(mut parser: lexopt::Parser) -> Result<Parsed, lexopt::Error> {
    let mut options = Options {
        place: PlaceOptions::default(),
        format: None,
        input: None,
        level: Some(LogLevel::Info),
        filter: None,
        commando: None,
        method: None,
        params: Vec::new(),
        lang: None,
    };
    while let Some(argument) = parser.next()? {
        match argument {
            Short('h') | Long("help") => return Ok(Parsed::Help),
            Short('V') | Long("version") => return Ok(Parsed::Version),
            Short('J') | Long("json") => options.format = Some(Format::Json),
            Short('R') | Long("raw") => options.format = Some(Format::Raw),
            Short('H') | Long("human-readable") => options.format = Some(Format::Human),
            Short('F') | Long("flat") => options.format = Some(Format::Flat),
            Short('k') | Long("keywords") => options.input = Some(Input::Keywords),
            Short('o') | Long("order") => options.input = Some(Input::Ordered),
            Short('l') | Long("filter") => options.filter = Some(parser.value()?.string()?),
            Short('N') | Long("notifications") => {
                options.level = level(&parser.value()?.string()?)?;
            }
            Short('c') | Long("commando") => {
                options.commando = Some(commando(&parser.value()?.string()?)?);
            }
            Long("lang") if is_new_plugin(&options) => {
                options.lang = Some(parser.value()?.string()?);
            }
            Value(word) if options.method.is_none() => options.method = Some(word.string()?),
            Value(word) => options.params.push(word.string()?),
            Long("conf") => options.place.conf = Some(path(parser.value()?)),
            Long("lightning-dir") => options.place.lightning_dir = Some(path(parser.value()?)),
            Long("rpc-file") => options.place.rpc_file = Some(path(parser.value()?)),
            Long("network") => options.place.network = Some(network(&parser.value()?.string()?)?),
            Long(name @ ("mainnet" | "testnet" | "testnet4" | "signet" | "regtest")) => {
                options.place.network = Some(network(name)?);
            }
            Short(_) | Long(_) => return Err(argument.unexpected()),
        }
    }
    Ok(Parsed::Run(Box::new(options)))
}

/// Whether `plugin new` was said.
fn is_new_plugin(options: &Options) -> bool {
    plugin_new::is_wanted(
        options.method.as_deref().unwrap_or_default(),
        &options.params,
    )
}

fn path(value: OsString) -> PathBuf {
    PathBuf::from(value)
}

fn network(name: &str) -> Result<Network, lexopt::Error> {
    name.parse()
        .map_err(|error: ln_types::UnknownNetwork| error.to_string().into())
}

fn level(name: &str) -> Result<Option<LogLevel>, lexopt::Error> {
    if name == "none" {
        return Ok(None);
    }
    LogLevel::from_name(name).map(Some).ok_or_else(|| {
        format!("'{name}' is no level: use io, trace, debug, info, unusual, broken or none").into()
    })
}

fn commando(text: &str) -> Result<Commando, lexopt::Error> {
    let (peer_id, rune) = text
        .split_once(':')
        .map_or((text, None), |(peer_id, rune)| (peer_id, Some(rune)));
    if peer_id.len() != 66 || !peer_id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(format!("'{peer_id}' is no peer id: it must have 66 hex digits").into());
    }
    Ok(Commando {
        peer_id: peer_id.to_owned(),
        rune: rune.map(ToOwned::to_owned),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &[&str]) -> Result<Options, String> {
        match parse(lexopt::Parser::from_args(line))? {
            Parsed::Run(options) => Ok(*options),
            other @ (Parsed::Help | Parsed::Version) => Err(format!("{other:?}")),
        }
    }

    #[test]
    fn options_may_stand_anywhere() {
        let options = parsed(&[
            "--regtest",
            "pay",
            "-k",
            "bolt11=x",
            "--lightning-dir=/x",
            "-N",
            "none",
            "--",
            "-5",
        ])
        .unwrap();
        assert_eq!(options.place.network, Some(Network::Regtest));
        assert_eq!(options.method.as_deref(), Some("pay"));
        assert_eq!(options.params, ["bolt11=x", "-5"]);
        assert_eq!(options.input, Some(Input::Keywords));
        assert_eq!(options.level, None);
    }

    #[test]
    fn wrong_options_are_told() {
        for line in [
            &["--frobnicate"][..],
            &["-5"],
            &["-N", "loud"],
            &["--network=moon"],
            &["-c", "02ab:rune"],
            &["--filter"],
        ] {
            let error = parsed(line).unwrap_err();
            assert!(error.contains("--help"), "{error}");
        }
    }

    #[test]
    fn a_commando_may_have_a_rune() {
        let id = "02".repeat(33);
        let with = parsed(&["-c", &format!("{id}:r=:x")]).unwrap();
        assert_eq!(with.commando.unwrap().rune.as_deref(), Some("r=:x"));
        let without = parsed(&["-c", &id]).unwrap();
        assert_eq!(without.commando.unwrap().rune, None);
    }
}
