//! Nodes on a private chain to play with: connected and with coins, drawn on a web page; or shown command by command.
//!
//! Everything runs as a person would run it: `lightningd`, `lightning-cli` and a bitcoind, each found beside this program, with files of
//! their own. The page is a plugin of the first node (`plugins/playground-view`).
//!
//! Invariants: only processes started here are ended, and all of them are, however this program ends, if it is killed as well; nothing is
//! written outside of one directory, which is removed at the end, or by `--clean` if there was no chance to. Playgrounds do not know of each
//! other and can't get in each other's way.

mod arrange;
mod clean;
mod cli;
mod demo;
mod directory;
mod guard;
mod interrupt;
mod owner;
mod playground;
mod programs;
mod screen;
mod shape;
mod shell;
mod shorten;

use std::process::ExitCode;

use anyhow::Result;

use crate::cli::{Order, Wishes};
use crate::playground::Playground;
use crate::screen::Screen;

/// The word on the command line with which this program is the plugin that draws.
const VIEW: &str = "view";

fn exit_code(code: i32) -> ExitCode {
    u8::try_from(code).map_or(ExitCode::FAILURE, ExitCode::from)
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let done = match words.as_slice() {
        [word, rest @ ..] if word == guard::WORD => guard::run(rest),
        [word, ..] if word == VIEW => return exit_code(playground_view::run()),
        words => run(words),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            screen::complain(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[String]) -> Result<()> {
    let wishes = match Order::read(words)? {
        Order::Usage => {
            screen::print(cli::USAGE);
            return Ok(());
        }
        Order::Clean(dir) => return clean::run(dir.as_deref()),
        Order::Play(wishes) => wishes,
    };
    interrupt::listen()?;
    let mut playground = Playground::new(Screen::new(), &wishes)?;
    let played = play(&mut playground, &wishes);
    if played.is_err() && !interrupt::came() {
        playground.show_logs();
    }
    let ended = playground.end();
    played.and(ended)
}

fn play(playground: &mut Playground, wishes: &Wishes) -> Result<()> {
    if wishes.talk {
        demo::run(playground)?;
        if !wishes.stay && wishes.nodes == 2 {
            return Ok(());
        }
    }
    arrange::run(playground, wishes.shape)?;
    if wishes.stay {
        shell::run(playground)
    } else if wishes.talk {
        Ok(())
    } else {
        shell::hold(playground)
    }
}
