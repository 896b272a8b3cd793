//! The descriptors a helper is born with.

use std::os::fd::{OwnedFd, RawFd};

/// lightningd.
pub const FD_MASTER: RawFd = 0;
/// The peer, through connectd, for a daemon of one channel.
pub const FD_PEER: RawFd = 3;
/// hsmd, for a daemon of one channel.
pub const FD_HSM: RawFd = 4;

/// Takes over an inherited descriptor, or ends the process: without it the helper was not started by lightningd.
#[expect(clippy::print_stderr, reason = "there is no lightningd to log to")]
pub fn inherited(number: RawFd, what: &str) -> OwnedFd {
    ln_sys::take_inherited_fd(number).unwrap_or_else(|| {
        eprintln!("descriptor {number} ({what}) is not open: this program is started by lightningd, not by hand");
        std::process::exit(2)
    })
}
