use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::thread::JoinHandle;
use std::time::{SystemTime, UNIX_EPOCH};

use ln_codec::{Decode, Encode};
use ln_gossip::samples::bytes;
use ln_ipc::gossipd::*;
use ln_ipc::{FrameError, Stream, message_number};
use ln_types::{BlockHeight, Network};
use ln_wire::PeerMessage;

use super::*;
use crate::{GossipMap, GossipdError, StorePlace, serve, serve_store};

/// A gossipd in a thread, with us as lightningd and connectd.
struct Rig {
    directory: TempDir,
    path: PathBuf,
    master: Stream,
    connectd: Stream,
    thread: JoinHandle<Result<(), GossipdError>>,
    /// What connectd was given to read.
    readers: Vec<File>,
    now: u32,
}

fn start(directory: TempDir) -> (Rig, GossipdInitReply) {
    let (master, their_master) = Stream::pair().unwrap();
    let (connectd, their_connectd) = Stream::pair().unwrap();
    let place = directory.path().to_owned();
    let thread = std::thread::spawn(move || run_in(their_master, their_connectd, &place));
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let mut rig = Rig {
        path: directory.path().join("gossip_store"),
        directory,
        master: Stream::new(master),
        connectd: Stream::new(connectd),
        thread,
        readers: Vec::new(),
        now: u32::try_from(now).unwrap(),
    };
    rig.tell(GossipdInit {
        network: Network::Regtest,
        node_id: US.id(),
        gossip_store: "gossip_store".to_owned(),
        height: BlockHeight(110),
        fast_gossip: true,
        fast_gossip_prune: false,
    });
    let FromGossipd::InitReply(reply) = rig.hear() else {
        panic!("no reply to init");
    };
    (rig, reply)
}

fn run_in(master: OwnedFd, connectd: OwnedFd, place: &Path) -> Result<(), GossipdError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    // As in a node: lightningd opens the files.
    let (asking, asked) = Stream::pair().unwrap();
    let path = place.join("gossip_store");
    let lightningd = std::thread::spawn(move || open_files(asked, &path));
    let directory = place.to_owned();
    let place = move |name: &str| StorePlace::at(&directory.join(name)).through(asking);
    let ended = runtime.block_on(serve(master, connectd, place));
    assert!(matches!(lightningd.join().unwrap(), FrameError::Closed));
    ended
}

fn open_files(asked: OwnedFd, path: &Path) -> FrameError {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(serve_store(asked, path)).unwrap_err()
}

impl Rig {
    fn new() -> Self {
        start(tempfile::tempdir().unwrap()).0
    }

    fn tell(&mut self, message: impl Into<ToGossipd>) {
        self.master.send(&message.into()).unwrap();
    }

    /// What it says to lightningd next, log lines left out.
    fn hear(&mut self) -> FromGossipd {
        loop {
            let message = self.master.recv_raw().unwrap();
            if message_number(&message).unwrap() < 0xfff0 {
                return FromGossipd::from_bytes(&message).unwrap();
            }
        }
    }

    fn peer(&mut self, message: Vec<u8>) {
        let id = A.id();
        let gossip = ConnectdToGossipd::from(PeerGossip { id, message });
        self.connectd.send(&gossip).unwrap();
    }

    /// What it has connectd send next; files are put aside.
    fn sends(&mut self) -> SendToPeer {
        loop {
            match self.connectd.recv().unwrap() {
                GossipdToConnectd::SendToPeer(send) => return send,
                GossipdToConnectd::Store(_) => {
                    self.readers.push(self.connectd.recv_fd().unwrap().into());
                }
            }
        }
    }

    /// The warning it has connectd send next.
    fn warning(&mut self) -> String {
        let send = self.sends();
        assert_eq!(send.id, A.id());
        match PeerMessage::from_bytes(&send.message) {
            Ok(PeerMessage::Warning(warning)) => warning.text(),
            other => panic!("{other:?}"),
        }
    }

    /// Waits until all that connectd sent has been dealt with.
    fn settle(&mut self) {
        self.peer(vec![0, 18]);
        assert!(self.warning().contains("18"));
    }

    fn add(&mut self, message: Vec<u8>, known_amount: Option<Sat>) -> Option<String> {
        self.tell(GossipdAddGossip {
            request: 77,
            message,
            known_amount,
        });
        loop {
            match self.hear() {
                FromGossipd::AddGossipReply(reply) => {
                    assert_eq!(reply.request, 77);
                    return reply.error;
                }
                FromGossipd::PeerPolicy(_) => (),
                other => panic!("{other:?}"),
            }
        }
    }

    /// Ends it and gives back the directory.
    fn stop(self) -> TempDir {
        drop(self.master);
        let ended = self.thread.join().unwrap();
        assert!(matches!(
            ended,
            Err(GossipdError::Master(FrameError::Closed | FrameError::Io(_)))
        ));
        self.directory
    }

    fn map(&self) -> GossipMap {
        GossipMap::load(&self.path).unwrap()
    }
}

#[test]
fn a_new_peer_is_asked_for_all_its_gossip_if_it_has_any() {
    let mut rig = Rig::new();
    for gossip_queries in [false, true] {
        let id = A.id();
        let new = ConnectdToGossipd::from(PeerNew { id, gossip_queries });
        rig.connectd.send(&new).unwrap();
    }
    let send = rig.sends();
    let Ok(PeerMessage::GossipTimestampFilter(filter)) = PeerMessage::from_bytes(&send.message)
    else {
        panic!("{send:?}");
    };
    assert!(filter.wants(0) && filter.wants(rig.now));
    assert_eq!(filter.chain_hash, Network::Regtest.chain_hash());
    rig.settle();
    rig.stop();
}

#[test]
fn a_peers_channel_is_looked_up_stored_and_there_after_a_restart() {
    let mut rig = Rig::new();
    let ab = SampleChannel::new(scid(1), A, B);
    rig.peer(ab.announcement());
    assert_eq!(rig.hear(), GossipdGetTxout { scid: scid(1) }.into());
    rig.peer(ab.update(0, rig.now));
    rig.peer(A.announcement(rig.now));
    rig.settle();
    assert_eq!(rig.map().graph().channel_count(), 0);
    rig.tell(GossipdTxoutReply {
        scid: scid(1),
        output: Some((Sat::from_sat(5000), ab.script())),
    });
    rig.settle();
    // lightningd's messages come first, so this one is behind the reply.
    assert_eq!(rig.add(ab.update(1, rig.now), None), None);
    let map = rig.map();
    let channel = map.graph().channel(scid(1)).unwrap();
    assert_eq!(channel.amount, Sat::from_sat(5000));
    assert!(channel.policies.iter().all(Option::is_some));
    assert!(
        map.graph()
            .node(A.id().into())
            .unwrap()
            .announcement
            .is_some()
    );
    let directory = rig.stop();
    let (_rig, reply) = start(directory);
    assert_eq!(
        reply,
        GossipdInitReply {
            channels: 1,
            nodes: 2
        }
    );
}

#[test]
fn bad_announcements_earn_a_warning() {
    let mut rig = Rig::new();
    let ab = SampleChannel::new(scid(1), A, B);
    let mut forged = ab.announcement();
    forged[10] ^= 1;
    rig.peer(forged);
    assert_eq!(rig.warning(), "bad node_signature_1");
    rig.peer(ab.announcement());
    assert_eq!(rig.hear(), GossipdGetTxout { scid: scid(1) }.into());
    let other = SampleChannel::new(scid(1), A, US);
    rig.tell(GossipdTxoutReply {
        scid: scid(1),
        output: Some((Sat::from_sat(5000), other.script())),
    });
    assert!(rig.warning().contains("expected"));
}

#[test]
fn our_own_channel_is_stored_at_once_and_the_peers_policy_reported() {
    let mut rig = Rig::new();
    let ours = SampleChannel::new(scid(1), US, A);
    assert_eq!(rig.add(ours.announcement(), Some(Sat::from_sat(1))), None);
    assert!(rig.add(ours.announcement()[..40].to_vec(), None).is_some());
    let theirs = u8::from(ours.nodes[1] == A);
    rig.peer(ours.update(theirs, rig.now));
    let FromGossipd::PeerPolicy(policy) = rig.hear() else {
        panic!("no policy");
    };
    assert_eq!((policy.scid, policy.peer), (scid(1), Some(A.id())));
    assert_eq!(rig.add(ours.update(theirs ^ 1, rig.now), None), None);
    assert_eq!(rig.add(US.announcement(rig.now), None), None);
    let map = rig.map();
    assert!(
        map.graph()
            .node(US.id().into())
            .unwrap()
            .announcement
            .is_some()
    );
    assert!(
        map.graph()
            .channel(scid(1))
            .unwrap()
            .policies
            .iter()
            .all(Option::is_some)
    );
}

#[test]
fn a_spent_channel_goes_72_blocks_later_also_over_a_restart() {
    let mut rig = Rig::new();
    let ours = SampleChannel::new(scid(1), US, A);
    rig.add(ours.announcement(), Some(Sat::from_sat(1)));
    rig.tell(GossipdOutpointsSpent {
        height: BlockHeight(111),
        scids: vec![scid(1)],
    });
    rig.settle();
    let (mut rig, reply) = start(rig.stop());
    assert_eq!(reply.channels, 1);
    let mut map = rig.map();
    assert_eq!(
        map.graph()
            .channel(scid(1))
            .unwrap()
            .dying
            .unwrap()
            .deadline,
        BlockHeight(183)
    );
    rig.tell(GossipdNewBlock {
        height: BlockHeight(182),
    });
    rig.tell(GossipdNewBlock {
        height: BlockHeight(183),
    });
    rig.tell(GossipdCompactStore { request: 5 });
    let FromGossipd::CompactStoreReply(reply) = rig.hear() else {
        panic!("no reply");
    };
    assert_eq!((reply.request, reply.error), (5, None));
    assert!(map.refresh().unwrap());
    assert_eq!(
        (map.graph().channel_count(), map.graph().dead_records()),
        (0, 0)
    );
    assert_eq!(std::fs::metadata(&rig.path).unwrap().len(), 47);
}

#[test]
fn g7_without_a_store_it_lives_on_and_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("gossip_store");
    std::fs::create_dir(&path).unwrap();
    let (mut rig, reply) = start(directory);
    assert_eq!(
        reply,
        GossipdInitReply {
            channels: 0,
            nodes: 0
        }
    );
    let ours = SampleChannel::new(scid(1), US, A);
    let error = rig.add(ours.announcement(), Some(Sat::from_sat(1)));
    assert_eq!(error.unwrap(), "the gossip store can't be written");
    rig.peer(ours.announcement());
    rig.tell(GossipdCompactStore { request: 5 });
    assert!(matches!(rig.hear(), FromGossipd::CompactStoreReply(_)));
}

#[test]
fn connectd_may_go_before_lightningd() {
    let mut rig = Rig::new();
    let (other, _) = Stream::pair().unwrap();
    rig.connectd = Stream::new(other);
    let ours = SampleChannel::new(scid(1), US, A);
    assert_eq!(rig.add(ours.announcement(), Some(Sat::from_sat(1))), None);
    rig.stop();
}

#[test]
fn nonsense_from_lightningd_or_connectd_does_not_end_it() {
    let mut rig = Rig::new();
    rig.master.send_raw(&[0x0b, 0xb9, 1, 2]).unwrap();
    rig.connectd.send_raw(&[]).unwrap();
    rig.connectd.send_raw(&[0xff; 9]).unwrap();
    rig.settle();
    let private = SampleChannel::new(scid(4), A, US).update_with(0, rig.now, |_| ());
    assert_eq!(rig.add(bytes(private), None), None);
}

#[test]
fn something_else_than_init_first_ends_it() {
    let (master, their_master) = Stream::pair().unwrap();
    let (_connectd, their_connectd) = Stream::pair().unwrap();
    let block = ToGossipd::from(GossipdNewBlock {
        height: BlockHeight(1),
    });
    let mut master = Stream::new(master);
    master.send_raw(&block.to_bytes()).unwrap();
    let ended = run_in(their_master, their_connectd, Path::new("."));
    assert!(matches!(ended, Err(GossipdError::NoInit("NewBlock"))));
}

#[test]
fn connectd_is_given_each_new_store_to_read_and_not_to_write() {
    let mut rig = Rig::new();
    let ours = SampleChannel::new(scid(1), US, A);
    assert_eq!(rig.add(ours.announcement(), Some(Sat::from_sat(1))), None);
    rig.tell(GossipdCompactStore { request: 5 });
    assert!(matches!(rig.hear(), FromGossipd::CompactStoreReply(_)));
    rig.settle();
    let [old, new] = &mut rig.readers[..] else {
        panic!("{:?}", rig.readers);
    };
    let mut read = Vec::new();
    new.read_to_end(&mut read).unwrap();
    assert_eq!(read, std::fs::read(&rig.path).unwrap());
    assert!(new.write_all(b"x").is_err() && old.write_all(b"x").is_err());
}
