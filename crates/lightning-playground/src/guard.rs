//! A process that dies with this program, however that ends.
//!
//! The kernel sends a process a signal when its parent dies, if the process has asked for it. What is started here is started through
//! this program itself, which asks and then becomes the other.

use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use rustix::process::{Signal, getppid, set_parent_process_death_signal};

/// The word on the command line.
pub(crate) const WORD: &str = "guard";

/// A command that runs `program` in this way. The thread that starts it must live as long as the process should.
pub(crate) fn command(program: &Path, words: &[String]) -> Result<Command> {
    let own = std::env::current_exe().context("can't tell where this program is")?;
    let mut command = Command::new(own);
    command
        .arg(WORD)
        .arg(std::process::id().to_string())
        .arg(program)
        .args(words);
    Ok(command)
}

/// Becomes the program that `words` name: the parent's id, the program, its arguments.
pub(crate) fn run(words: &[String]) -> Result<()> {
    let [parent, program, arguments @ ..] = words else {
        bail!("{WORD} is for this program's own use");
    };
    set_parent_process_death_signal(Some(Signal::KILL))?;
    // It may have died before.
    let now = getppid().map_or(0, |pid| pid.as_raw_nonzero().get());
    ensure!(now.to_string() == *parent, "the playground has ended");
    let error = Command::new(program).args(arguments).exec();
    Err(error).with_context(|| format!("can't start {program}"))
}
