//! The process.

use ln_channel::ChannelState;
use ln_codec::Decode;
use ln_daemon::{FD_HSM, FD_PEER, Helper, Shell, inherited};
use ln_hsmd::client::HsmClient;
use ln_ipc::PeerStream;
use ln_ipc::closingd::ToClosingd;

use crate::Closingd;

/// lightning_closingd: ends with the process's code 0 when its work is done or the peer is gone, 1 when a neighbour process is.
pub fn run() {
    let mut shell = Shell::start("lightning_closingd");
    let peer = PeerStream::new(inherited(FD_PEER, "the peer"));
    let hsmd = inherited(FD_HSM, "hsmd");
    shell.confine(Helper::Closingd);
    let init = match shell.recv() {
        Ok(ToClosingd::Init(init)) => init,
        Ok(other) => shell.fail(format!("{} before init", other.name())),
        Err(_) => std::process::exit(1),
    };
    let state = match ChannelState::from_bytes(&init.state.0) {
        Ok(state) => state,
        Err(error) => shell.fail(format!("the channel's state can't be read: {error}")),
    };
    let signer = HsmClient::new(hsmd, state.params.sides.local.basepoints);
    if Closingd::new(shell, peer, Box::new(signer), init, state)
        .run()
        .is_err()
    {
        std::process::exit(1);
    }
}
