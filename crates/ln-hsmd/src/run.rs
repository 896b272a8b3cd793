//! Becoming lightning_hsmd.

use std::os::fd::AsFd;
use std::path::PathBuf;

use ln_daemon::{Home, Shell, inherited};
use rustix::process::{DumpableBehavior, set_dumpable_behavior};

use crate::server::{End, Server};

/// The descriptor lightningd sends its requests on; descriptor 0 carries status only.
const FD_REQUESTS: i32 = 3;

/// Runs hsmd until lightningd is gone.
pub fn run() {
    let shell = Shell::start("lightning_hsmd");
    let developer = std::env::args().any(|argument| argument == "--developer");
    if !developer {
        // No core file of a crash and no debugger of the same user shall show the secret.
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
    std::process::exit(match serve(shell, developer) {
        Ok(End::NoSecret(_)) => 0,
        Ok(End::Failed(_)) => 1,
        Ok(End::MasterGone) => 2,
        Err(_) => 1,
    })
}

fn serve(mut shell: Shell, developer: bool) -> Result<End, ln_ipc::FrameError> {
    let status = shell.as_fd().try_clone_to_owned()?;
    let requests = inherited(FD_REQUESTS, "lightningd's requests");
    match Server::new(
        status,
        requests,
        PathBuf::from("."),
        developer,
        Home::Process,
    ) {
        Ok(server) => Ok(server.serve()),
        Err(error) => shell.fail(format!("connections to lightningd: {error}")),
    }
}
