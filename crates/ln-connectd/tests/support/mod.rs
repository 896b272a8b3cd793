//! A connectd in a thread, with a lightningd, an hsmd and a gossipd that the test plays; and a peer that speaks raw bytes.
#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    clippy::indexing_slicing,
    reason = "test support"
)]

use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use bitcoin::secp256k1::SecretKey;
use bitcoin::secp256k1::ecdh::SharedSecret;
use ln_codec::Decode;
use ln_connectd::Descriptors;
use ln_daemon::Home;
use ln_ipc::connectd::*;
use ln_ipc::gossipd::{ConnectdToGossipd, GossipdStore, GossipdToConnectd};
use ln_ipc::hsmd::{FromHsmd, HsmdEcdhResp, Secret, ToHsmd};
use ln_ipc::status::Status;
use ln_ipc::{Stream, message_number};
#[allow(unused_imports, reason = "shared by several test programs")]
pub use ln_testkit::peer::{RawPeer, channel_message, id, init, open, secret};
use ln_types::{ChannelId, Features, NetAddr, Network, NodeId, OwnAddress};

/// A test that waits so long has failed.
const PATIENCE: Duration = Duration::from_mins(3);

pub fn features() -> Features {
    [0, 7, 8, 12, 14, 17].into_iter().collect()
}

pub struct Node {
    pub id: NodeId,
    pub bindings: Vec<NetAddr>,
    pub announced: Vec<NetAddr>,
    master: Stream,
    from_connectd: Receiver<FromConnectd>,
    pub logs: Receiver<String>,
    gossipd: Stream,
    from_gossip: Receiver<ConnectdToGossipd>,
}

pub struct Config {
    pub bindings: Vec<String>,
    /// What stands for `addr`: listened at and announced.
    pub both: Vec<String>,
    /// What stands for `announce-addr`.
    pub announced: Vec<String>,
    pub tor_password: Option<String>,
    pub proxy: Option<NetAddr>,
    pub message_padding: bool,
    pub dev: ConnectdDev,
    pub timeout_secs: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            bindings: vec!["127.0.0.1:0".to_owned()],
            both: Vec::new(),
            announced: Vec::new(),
            tor_password: None,
            proxy: None,
            message_padding: false,
            dev: ConnectdDev {
                fast_gossip: true,
                no_reconnect: true,
                ..ConnectdDev::default()
            },
            timeout_secs: 60,
        }
    }
}

fn clone(fd: &OwnedFd) -> Stream {
    Stream::new(fd.as_fd().try_clone_to_owned().unwrap())
}

/// Connects for connectd, as lightningd does.
fn dial_unix(connectd: &mut Stream, ask: &ConnectdDialUnix) {
    let dialled = UnixStream::connect(&ask.path).map(OwnedFd::from);
    let errno = dialled
        .as_ref()
        .map_or_else(|error| error.raw_os_error().unwrap().unsigned_abs(), |_| 0);
    let request = ask.request;
    let answer = ToConnectd::from(ConnectdUnixDialled { request, errno });
    let fds: Vec<_> = dialled.iter().map(AsFd::as_fd).collect();
    connectd.send_with_fds(&answer, &fds).unwrap();
}

/// Hears connectd out in a thread of its own.
fn hear(master: &OwnedFd, messages: Sender<FromConnectd>, logs: Sender<String>) {
    let mut reader = clone(master);
    let mut dialler = clone(master);
    thread::spawn(move || {
        while let Ok(message) = reader.recv_raw() {
            if message_number(&message).unwrap() >= 0xfff0 {
                if let Status::Log(line) = Status::from_bytes(&message).unwrap() {
                    let _ = logs.send(line.text);
                }
                continue;
            }
            match FromConnectd::from_bytes(&message).unwrap() {
                FromConnectd::DialUnix(ask) => dial_unix(&mut dialler, &ask),
                message => drop(messages.send(message)),
            }
        }
    });
}

impl Node {
    pub fn start(byte: u8) -> Self {
        Self::with(byte, Config::default())
    }

    pub fn with(byte: u8, config: Config) -> Self {
        Self::try_with(byte, config).unwrap()
    }

    /// The error is what it can't do.
    pub fn try_with(byte: u8, config: Config) -> Result<Self, String> {
        let (master, connectd_master) = Stream::pair().unwrap();
        let (hsmd, connectd_hsmd) = Stream::pair().unwrap();
        let (gossipd, connectd_gossipd) = Stream::pair().unwrap();
        let descriptors = Descriptors {
            master: connectd_master,
            hsmd: connectd_hsmd,
            gossipd: connectd_gossipd,
        };
        thread::spawn(move || ln_connectd::run(descriptors, Home::Thread).unwrap());
        thread::spawn(move || play_hsmd(Stream::new(hsmd), secret(byte)));
        let (sender, from_connectd) = channel();
        let (log, logs) = channel();
        hear(&master, sender, log);
        let (sender, from_gossip) = channel();
        let mut reader = clone(&gossipd);
        thread::spawn(move || {
            while let Ok(message) = reader.recv() {
                let _ = sender.send(message);
            }
        });
        let mut node = Self {
            id: id(byte),
            bindings: Vec::new(),
            announced: Vec::new(),
            master: Stream::new(master),
            from_connectd,
            logs,
            gossipd: Stream::new(gossipd),
            from_gossip,
        };
        node.tell(ConnectdInit {
            network: Network::Regtest,
            node_id: node.id,
            features: features(),
            addresses: addresses(&config),
            tor_password: config.tor_password.map(Password),
            timeout_secs: config.timeout_secs,
            proxy: config.proxy,
            always_use_proxy: false,
            use_dns: false,
            message_padding: config.message_padding,
            log_messages: true,
            log_io: false,
            dev: config.dev,
        });
        let FromConnectd::InitReply(reply) = node.next() else {
            panic!("no init reply")
        };
        if let Some(error) = reply.error {
            return Err(error);
        }
        let bindings = reply.bindings.into_iter();
        node.bindings = bindings.map(|binding| binding.address).collect();
        node.announced = reply.announced;
        node.tell(ConnectdActivate {
            features: features(),
        });
        Ok(node)
    }

    pub fn tell(&mut self, message: impl Into<ToConnectd>) {
        self.master.send(&message.into()).unwrap();
    }

    pub fn next(&self) -> FromConnectd {
        self.from_connectd
            .recv_timeout(PATIENCE)
            .expect("connectd says something")
    }

    pub fn connect(&mut self, id: NodeId, addresses: &[NetAddr]) {
        self.tell(ConnectdConnect {
            id,
            addresses: addresses.to_vec(),
        });
    }

    pub fn connected(&self) -> ConnectdPeerConnected {
        match self.next() {
            FromConnectd::PeerConnected(connected) => connected,
            other => panic!("{other:?} instead of PeerConnected"),
        }
    }

    pub fn disconnected(&self) -> ConnectdPeerDisconnected {
        match self.next() {
            FromConnectd::PeerDisconnected(disconnected) => disconnected,
            other => panic!("{other:?} instead of PeerDisconnected"),
        }
    }

    pub fn spoke(&self) -> ConnectdPeerSpoke {
        match self.next() {
            FromConnectd::PeerSpoke(spoke) => spoke,
            other => panic!("{other:?} instead of PeerSpoke"),
        }
    }

    /// Gives a channel a daemon; returns the daemon's end.
    pub fn attach(&mut self, connection: &ConnectdPeerConnected, channel_id: ChannelId) -> Daemon {
        let (daemon, connectd) = Stream::pair().unwrap();
        let message = ConnectdAttachChannel {
            id: connection.id,
            counter: connection.counter,
            channel_id,
        };
        let message = ToConnectd::from(message);
        self.master
            .send_with_fds(&message, &[connectd.as_fd()])
            .unwrap();
        Daemon::new(daemon)
    }

    pub fn wait_for_log(&self, part: &str) {
        while !self
            .logs
            .recv_timeout(PATIENCE)
            .expect("the line comes")
            .contains(part)
        {}
    }

    pub fn gossip(&self) -> ConnectdToGossipd {
        self.from_gossip
            .recv_timeout(PATIENCE)
            .expect("gossipd hears something")
    }

    /// Gives it the gossip store, as gossipd does.
    pub fn give_store(&mut self, path: &Path) {
        let file = OwnedFd::from(File::open(path).unwrap());
        let store = GossipdToConnectd::from(GossipdStore {});
        self.gossipd.send_with_fds(&store, &[file.as_fd()]).unwrap();
    }

    pub fn tell_as_gossipd(&mut self, message: impl Into<GossipdToConnectd>) {
        self.gossipd.send(&message.into()).unwrap();
    }

    /// A peer of our making, connected and past init.
    pub fn raw_peer(&self, byte: u8) -> RawPeer {
        let mut peer = RawPeer::handshake(&self.bindings[0], self.id, byte);
        peer.exchange_init(&features());
        peer
    }
}

fn addresses(config: &Config) -> Vec<ConnectdAddress> {
    let kinds = [
        (&config.bindings, true, false),
        (&config.both, true, true),
        (&config.announced, false, true),
    ];
    let all = kinds.into_iter().flat_map(|(texts, listen, announce)| {
        texts.iter().map(move |text| ConnectdAddress {
            option: "addr".to_owned(),
            address: OwnAddress::parse(text, 9735).unwrap(),
            listen,
            announce,
        })
    });
    all.collect()
}

fn play_hsmd(mut stream: Stream, key: SecretKey) {
    while let Ok(ToHsmd::EcdhReq(request)) = stream.recv() {
        let secret = SharedSecret::new(&request.point, &key).secret_bytes();
        let reply = HsmdEcdhResp { ss: Secret(secret) };
        if stream.send(&FromHsmd::from(reply)).is_err() {
            return;
        }
    }
}

/// The daemon of a channel.
pub struct Daemon {
    stream: Stream,
    heard: Receiver<Vec<u8>>,
}

impl Daemon {
    fn new(socket: OwnedFd) -> Self {
        let mut reader = clone(&socket);
        let (sender, heard) = channel();
        thread::spawn(move || {
            while let Ok(message) = reader.recv_raw() {
                let _ = sender.send(message);
            }
        });
        Self {
            stream: Stream::new(socket),
            heard,
        }
    }

    pub fn send(&mut self, message: &[u8]) {
        self.stream.send_raw(message).unwrap();
    }

    /// Sends what nobody may be there to take any more: the connection may have ended.
    pub fn send_if_there(&mut self, message: &[u8]) {
        let _ended = self.stream.send_raw(message);
    }

    pub fn recv(&self) -> Vec<u8> {
        self.heard.recv_timeout(PATIENCE).expect("a message comes")
    }

    pub fn wait_for_end(&self) {
        assert_eq!(
            self.heard.recv_timeout(PATIENCE),
            Err(RecvTimeoutError::Disconnected)
        );
    }
}
