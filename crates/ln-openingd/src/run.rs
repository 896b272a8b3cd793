//! The process.

use ln_daemon::{FD_HSM, FD_PEER, Helper, Shell, inherited};
use ln_hsmd::client::HsmClient;
use ln_ipc::PeerStream;
use ln_ipc::openingd::ToOpeningd;

use crate::Openingd;

/// lightning_openingd: ends with the process's code 0 when the opening is through or has failed, 1 when a neighbour process is gone.
pub fn run() {
    let mut shell = Shell::start("lightning_openingd");
    let peer = PeerStream::new(inherited(FD_PEER, "the peer"));
    let hsmd = inherited(FD_HSM, "hsmd");
    shell.confine(Helper::Openingd);
    let init = match shell.recv() {
        Ok(ToOpeningd::Init(init)) => init,
        Ok(other) => shell.fail(format!("{} before init", other.name())),
        Err(_) => std::process::exit(1),
    };
    let signer = HsmClient::new(hsmd, init.basepoints);
    if Openingd::new(shell, peer, Box::new(signer), init)
        .run()
        .is_err()
    {
        std::process::exit(1);
    }
}
