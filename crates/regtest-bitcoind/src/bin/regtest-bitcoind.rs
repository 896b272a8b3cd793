//! The daemon: a private regtest chain in bitcoind's clothes.

use anyhow::{Context, anyhow};
use regtest_bitcoind::server::options::Options;
use regtest_bitcoind::server::run::{KNOWN_OPTIONS, run, version_line};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode, Stdio};

const USAGE: &str = "Usage: bitcoind -regtest [options]

  -datadir=<dir>     where chain, wallets and log are kept (default: ~/.bitcoin)
  -conf=<file>       configuration file (default: bitcoin.conf in the data directory)
  -inmemory          keep nothing on disk but the cookie
  -daemon            go to the background; -daemonwait waits until it is ready
  -rpcport=<port>    (default: 18443)   -rpcbind=<addr>
  -rpcuser=<user>    -rpcpassword=<pw>  -rpcauth=<userpw>  -rpccookiefile=<loc>
  -fallbackfee=<amt> fee rate of the wallet in BTC/kvB (default: 0.00001)
  -wallet=<name>     load a wallet at the start; -nowallet: make none on demand
  -addresstype=<t>   legacy, p2sh-segwit, bech32 (default) or bech32m
  -minrelaytxfee, -incrementalrelayfee, -dustrelayfee, -blockmintxfee=<amt>
  -acceptnonstdtxn, -limitancestorcount=<n>, -limitdescendantcount=<n>, ...
Other options of bitcoind are accepted and have no effect.
";

fn print(text: &str) {
    // A closed standard output is nobody's loss.
    let _closed = std::io::stdout().write_all(text.as_bytes());
}

fn main() -> ExitCode {
    match start() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _closed = writeln!(std::io::stderr(), "Error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn start() -> anyhow::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let mut options = Options::from_words(words.iter().cloned());
    if let Some(word) = options.words.first() {
        return Err(anyhow!(
            "Command line contains unexpected token '{word}', see bitcoind -h for a list of options."
        ));
    }
    if options.flag("version", false) {
        print(&format!("{}\n", version_line("daemon")));
        return Ok(());
    }
    if ["?", "h", "help"]
        .iter()
        .any(|name| options.flag(name, false))
    {
        print(&format!("{}\n\n{USAGE}", version_line("daemon")));
        return Ok(());
    }
    if let Some(name) = options.unknown(KNOWN_OPTIONS) {
        return Err(anyhow!(
            "Error parsing command line arguments: Invalid parameter -{name}"
        ));
    }
    options.read_config().map_err(|why| anyhow!(why))?;
    let wait = options.flag("daemonwait", false);
    if wait || options.flag("daemon", false) {
        return go_to_background(&words, wait);
    }
    run(&options).map_err(|why| anyhow!(why))
}

/// Starts this program again without a terminal. With `wait`, returns once it is ready.
fn go_to_background(words: &[String], wait: bool) -> anyhow::Result<()> {
    print("Bitcoin Core starting\n");
    let program = std::env::current_exe().context("finding this program's file")?;
    let stdout = if wait { Stdio::piped() } else { Stdio::null() };
    let mut child = Command::new(program)
        .args(words)
        .args(["-daemon=0", "-daemonwait=0"])
        .arg(if wait {
            "-printtoconsole=1"
        } else {
            "-printtoconsole=0"
        })
        .stdin(Stdio::null())
        .stdout(stdout)
        .stderr(if wait {
            Stdio::inherit()
        } else {
            Stdio::null()
        })
        .process_group(0)
        .spawn()
        .context("starting the background process")?;
    let Some(stdout) = child.stdout.take() else {
        return Ok(());
    };
    let ready = BufReader::new(stdout).lines().map_while(Result::ok);
    if ready.into_iter().any(|line| line.ends_with("Done loading")) {
        return Ok(());
    }
    Err(anyhow!("the background process ended before it was ready"))
}
