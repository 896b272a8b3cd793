//! onchaind between a channel's stored state and lightningd.
#![allow(
    clippy::cast_possible_truncation,
    clippy::struct_field_names,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "tests on fixed values"
)]

// Another crate's file: formatting this one leaves it alone.
#[rustfmt::skip]
#[path = "../../ln-channel/tests/support/mod.rs"]
mod support;

use bitcoin::Transaction;
use ln_channel::ChannelState;
use ln_codec::{Decode, Encode, LongBytes};
use ln_daemon::Shell;
use ln_ipc::Stream;
use ln_ipc::onchaind::{
    FromOnchaind, OnchaindEvent, OnchaindHtlc, OnchaindHtlcs, OnchaindInit, ToOnchaind,
};
use ln_ipc::status::Status;
use ln_onchain::{Action, Event, FundingSpend, TxKind, identify};
use ln_onchaind::{End, Onchaind, channel_of, claim_line};
use ln_signer::{InMemorySigner, Signer};
use ln_types::{BlockHeight, CltvExpiry, CommitmentNumber, Network, Side};
use support::{Node, Pair, preimage};

/// The newest commitment of a node, ready to broadcast.
fn commitment(node: &Node) -> Transaction {
    let state = node.state();
    let number = state.commitments.local_number;
    let point = node.signer.per_commitment_point(number).unwrap();
    let verified = state
        .commitments
        .local_commitment(&state.params, &point)
        .unwrap();
    verified.signed(&node.signer.sign_commitment(&verified).unwrap())
}

fn identified(node: &Node, tx: &Transaction) -> FundingSpend {
    let state = node.state();
    let number = state.commitments.local_number;
    let point = node.signer.per_commitment_point(number).unwrap();
    identify(&channel_of(state, Some(point)), tx)
}

/// A channel with an HTLC each way.
fn busy_pair() -> Pair {
    let mut pair = Pair::normal();
    pair.offer(0, 100_000_000, 1).unwrap();
    pair.offer(1, 50_000_000, 2).unwrap();
    pair.settle();
    pair
}

#[test]
fn both_sides_recognise_every_commitment_at_every_step() {
    let mut pair = busy_pair();
    let mut published = vec![commitment(&pair.nodes[0]), commitment(&pair.nodes[1])];
    pair.offer(0, 70_000_000, 3).unwrap();
    loop {
        for index in 0..2 {
            let (node, other) = (&pair.nodes[index], &pair.nodes[1 - index]);
            let ours = identified(node, &commitment(node));
            assert!(matches!(ours, FundingSpend::Ours { .. }), "{ours:?}");
            let theirs = identified(node, &commitment(other));
            assert!(matches!(theirs, FundingSpend::Theirs { .. }), "{theirs:?}");
        }
        published.extend([commitment(&pair.nodes[0]), commitment(&pair.nodes[1])]);
        if !pair.deliver(0) && !pair.deliver(1) {
            break;
        }
    }
    // By now all but the newest are revoked.
    let newest = [commitment(&pair.nodes[0]), commitment(&pair.nodes[1])];
    for tx in published.iter().filter(|tx| !newest.contains(tx)) {
        for node in &pair.nodes {
            let spend = identified(node, tx);
            assert!(
                matches!(
                    spend,
                    FundingSpend::TheirsRevoked { .. } | FundingSpend::OursRevoked { .. }
                ),
                "{spend:?}"
            );
        }
    }
}

/// lightningd's end of a running daemon.
struct Master {
    stream: Stream,
    log: Vec<String>,
}

impl Master {
    fn ask(&mut self, request: impl Into<ToOnchaind>) -> FromOnchaind {
        self.stream.send(&request.into()).unwrap();
        loop {
            let message = self.stream.recv_raw().unwrap();
            match Status::from_bytes(&message) {
                Ok(Status::Log(line)) => self.log.push(line.text),
                Ok(_) => {}
                Err(_) => return FromOnchaind::from_bytes(&message).unwrap(),
            }
        }
    }

    fn event(&mut self, tip: u32, event: &Event) -> Vec<Action> {
        let reply = self.ask(OnchaindEvent {
            tip: BlockHeight(tip),
            event: LongBytes(event.to_bytes()),
        });
        let FromOnchaind::EventReply(reply) = reply else {
            panic!("{reply:?}");
        };
        decode(&reply.actions)
    }
}

fn decode(actions: &[LongBytes]) -> Vec<Action> {
    actions
        .iter()
        .map(|action| Action::from_bytes(&action.0).unwrap())
        .collect()
}

fn init(state: &ChannelState, tx: &Transaction) -> OnchaindInit {
    let peer = InMemorySigner::from_byte(9).node().keys().node_id();
    OnchaindInit {
        network: Network::Regtest,
        peer_id: peer,
        dbid: 1,
        state: LongBytes(state.to_bytes()),
        tx: tx.clone(),
        height: BlockHeight(110),
        tip: BlockHeight(110),
        reasonable_depth: 3,
    }
}

fn in_thread<T>(node: &Node, tx: &Transaction, work: impl FnOnce(&mut Master) -> T) -> (T, End) {
    let (ours, daemons) = Stream::pair().unwrap();
    let mut master = Master {
        stream: Stream::new(ours),
        log: Vec::new(),
    };
    let (state, signer) = (node.state().clone(), node.signer.clone());
    let first = init(&state, tx);
    let daemon = std::thread::spawn(move || {
        let mut shell = Shell::over(Stream::new(daemons));
        let Ok(ToOnchaind::Init(init)) = shell.recv() else {
            panic!("no init");
        };
        Onchaind::start(shell, &signer, init, &state)
            .unwrap()
            .serve()
            .unwrap()
    });
    let FromOnchaind::InitReply(reply) = master.ask(first) else {
        panic!("no reply to init");
    };
    assert!(!reply.revoked);
    assert!(reply.commitment_number > Some(CommitmentNumber::FIRST));
    let result = work(&mut master);
    drop(master);
    (result, daemon.join().unwrap())
}

#[test]
fn our_own_close_is_resolved_to_the_end() {
    let pair = busy_pair();
    let node = &pair.nodes[0];
    let tx = commitment(node);
    let htlc = node
        .state()
        .commitments
        .htlcs
        .get(Side::Local, ln_types::HtlcId(0))
        .unwrap()
        .clone();
    let (log, end) = in_thread(node, &tx, |master| {
        let told = OnchaindHtlc {
            offerer: Side::Local,
            id: htlc.id,
            amount: htlc.amount,
            payment_hash: htlc.payment_hash,
            cltv_expiry: htlc.cltv_expiry,
            awaited: true,
            incoming_expiry: Some(CltvExpiry(180)),
        };
        let FromOnchaind::Started(started) = master.ask(OnchaindHtlcs { htlcs: vec![told] }) else {
            panic!("not started");
        };
        let actions = decode(&started.actions);
        let deadlines: Vec<_> = actions
            .iter()
            .filter_map(|action| match action {
                Action::Claim(claim) => Some((claim.kind, claim.deadline)),
                _ => None,
            })
            .collect();
        assert!(deadlines.contains(&(TxKind::OurDelayedReturnToWallet, None)));
        let sentences: Vec<String> = actions
            .iter()
            .filter_map(|action| match action {
                Action::Claim(claim) => Some(claim_line(claim)),
                _ => None,
            })
            .collect();
        let delayed = "Telling lightningd about OUR_DELAYED_RETURN_TO_WALLET to resolve \
             OUR_UNILATERAL/DELAYED_OUTPUT_TO_US after block 253 (143 more blocks)";
        assert!(sentences.iter().any(|line| line == delayed));
        assert!(deadlines.contains(&(TxKind::OurHtlcTimeoutTx, Some(BlockHeight(180)))));
        let event = Event::Preimage {
            preimage: preimage(2),
        };
        let actions = master.event(111, &event);
        assert!(matches!(
            actions.as_slice(),
            [Action::Claim(claim)] if claim.kind == TxKind::OurHtlcSuccessTx
        ));
        assert!(master.event(112, &Event::Tip).is_empty());
        std::mem::take(&mut master.log)
    });
    assert_eq!(end, End::Abandoned);
    let says = |text: &str| log.iter().any(|line| line.contains(text));
    assert!(says(
        "Resolved FUNDING_TRANSACTION/FUNDING_OUTPUT by OUR_UNILATERAL"
    ));
    assert!(says(
        "Propose ignoring OUR_UNILATERAL/THEIR_HTLC as THEIR_HTLC_TIMEOUT_TO_THEM after block 140 (30 more blocks)"
    ));
    assert!(!says("Telling lightningd"), "lightningd says so itself");
}

#[test]
fn a_channel_without_htlcs_is_forgotten_when_their_close_is_deep() {
    let mut pair = Pair::normal();
    pair.offer(0, 100_000_000, 1).unwrap();
    pair.settle();
    pair.fulfill(1, 0, 1);
    pair.settle();
    let tx = commitment(&pair.nodes[1]);
    let (log, end) = in_thread(&pair.nodes[0], &tx, |master| {
        let FromOnchaind::Started(started) = master.ask(OnchaindHtlcs { htlcs: Vec::new() }) else {
            panic!("not started");
        };
        let actions = decode(&started.actions);
        assert!(
            actions
                .iter()
                .any(|action| matches!(action, Action::ToWallet { csv: 1, .. }))
        );
        let actions = master.event(209, &Event::Tip);
        assert_eq!(actions, [Action::Forget]);
        std::mem::take(&mut master.log)
    });
    assert_eq!(end, End::Resolved);
    assert!(log.contains(&"Their unilateral tx, new commit point".to_owned()));
}
