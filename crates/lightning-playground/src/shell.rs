//! A shell in which the commands are at hand.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::playground::Playground;
use crate::screen;

const WELCOME: &str = "
The nodes and the chain go on. In this shell:

  l1 getinfo            l1 and l2 are lightning-cli for the two nodes
  l1 help               what they can do
  btc -generate 1       btc is bitcoin-cli; this makes a block
  exit                  ends everything

";

/// Runs the person's shell until it ends.
pub(crate) fn run(playground: &Playground) -> Result<()> {
    let bin = playground.dir().join("bin");
    screen::print(WELCOME);
    screen::print(&format!(
        "Files and logs: {}\n\n",
        playground.dir().display()
    ));
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
        .status()
        .with_context(|| format!("can't start {}", shell.display()))?;
    Ok(())
}
