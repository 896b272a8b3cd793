//! `bolt11-cli`: reads and writes BOLT 11 invoices, without a node.
//!
//! Exit codes: 0 done, 1 the text is not an invoice, 2 the answer can't be written, 3 wrong usage.

mod encode;
mod show;

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use lexopt::prelude::*;
use ln_invoice::{Expectations, canonical, decode};

/// The text of `--help`.
const USAGE: &str = "\
Usage: bolt11-cli decode [--hashed-description <text>] <bolt11>
       bolt11-cli encode <privkey> <field>=<value>...

decode shows what an invoice says, after its signature was checked; with --hashed-description also whether that is the text
behind its description hash.

encode prints an invoice signed with the private key (64 hex digits; anybody who sees your command line sees it too):
  currency=<prefix>    bc, tb, tbs or bcrt (default: bcrt)
  amount=<amount>      1000, 10sat, 0.042btc; a bare number is millisatoshi (default: any amount)
  timestamp=<seconds>  since 1970 (default: now)
  p=<hash>             payment hash, 64 hex digits; needed
  s=<secret>           payment secret, 64 hex digits; needed
  d=<text>             description; this or h is needed
  h=<hash>             SHA256 of a description, 64 hex digits
  m=<hex>              payment metadata
  n=true               writes out the payee's key
  x=<seconds>          expiry (default: 3600)
  c=<blocks>           min_final_cltv_expiry (default: 18)
  f=<address>          on-chain fallback; may be repeated
  r=<hop>,...          route of hops <id>/<scid>/<base>/<ppm>/<delta>; may be repeated
  9=<hex>              feature bits
  <number>=<hex>       any other field, by the number of its letter in ASCII, one byte for each five-bit word; may be repeated

  -h, --help           this text
  -V, --version        the version
";

/// Why there is nothing to print.
enum Failure {
    /// The command line makes no sense.
    Usage(String),
    /// The invoice doesn't.
    Invoice(String),
    /// Nobody takes the answer.
    Output(io::Error),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl From<lexopt::Error> for Failure {
    fn from(error: lexopt::Error) -> Self {
        Self::Usage(error.to_string())
    }
}

fn main() -> ExitCode {
    let (code, message) = match run() {
        Ok(()) => return ExitCode::SUCCESS,
        // What a shell shows for a program that a closed pipe ended.
        Err(Failure::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            return 141.into();
        }
        Err(Failure::Output(error)) => (2, format!("can't write the answer: {error}")),
        Err(Failure::Invoice(problem)) => (1, problem),
        Err(Failure::Usage(problem)) => {
            (3, format!("{problem}\n(\"bolt11-cli --help\" shows how)"))
        }
    };
    // If this can't be written either, the exit code has to do.
    let _ = writeln!(io::stderr(), "bolt11-cli: {message}");
    code.into()
}

fn run() -> Result<(), Failure> {
    let mut arguments = lexopt::Parser::from_env();
    let mut words = Vec::new();
    let mut hashed = None;
    let mut out = io::stdout().lock();
    while let Some(argument) = arguments.next()? {
        match argument {
            Short('h') | Long("help") => return Ok(out.write_all(USAGE.as_bytes())?),
            Short('V') | Long("version") => return Ok(writeln!(out, "{}", ln_daemon::VERSION)?),
            Long("hashed-description") => hashed = Some(arguments.value()?.string()?),
            Value(word) => words.push(word.string()?),
            Short(_) | Long(_) => return Err(argument.unexpected().into()),
        }
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["decode", text] => {
            let wanted = Expectations {
                description: hashed.as_deref(),
                ..Expectations::default()
            };
            let invoice = decode(&canonical(text), &wanted)
                .map_err(|error| Failure::Invoice(error.to_string()))?;
            Ok(out.write_all(show::show(&invoice).as_bytes())?)
        }
        ["encode", key, fields @ ..] => {
            let invoice = encode::encode(key, fields, now()).map_err(Failure::Usage)?;
            Ok(writeln!(out, "{invoice}")?)
        }
        ["decode"] => usage("which invoice?"),
        ["decode", ..] => usage("decode takes one invoice"),
        ["encode"] => usage("encode needs a private key and fields"),
        [] => usage("decode or encode?"),
        [other, ..] => usage(&format!(
            "'{other}' is no command: there are decode and encode"
        )),
    }
}

fn usage(problem: &str) -> Result<(), Failure> {
    Err(Failure::Usage(problem.to_owned()))
}

fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}
