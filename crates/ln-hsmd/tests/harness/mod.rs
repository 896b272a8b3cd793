//! hsmd in a thread, and what a test needs to talk to it.

use std::os::fd::OwnedFd;
use std::path::Path;
use std::thread::JoinHandle;

use ln_daemon::Home;
use ln_hsmd::client::MasterClient;
use ln_hsmd::{End, Server};
use ln_ipc::Stream;
use ln_ipc::hsmd::{ChainParams, HsmdInit, HsmdInitTlvs};
use ln_signer::InMemorySigner;
use ln_types::{Network, NodeId};

/// A running hsmd.
pub(crate) struct Hsmd {
    /// lightningd's requests; `None` once lightningd hung up.
    pub(crate) master: Option<MasterClient>,
    /// What hsmd reports.
    pub(crate) status: Stream,
    thread: JoinHandle<End>,
}

impl Hsmd {
    /// Starts hsmd in a directory.
    pub(crate) fn start(directory: &Path, developer: bool) -> Self {
        let (status, status_end) = Stream::pair().unwrap();
        let (requests, requests_end) = Stream::pair().unwrap();
        let directory = directory.to_owned();
        let server =
            Server::new(status_end, requests_end, directory, developer, Home::Thread).unwrap();
        Self {
            master: Some(MasterClient::new(requests)),
            status: Stream::new(status),
            thread: std::thread::spawn(move || server.serve()),
        }
    }

    /// lightningd's requests.
    pub(crate) fn master(&self) -> &MasterClient {
        self.master.as_ref().unwrap()
    }

    /// lightningd hangs up; how hsmd ended.
    pub(crate) fn end(mut self) -> End {
        self.master = None;
        self.thread.join().unwrap()
    }
}

/// lightningd's first message.
pub(crate) fn init(passphrase: Option<&str>) -> HsmdInit {
    HsmdInit {
        bip32_key_version: Network::Regtest.into(),
        chain_params: ChainParams(Network::Regtest),
        hsm_encryption_key: None,
        dev_force_privkey: None,
        dev_force_bip32_seed: None,
        dev_force_channel_secrets: None,
        dev_force_channel_secrets_shaseed: None,
        hsm_wire_min_version: 5,
        hsm_wire_max_version: 6,
        tlvs: HsmdInitTlvs {
            hsm_passphrase: passphrase.map(Into::into),
        },
    }
}

/// Some peer.
pub(crate) fn peer() -> NodeId {
    InMemorySigner::from_byte(9).node().keys().node_id()
}

/// A connection as a stream of messages.
pub(crate) fn raw(socket: OwnedFd) -> Stream {
    Stream::new(socket)
}
