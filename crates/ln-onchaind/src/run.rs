//! The process.

use std::os::fd::RawFd;

use ln_channel::ChannelState;
use ln_codec::Decode;
use ln_daemon::{Helper, Shell, inherited};
use ln_hsmd::client::HsmClient;
use ln_ipc::onchaind::ToOnchaind;

use crate::{End, Onchaind};

/// hsmd: this daemon has no peer, so hsmd comes first.
const FD_HSM: RawFd = 3;

/// lightning_onchaind: ends with the process's code 0 when lightningd closes its socket after the channel is resolved, 1 when a
/// neighbour process is gone before.
pub fn run() {
    let mut shell = Shell::start("lightning_onchaind");
    let hsmd = inherited(FD_HSM, "hsmd");
    shell.confine(Helper::Onchaind);
    let init = match shell.recv() {
        Ok(ToOnchaind::Init(init)) => init,
        Ok(other) => shell.fail(format!("{} before init", other.name())),
        Err(_) => std::process::exit(1),
    };
    let state = match ChannelState::from_bytes(&init.state.0) {
        Ok(state) => state,
        Err(error) => shell.fail(format!("the channel's state can't be read: {error}")),
    };
    let signer = HsmClient::new(hsmd, state.params.sides.local.basepoints);
    let end = Onchaind::start(shell, &signer, init, &state).and_then(Onchaind::serve);
    match end {
        Ok(End::Resolved) => {}
        Ok(End::Abandoned) | Err(_) => std::process::exit(1),
    }
}
