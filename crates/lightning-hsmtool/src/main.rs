//! `lightning-hsmtool`: what can be done with a node's `hsm_secret` while no node runs.
//!
//! Exit codes are Core Lightning's: 2 wrong usage, 5 nothing found or no match, 20 trouble with a file.
//!
//! Invariants: no secret is read from the command line; a file with a secret is never without its whole content, and none is
//! overwritten by another.

mod channels;
mod convert;
mod descriptors;
mod failure;
mod files;
mod print;
mod rune;

use std::io::{self, Write};
use std::process::ExitCode;

use lexopt::prelude::*;

use crate::failure::Failure;

/// The text of `--help`.
const USAGE: &str = "\
Usage: lightning-hsmtool <method> [<arguments>...]

Works on the file hsm_secret of a node, which should not be running. Passphrases are asked for.

What a secret gives:
  getnodeid <hsm_secret>                        the node's id: is it the right secret?
  getsecret <hsm_secret> [<id>]                 the words; of an old 32-byte secret a codex32 string with this id of four letters
  getcodexsecret <hsm_secret> <id>              the same, for old secrets only
  makerune <hsm_secret>                         the node's first rune, which allows everything
  dumponchaindescriptors [--show-secrets] <hsm_secret> [<network>]
                                                descriptors of the on-chain wallet, to watch or (with secrets) to spend its coins
  dumpcommitments <node id> <channel dbid> <depth> <hsm_secret>
                                                our per-commitment secrets and points in a channel
When the database is lost:
  derivetoremote <node id> <channel dbid> [<commitment point>] <hsm_secret>
                                                the key of what the peer's unilateral close pays us
  guesstoremote <address> <node id> <max channel dbid> <hsm_secret>
                                                the same by trying all channels up to this one
  getemergencyrecover <emergency.recover>       that file as text, for the command emergencyrecover
Making and changing secrets:
  generatehsm <hsm_secret> [en <words> [<passphrase>]]
                                                a new file from words that you have, asked for where not given
  checkhsm <hsm_secret>                         whether words on paper are those of the file
  encrypt <hsm_secret>                          puts an old 32-byte secret under a passphrase
  decrypt <hsm_secret>                          takes the passphrase of an encrypted old secret away

  -h, --help     this text
  -V, --version  the version
";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.exit(),
    }
}

fn run() -> Result<(), Failure> {
    let mut arguments = lexopt::Parser::from_env();
    let mut words = Vec::new();
    let mut show_secrets = false;
    while let Some(argument) = arguments.next().map_err(usage_of)? {
        match argument {
            Short('h') | Long("help") => return print(USAGE.trim_end()),
            Short('V') | Long("version") => return print(ln_daemon::VERSION),
            Long("show-secrets") => show_secrets = true,
            Value(word) => words.push(word.string().map_err(usage_of)?),
            Short(_) | Long(_) => return Err(usage_of(argument.unexpected())),
        }
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    if show_secrets && words.first() != Some(&"dumponchaindescriptors") {
        return Err(Failure::Usage(
            "--show-secrets belongs to dumponchaindescriptors".to_owned(),
        ));
    }
    match words.as_slice() {
        ["getnodeid", file] => print(&print::node_id(file)?),
        ["getsecret", file] => print(&print::secret(file, None)?),
        ["getsecret", file, id] => print(&print::secret(file, Some(id))?),
        ["getcodexsecret", file, id] => print(&print::codex_secret(file, id)?),
        ["getemergencyrecover", file] => print(&print::emergency_recover(file)?),
        ["makerune", file] => print(&rune::first_rune(file)?),
        ["dumponchaindescriptors", file] => {
            print(&descriptors::dump(file, "bitcoin", show_secrets)?)
        }
        ["dumponchaindescriptors", file, network] => {
            print(&descriptors::dump(file, network, show_secrets)?)
        }
        ["dumpcommitments", id, dbid, depth, file] => {
            channels::dump_commitments(id, dbid, depth, file)
        }
        ["derivetoremote", id, dbid, file] => print(&channels::to_remote(id, dbid, None, file)?),
        ["derivetoremote", id, dbid, point, file] => {
            print(&channels::to_remote(id, dbid, Some(point), file)?)
        }
        ["guesstoremote", address, id, max, file] => {
            print(&channels::guess_to_remote(address, id, max, file)?)
        }
        ["generatehsm", file] => print(&convert::generate(file, None, None)?),
        ["generatehsm", file, "en", mnemonic] => {
            print(&convert::generate(file, Some(mnemonic), None)?)
        }
        ["generatehsm", file, "en", mnemonic, passphrase] => {
            print(&convert::generate(file, Some(mnemonic), Some(passphrase))?)
        }
        ["generatehsm", _, language, ..] => Err(Failure::Usage(format!(
            "the language '{language}' is not read by nodes: only en, the English list of BIP 39"
        ))),
        ["checkhsm", file] => print(&convert::check(file)?),
        ["encrypt", file] => print(&convert::encrypt(file)?),
        ["decrypt", file] => print(&convert::decrypt(file)?),
        ["encrypt" | "decrypt", _, _] => Err(Failure::Usage(
            "the passphrase is asked for: on the command line others could see it".to_owned(),
        )),
        [] => Err(Failure::Usage("which method?".to_owned())),
        [method, ..] if is_method(method) => {
            Err(Failure::Usage(format!("'{method}' takes other arguments")))
        }
        [method, ..] => Err(Failure::Usage(format!("there is no method '{method}'"))),
    }
}

/// Whether the usage text tells of a method.
fn is_method(word: &str) -> bool {
    USAGE.lines().any(|line| {
        line.strip_prefix("  ")
            .and_then(|line| line.split(' ').next())
            == Some(word)
    })
}

fn usage_of(error: lexopt::Error) -> Failure {
    Failure::Usage(error.to_string())
}

/// Writes an answer.
fn print(text: &str) -> Result<(), Failure> {
    writeln!(io::stdout().lock(), "{text}").map_err(Failure::Output)
}
