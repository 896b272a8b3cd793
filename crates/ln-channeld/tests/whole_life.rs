//! The daemons of two nodes, each in a thread, from opening to closing; the test plays lightningd.
#![allow(
    missing_docs,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    clippy::too_many_lines,
    clippy::panic,
    reason = "a test"
)]

use std::os::fd::{AsFd, OwnedFd};
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;

use bitcoin::hashes::Hash;
use bitcoin::{OutPoint, ScriptBuf, Txid};
use ln_channel::ChannelState;
use ln_channeld::Channeld;
use ln_closingd::Closingd;
use ln_codec::{Decode, Encode, LongBytes};
use ln_daemon::Shell;
use ln_ipc::channeld::*;
use ln_ipc::closingd::*;
use ln_ipc::openingd::*;
use ln_ipc::status::Status;
use ln_ipc::{PeerStream, Stream};
use ln_openingd::Openingd;
use ln_signer::{InMemorySigner, Signer};
use ln_types::{
    BlockHeight, ChannelId, CltvExpiry, FeatureBit, Features, Feerate, HtlcId, Msat, Network,
    PaymentPreimage, Sat, ShortChannelId,
};

fn features() -> Features {
    [
        FeatureBit::StaticRemotekey,
        FeatureBit::Anchors,
        FeatureBit::ShutdownAnysegwit,
        FeatureBit::Wumbo,
    ]
    .into_iter()
    .map(FeatureBit::odd)
    .collect()
}

fn signer(index: usize) -> InMemorySigner {
    InMemorySigner::from_byte(index as u8 + 1)
}

fn script(byte: u8) -> ScriptBuf {
    let mut bytes = vec![0, 20];
    bytes.extend([byte; 20]);
    ScriptBuf::from_bytes(bytes)
}

/// lightningd's end of a daemon.
struct Master {
    stream: Stream,
    thread: Option<JoinHandle<()>>,
}

impl Master {
    fn spawn(run: impl FnOnce(Shell) + Send + 'static) -> Self {
        let (ours, theirs) = Stream::pair().unwrap();
        let thread = std::thread::spawn(move || run(Shell::over(Stream::new(theirs))));
        Self {
            stream: Stream::new(ours),
            thread: Some(thread),
        }
    }

    fn send(&mut self, message: impl Encode) {
        self.stream.send(&message).unwrap();
    }

    fn recv<T: Decode + std::fmt::Debug>(&mut self) -> T {
        recv(&mut self.stream).unwrap()
    }

    fn join(mut self) {
        self.thread.take().unwrap().join().unwrap();
    }
}

/// The next message that is no status; nothing when the daemon is gone.
fn recv<T: Decode + std::fmt::Debug>(stream: &mut Stream) -> Option<T> {
    loop {
        let bytes = stream.recv_raw().ok()?;
        match Status::from_bytes(&bytes) {
            Ok(Status::Fail(fail)) => panic!("{}", fail.text),
            Ok(_) => {}
            Err(_) => return Some(T::from_bytes(&bytes).unwrap()),
        }
    }
}

fn policy() -> OpeningPolicy {
    OpeningPolicy {
        min_capacity: Sat::from_sat(10_000),
        max_accepted_htlcs: 30,
        htlc_minimum: Msat::ZERO,
        max_htlc_value_in_flight: Msat::MAX,
        to_self_delay: 6,
        max_to_self_delay: 2016,
        dust_limit: Sat::from_sat(546),
        channel_reserve: None,
        minimum_depth: 1,
        min_feerate: Feerate::from_perkw(253),
        max_feerate: Feerate::from_perkw(50_000),
        allow_dust_reserve: false,
    }
}

fn openingd(index: usize, peer: OwnedFd) -> Master {
    Master::spawn(move |shell| {
        let signer = signer(index);
        let init = OpeningdInit {
            network: Network::Regtest,
            peer_id: self::signer(1 - index).node().keys().node_id(),
            dbid: 1,
            basepoints: *signer.basepoints(),
            our_features: features(),
            their_features: features(),
            height: BlockHeight(100),
            policy: policy(),
            upfront_shutdown_script: None,
        };
        Openingd::new(shell, PeerStream::new(peer), Box::new(signer), init)
            .run()
            .unwrap();
    })
}

/// Opens a channel; the first node is the opener. Returns the states and sockets for what comes next.
fn open() -> [(LongBytes, OwnedFd, Vec<LongBytes>); 2] {
    let (one, other) = Stream::pair().unwrap();
    let mut opener = openingd(0, one);
    let mut accepter = openingd(1, other);
    opener.send(ToOpeningd::from(OpeningdFund {
        temporary_channel_id: ChannelId([5; 32]),
        funding: Sat::from_sat(1_000_000),
        push: Msat::from_msat(200_000_000),
        feerate: Feerate::from_perkw(1000),
        announce: true,
        channel_type: None,
        minimum_depth: None,
    }));
    let FromOpeningd::Incoming(incoming) = accepter.recv() else {
        panic!("wanted Incoming")
    };
    assert_eq!(incoming.funding, Sat::from_sat(1_000_000));
    accepter.send(ToOpeningd::from(OpeningdIncomingReply {
        reject: None,
        close_to: None,
        minimum_depth: None,
        reserve: None,
    }));
    let FromOpeningd::FundReply(reply) = opener.recv() else {
        panic!("wanted FundReply")
    };
    assert!(reply.funding_script.is_p2wsh());
    opener.send(ToOpeningd::from(OpeningdFundTx {
        funding: OutPoint {
            txid: Txid::from_byte_array([3; 32]),
            vout: 0,
        },
    }));
    let FromOpeningd::Accepted(accepted) = accepter.recv() else {
        panic!("wanted Accepted")
    };
    accepter.send(ToOpeningd::from(OpeningdAcceptedPersisted {}));
    let FromOpeningd::FundTxReply(done) = opener.recv() else {
        panic!("wanted FundTxReply")
    };
    let our_peer = opener.stream.recv_fd().unwrap();
    let FromOpeningd::Done(theirs) = accepter.recv() else {
        panic!("wanted Done")
    };
    let their_peer = accepter.stream.recv_fd().unwrap();
    opener.join();
    accepter.join();
    [
        (done.state, our_peer, done.unread),
        (accepted.state, their_peer, theirs.unread),
    ]
}

fn channeld(
    index: usize,
    state: LongBytes,
    peer: OwnedFd,
    unread: Vec<LongBytes>,
    first_connection: bool,
) -> Master {
    Master::spawn(move |shell| {
        let init = ChanneldInit {
            network: Network::Regtest,
            node_id: signer(index).node().keys().node_id(),
            peer_id: signer(1 - index).node().keys().node_id(),
            dbid: 1,
            state,
            our_features: features(),
            their_features: features(),
            first_connection,
            chain: ChanneldBlock {
                height: BlockHeight(106),
                funding_depth: 6,
                scid: ShortChannelId::new(101, 1, 0),
            },
            feerates: ChanneldFeerates {
                desired: Feerate::from_perkw(1000),
                min: Feerate::from_perkw(253),
                max: Feerate::from_perkw(50_000),
            },
            resolutions: Vec::new(),
            unread,
            alias: ShortChannelId::new(1, 1, index as u16).unwrap(),
            max_dust_exposure: Msat::from_msat(50_000_000),
            dev_disable_commit_after: None,
        };
        let state = ChannelState::from_bytes(&init.state.0).unwrap();
        let signer = Box::new(signer(index));
        // An error when the test, which is lightningd, ends first.
        let _ = Channeld::new(shell, PeerStream::new(peer), signer, init, state).run();
    })
}

/// What lightningd's thread for a channel passes on.
enum Heard {
    Persist(LongBytes, Vec<ChannelEvent>),
    Other(FromChanneld),
    Fd(OwnedFd),
}

/// lightningd's view of a channel.
struct Node {
    writer: Stream,
    heard: Receiver<Heard>,
    thread: JoinHandle<()>,
    state: LongBytes,
    events: Vec<ChannelEvent>,
    others: Vec<FromChanneld>,
    peer: Option<OwnedFd>,
}

impl Node {
    fn new(master: Master, state: LongBytes) -> Self {
        let Master { mut stream, thread } = master;
        let clone = || stream.as_fd().try_clone_to_owned().unwrap();
        let (writer, mut acks) = (Stream::new(clone()), Stream::new(clone()));
        let (to, heard) = channel();
        std::thread::spawn(move || {
            while let Some(message) = recv(&mut stream) {
                let ended = match message {
                    FromChanneld::Persist(persist) => {
                        let sequence = persist.sequence;
                        let sent = to.send(Heard::Persist(persist.state, persist.events));
                        let _ = acks.send(&ToChanneld::from(ChanneldPersisted { sequence }));
                        sent.is_err()
                    }
                    other => {
                        let hands_over = matches!(other, FromChanneld::ShutdownComplete(_));
                        if hands_over {
                            to.send(Heard::Fd(stream.recv_fd().unwrap())).unwrap();
                        }
                        to.send(Heard::Other(other)).is_err()
                    }
                };
                if ended {
                    break;
                }
            }
        });
        Self {
            writer,
            heard,
            thread: thread.unwrap(),
            state,
            events: Vec::new(),
            others: Vec::new(),
            peer: None,
        }
    }

    fn send(&mut self, message: impl Into<ToChanneld>) {
        self.writer.send(&message.into()).unwrap();
    }

    /// Goes on until an event came; keeps what comes on the way.
    fn until(&mut self, wanted: impl Fn(&ChannelEvent) -> bool) -> ChannelEvent {
        loop {
            if let Some(found) = self.events.iter().position(&wanted) {
                return self.events.remove(found);
            }
            self.next();
        }
    }

    fn until_message(&mut self, wanted: impl Fn(&FromChanneld) -> bool) -> FromChanneld {
        loop {
            if let Some(found) = self.others.iter().position(&wanted) {
                return self.others.remove(found);
            }
            self.next();
        }
    }

    fn next(&mut self) {
        match self.heard.recv().unwrap() {
            Heard::Persist(state, events) => {
                self.state = state;
                self.events.extend(events);
            }
            Heard::Other(other) => self.others.push(other),
            Heard::Fd(fd) => self.peer = Some(fd),
        }
    }
}

fn pay(from: &mut Node, to: &mut Node, number: u8, fails: bool) {
    let preimage = PaymentPreimage([number; 32]);
    let mut onion = vec![0; 1366];
    onion[1..34].copy_from_slice(&signer(0).basepoints().funding.serialize());
    from.send(ChanneldOfferHtlc {
        request: number.into(),
        amount: Msat::from_msat(10_000_000),
        cltv_expiry: CltvExpiry(150),
        payment_hash: preimage.hash(),
        onion,
        path_key: None,
        extra_tlvs: Vec::new(),
    });
    let ChannelEvent::Offered(id, request) = from.until(|e| matches!(e, ChannelEvent::Offered(..)))
    else {
        panic!("wanted Offered")
    };
    assert_eq!(request, number.into());
    let ChannelEvent::Received(htlc) = to.until(|e| matches!(e, ChannelEvent::Received(_))) else {
        panic!("wanted Received")
    };
    assert_eq!(htlc.id, id);
    assert!(htlc.shared_secret.is_some());
    assert_eq!(htlc.onion.len(), 1366);
    let resolution = if fails {
        Resolution::Fail(vec![1; 256])
    } else {
        Resolution::Fulfill(preimage)
    };
    to.send(ChanneldResolveHtlc { id, resolution });
    if fails {
        from.until(|e| *e == ChannelEvent::Failed(id, vec![1; 256]));
    } else {
        from.until(|e| *e == ChannelEvent::Fulfilled(id, preimage));
    }
    from.until(|e| *e == ChannelEvent::OfferedRemoved(id));
    to.until(|e| *e == ChannelEvent::ReceivedRemoved(id));
}

fn start_both(parts: [(LongBytes, OwnedFd, Vec<LongBytes>); 2], first: bool) -> [Node; 2] {
    let mut index = 0;
    parts.map(|(state, peer, unread)| {
        let master = channeld(index, state.clone(), peer, unread, first);
        index += 1;
        Node::new(master, state)
    })
}

/// The connection breaks: what is left of the nodes, and the two ends of a new connection.
fn broken(nodes: [Node; 2]) -> [(LongBytes, OwnedFd, Vec<LongBytes>); 2] {
    let (a, b) = Stream::pair().unwrap();
    let mut sockets = [a, b].into_iter();
    nodes.map(|node| {
        let Node {
            writer,
            thread,
            heard,
            mut state,
            ..
        } = node;
        rustix::net::shutdown(&writer, rustix::net::Shutdown::Both).unwrap();
        // lightningd is gone: so is the daemon, one way or the other.
        thread.join().unwrap();
        for last in heard {
            if let Heard::Persist(durable, _) = last {
                state = durable;
            }
        }
        (state, sockets.next().unwrap(), Vec::new())
    })
}

/// Both channels are handed over to closingd.
fn closings(nodes: [Node; 2]) -> [Master; 2] {
    let mut index = 0;
    nodes.map(|mut node| {
        let complete = node.until_message(|m| matches!(m, FromChanneld::ShutdownComplete(_)));
        let FromChanneld::ShutdownComplete(complete) = complete else {
            panic!("wanted ShutdownComplete")
        };
        let peer = node.peer.unwrap();
        node.thread.join().unwrap();
        let state = node.state;
        let own = index;
        index += 1;
        Master::spawn(move |shell| {
            let init = ClosingdInit {
                network: Network::Regtest,
                peer_id: signer(1 - own).node().keys().node_id(),
                dbid: 1,
                state,
                our_features: features(),
                their_features: features(),
                reconnected: false,
                unread: complete.unread,
                preferred_feerate: Feerate::from_perkw(2000),
                min_feerate: Feerate::from_perkw(253),
                max_feerate: None,
            };
            let state = ChannelState::from_bytes(&init.state.0).unwrap();
            let signer = Box::new(signer(own));
            Closingd::new(shell, PeerStream::new(peer), signer, init, state)
                .run()
                .unwrap();
        })
    })
}

#[test]
fn a_channel_is_opened_used_and_closed() {
    let mut nodes = start_both(open(), true);
    for node in &mut nodes {
        node.until(|e| *e == ChannelEvent::Ready);
        node.until_message(|m| matches!(m, FromChanneld::AnnouncementSignatures(_)));
    }
    let [one, other] = &mut nodes;
    for number in 1..10 {
        pay(one, other, number, number % 3 == 0);
    }
    pay(other, one, 11, false);
    let state = ChannelState::from_bytes(&one.state.0).unwrap();
    assert_eq!(state.to_us(), Msat::from_msat(750_000_000));

    let mut nodes = start_both(broken(nodes), false);
    for node in &mut nodes {
        node.until_message(|m| matches!(m, FromChanneld::Reestablished(_)));
    }
    let [one, other] = &mut nodes;
    pay(one, other, 20, false);

    // One closes, the other is told and answers.
    one.send(ChanneldShutdown { script: script(1) });
    let asks = |e: &ChannelEvent| matches!(e, ChannelEvent::ShuttingDown(shutdown) if shutdown.remote_script.is_some());
    other.until(asks);
    other.send(ChanneldShutdown { script: script(2) });
    let closings = closings(nodes);
    let mut txids = Vec::new();
    // The accepter agrees first: the opener waits for it.
    for mut closing in closings.into_iter().rev() {
        let FromClosingd::Offer(offer) = closing.recv() else {
            panic!("wanted Offer")
        };
        txids.push(offer.tx.compute_txid());
        closing.send(ToClosingd::from(ClosingdOfferPersisted {}));
        assert_eq!(
            closing.recv::<FromClosingd>(),
            FromClosingd::from(ClosingdComplete {})
        );
        closing.join();
    }
    assert_eq!(txids[0], txids[1]);
}

#[test]
fn an_offer_too_large_is_refused() {
    let mut nodes = start_both(open(), true);
    for node in &mut nodes {
        node.until(|e| *e == ChannelEvent::Ready);
    }
    nodes[0].send(ChanneldOfferHtlc {
        request: 77,
        amount: Msat::from_msat(900_000_000),
        cltv_expiry: CltvExpiry(150),
        payment_hash: PaymentPreimage([1; 32]).hash(),
        onion: vec![0; 1366],
        path_key: None,
        extra_tlvs: Vec::new(),
    });
    let refused = nodes[0].until_message(|m| matches!(m, FromChanneld::OfferHtlcReply(_)));
    let FromChanneld::OfferHtlcReply(reply) = refused else {
        panic!("wanted OfferHtlcReply")
    };
    assert_eq!((reply.request, reply.failure_code), (77, 0x1007));
    let state = ChannelState::from_bytes(&nodes[0].state.0).unwrap();
    assert_eq!(state.commitments.next_htlc_id.local, HtlcId(0));
}
