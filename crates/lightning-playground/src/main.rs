//! Two nodes on a private chain: shows them paying each other, command by command, and leaves a shell to play with on request.
//!
//! Everything is done with the programs a person would use: `lightningd`, `lightning-cli` and a bitcoind, each found beside this
//! program. Invariants: only processes started here are ended, and all of them are, also after ctrl-c; nothing is written outside
//! of one temporary directory.

mod demo;
mod interrupt;
mod playground;
mod programs;
mod screen;
mod shell;
mod shorten;

use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::playground::Playground;
use crate::screen::Screen;

const USAGE: &str = "\
Usage: lightning-playground demo [OPTIONS]

Starts a private chain and two nodes, l1 and l2, and shows them opening a channel, paying and closing it.

  --stay   then leave a shell with the commands l1, l2 and btc
  --keep   keep the directory with the nodes' files and logs
  --help   this text

With BITCOIND=/path/to/bitcoind that program runs the chain instead of our own small one.
";

/// What the command line asks for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Wishes {
    stay: bool,
    keep: bool,
}

fn main() -> ExitCode {
    let screen = Screen::new();
    match run(&screen) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            screen::complain(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(screen: &Screen) -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let Some(wishes) = wishes(&words)? else {
        screen::print(USAGE);
        return Ok(());
    };
    interrupt::listen()?;
    let mut playground = Playground::new(screen.clone(), wishes.keep)?;
    let shown = demo::run(&mut playground).and_then(|()| {
        if wishes.stay {
            shell::run(&playground)?;
        }
        Ok(())
    });
    if shown.is_err() {
        playground.show_logs();
    }
    let ended = playground.end();
    shown.and(ended)
}

/// Reads the command line; `None` if it asks for the usage.
fn wishes(words: &[String]) -> Result<Option<Wishes>> {
    let mut wishes = Wishes::default();
    let mut demo = false;
    for word in words {
        match word.as_str() {
            "demo" if !demo => demo = true,
            "--stay" => wishes.stay = true,
            "--keep" => wishes.keep = true,
            "-h" | "--help" => return Ok(None),
            other => bail!("unknown argument '{other}'\n\n{USAGE}"),
        }
    }
    Ok(demo.then_some(wishes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_read() {
        let words = |text: &str| {
            text.split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        assert_eq!(wishes(&words("demo")).unwrap(), Some(Wishes::default()));
        let all = Wishes {
            stay: true,
            keep: true,
        };
        assert_eq!(wishes(&words("demo --stay --keep")).unwrap(), Some(all));
        assert_eq!(wishes(&words("")).unwrap(), None);
        assert_eq!(wishes(&words("demo --help")).unwrap(), None);
        assert!(wishes(&words("demo demo")).is_err());
        assert!(wishes(&words("demo --fast")).is_err());
    }
}
