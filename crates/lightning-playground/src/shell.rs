//! While a person plays: in a shell in which the commands are at hand, or elsewhere.

use std::env;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Child, Command};
use std::thread;

use anyhow::{Context as _, Result};
use rustix::process::Signal;

use crate::directory::PAUSE;
use crate::interrupt;
use crate::playground::{Playground, quote, signal};
use crate::screen;

/// So many commands are told one by one.
const SHOWN_ALIASES: usize = 6;

/// Runs the person's shell until it ends.
pub(crate) fn run(playground: &mut Playground) -> Result<()> {
    write_aliases(playground)?;
    screen::print(&welcome(playground, "exit")?);
    let mut shell = start(playground)?;
    loop {
        if shell.try_wait()?.is_some() {
            return Ok(());
        }
        if interrupt::terminated() {
            signal(&shell, Signal::HUP);
            shell.wait()?;
            return interrupt::check();
        }
        playground.tend()?;
        thread::sleep(PAUSE);
    }
}

/// Waits for ctrl-c.
pub(crate) fn hold(playground: &mut Playground) -> Result<()> {
    write_aliases(playground)?;
    screen::print(&welcome(playground, "ctrl-c")?);
    let bin = playground.dir().join("bin");
    let aliases = playground.dir().join("aliases");
    let mut text = String::from("In another shell:\n\n");
    if playground.nodes().len() <= SHOWN_ALIASES {
        text.push_str(&fs::read_to_string(&aliases)?);
    } else {
        let _infallible = writeln!(text, ". '{}'", aliases.display());
    }
    let _infallible = write!(text, "\nor: PATH='{}':\"$PATH\"\n\n", bin.display());
    screen::print(&text);
    while !interrupt::came() {
        for (name, status) in playground.tend()? {
            screen::print(&format!(
                "{name} has ended ({status}); start {name} starts it again\n"
            ));
        }
        thread::sleep(PAUSE);
    }
    screen::print("\n");
    Ok(())
}

/// What there is to play with.
fn welcome(playground: &Playground, end: &str) -> Result<String> {
    let last = playground.nodes().len();
    let nodes = match last {
        1 => "l1 is".to_owned(),
        2 => "l1 and l2 are".to_owned(),
        _ => format!("l1 to l{last} are"),
    };
    let whom = if last == 1 { "the node" } else { "the nodes" };
    let mut text = format!(
        "
The nodes and the chain go on.

  l1 getinfo            {nodes} lightning-cli for {whom}
  l1 help               what they can do
  btc -generate 1       btc is bitcoin-cli; this makes a block
  l1 stop               ends a node,
  start l1              and starts it again; options of lightningd may follow
  {end:<22}ends everything

"
    );
    if let Some(page) = playground.page()? {
        let _infallible = writeln!(text, "Page:            {page}");
    }
    let _infallible = writeln!(text, "Files and logs:  {}\n", playground.dir().display());
    Ok(text)
}

/// A file with an alias for every command.
fn write_aliases(playground: &Playground) -> Result<()> {
    let bin = playground.dir().join("bin");
    let nodes = playground.nodes().iter().map(|node| node.name.as_str());
    let mut text = String::new();
    for name in nodes.chain(["btc", "start"]) {
        let command = quote(&bin.join(name).display().to_string());
        let _infallible = writeln!(text, "alias {name}={command}");
    }
    fs::write(playground.dir().join("aliases"), text).context("can't write to the playground")
}

fn start(playground: &Playground) -> Result<Child> {
    let bin = playground.dir().join("bin");
    let shell = env::var_os("SHELL").unwrap_or_else(|| "/bin/sh".into());
    let mut command = Command::new(&shell);
    if Path::new(&shell)
        .file_name()
        .is_some_and(|name| name == "bash")
    {
        // The person's own start file may set PATH anew.
        let start_file = playground.dir().join("bashrc");
        let path = bin.display();
        let text = format!(
            "[ -r ~/.bashrc ] && . ~/.bashrc\nPATH='{path}':\"$PATH\"\nPS1='playground$ '\n"
        );
        fs::write(&start_file, text)?;
        command.arg("--rcfile").arg(start_file);
    }
    let mut path = OsString::from(&bin);
    if let Some(usual) = env::var_os("PATH") {
        path.push(":");
        path.push(usual);
    }
    command
        .env("PATH", path)
        .spawn()
        .with_context(|| format!("can't start {}", shell.display()))
}
