//! A hostile peer with an open channel: a machine does what is right until the test wants something else.

use bitcoin::{OutPoint, ScriptBuf};
use ln_channel::opening::{AcceptTerms, Incoming};
use ln_channel::{
    Action, BySide, Channel, ChannelState, Env, Event, FeerateBounds, FundingPlace, Link, Notice,
    Removal,
};
use ln_codec::{Decode, Encode};
use ln_testkit::nodes::{TestNet, TestNode};
use ln_testkit::peer::id;
use ln_types::{
    BlockHeight, ChannelId, Feerate, HtlcId, Msat, Network, NodeId, PaymentPreimage, ShortChannelId,
};
use ln_wire::{PeerMessage, Shutdown};
use serde_json::json;

use super::peer::{Hostile, pay_script};
use crate::support::{Pair, channel};

/// A peer with an open channel.
pub(crate) struct Living {
    pub(crate) peer: Hostile,
    pub(crate) machine: Channel,
    /// What the machine wanted done besides sending, since it was looked at last.
    pub(crate) done: Vec<Action>,
    node_id: NodeId,
    byte: u8,
    payments: u8,
}

/// The preimage of this number.
pub(crate) fn preimage(number: u8) -> PaymentPreimage {
    PaymentPreimage([number; 32])
}

impl Living {
    /// The peer of this byte opens a channel to the node and waits until both may use it.
    pub(crate) fn open(net: &TestNet, node: &TestNode, byte: u8) -> Self {
        let mut peer = Hostile::connect(node, byte);
        let accepted = peer.propose(byte);
        let funding = pay_script(net, &accepted.funding_script(), "0.01");
        let state = peer.open_on(accepted, funding);
        let mut living = Self::new(peer, node, byte, state);
        net.mine(1, &[node]);
        living.get_ready(node);
        living
    }

    /// The node opens a channel to the peer of this byte, out of its wallet.
    pub(crate) fn open_from(net: &TestNet, node: &TestNode, byte: u8) -> Self {
        let mut peer = Hostile::connect(node, byte);
        let state = std::thread::scope(|scope| {
            let params = json!({"id": peer.id(), "amount": 500_000, "feerate": "253perkw", "push_msat": 100_000_000});
            let opening = scope.spawn(move || node.call("fundchannel", params));
            let Some(PeerMessage::OpenChannel(open)) = peer.hear() else {
                panic!("no open_channel");
            };
            let incoming = Incoming::new(open, &peer.env()).unwrap();
            let terms = AcceptTerms {
                minimum_depth: Some(1),
                ..AcceptTerms::default()
            };
            let (awaiting, accept) = incoming.accept(&terms, &peer.env()).unwrap();
            peer.say(accept);
            let Some(PeerMessage::FundingCreated(created)) = peer.hear() else {
                panic!("no funding_created");
            };
            let (state, signed) = awaiting.on_funding_created(&created, &peer.env()).unwrap();
            peer.say(signed);
            opening.join().unwrap();
            state
        });
        let mut living = Self::new(peer, node, byte, state);
        net.mine(1, &[node]);
        living.get_ready(node);
        living
    }

    fn new(peer: Hostile, node: &TestNode, byte: u8, state: ChannelState) -> Self {
        let machine = Channel::new(state, None);
        Self {
            peer,
            machine,
            done: Vec::new(),
            node_id: node.id().parse().unwrap(),
            byte,
            payments: byte,
        }
    }

    fn get_ready(&mut self, node: &TestNode) {
        self.step(Event::LinkUp { first: true });
        let scid = self.scid(node).parse::<ShortChannelId>().ok();
        self.step(Event::Block(FundingPlace { depth: 1, scid }));
        self.follow("channel_ready on both sides", |living| {
            living.was_told(|notice| *notice == Notice::Ready)
        });
        node.wait_for("the channel", || {
            (self.state(node) == "CHANNELD_NORMAL").then_some(())
        });
    }

    /// The channel's id.
    pub(crate) fn channel_id(&self) -> ChannelId {
        self.machine.state().params.channel_id
    }

    /// What funds it.
    pub(crate) fn funding(&self) -> OutPoint {
        self.machine.state().params.funding
    }

    /// Its place in the chain, as the node knows it.
    pub(crate) fn scid(&self, node: &TestNode) -> String {
        node.wait_for("the channel's place", || {
            let channel = channel(node, &self.channel_id().to_string())?;
            Some(channel["short_channel_id"].as_str()?.to_owned())
        })
    }

    /// What the node has of it.
    pub(crate) fn state(&self, node: &TestNode) -> String {
        let channel = channel(node, &self.channel_id().to_string());
        let state = channel.and_then(|channel| channel["state"].as_str().map(str::to_owned));
        state.unwrap_or_default()
    }

    /// What the machine wants done about an event, its state changed.
    pub(crate) fn think(&mut self, event: Event) -> Vec<Action> {
        let features = self.peer.features.clone();
        let theirs = self.peer.theirs.clone();
        let any = FeerateBounds {
            desired: Feerate::from_perkw(253),
            min: Feerate::from_perkw(1),
            max: Feerate::from_perkw(u32::MAX),
        };
        let env = Env {
            height: BlockHeight(110),
            feerates: any,
            max_dust_exposure: Msat::MAX,
            our_features: &features,
            their_features: &theirs,
            node_ids: BySide {
                local: id(self.byte),
                remote: self.node_id,
            },
            chain_hash: Network::Regtest.chain_hash(),
            signer: &self.peer.signer,
        };
        self.machine.step(event, &env).unwrap()
    }

    /// Lets the machine act.
    pub(crate) fn step(&mut self, event: Event) {
        for action in self.think(event) {
            match action {
                // If the node is gone that is noticed when it is listened to.
                Action::Send(message) => {
                    let _gone = self.peer.wire.try_send(&message.to_bytes());
                }
                other => self.done.push(other),
            }
        }
    }

    /// The node's next message for the machine, or the end.
    pub(crate) fn hear(&mut self) -> Option<PeerMessage> {
        loop {
            let gossip = [256, 257, 258];
            let bytes = self.peer.wire.recv()?;
            match PeerMessage::from_bytes(&bytes) {
                Ok(PeerMessage::Ping(_) | PeerMessage::GossipTimestampFilter(_)) => {}
                Ok(message) if gossip.contains(&message.number()) => {}
                Ok(message) => return Some(message),
                Err(error) => panic!("the node sends what can't be read: {error}"),
            }
        }
    }

    /// Behaves until something is so.
    pub(crate) fn follow(&mut self, what: &str, so: impl Fn(&Self) -> bool) {
        while !so(self) {
            let Some(message) = self.hear() else {
                panic!("the node hung up before {what}");
            };
            if let PeerMessage::Error(error) = &message {
                panic!("{} before {what}", error.text());
            }
            self.step(Event::Message(Box::new(message)));
        }
    }

    /// Whether the machine told something like this.
    pub(crate) fn was_told(&self, wanted: impl Fn(&Notice) -> bool) -> bool {
        self.done.iter().any(|action| match action {
            Action::Persist(notices) => notices.iter().any(&wanted),
            Action::Forward(notice) => wanted(notice),
            _ => false,
        })
    }

    /// Connects anew and goes on where the two states are; the node may not have noticed yet that the last connection is over.
    pub(crate) fn reconnect(&mut self, node: &TestNode) {
        if self.machine.link() != Link::Offline {
            self.step(Event::LinkDown);
        }
        self.peer = Hostile::connect(node, self.byte);
        self.step(Event::LinkUp { first: false });
        while let Some(message) = self.hear() {
            self.step(Event::Message(Box::new(message)));
            if self.machine.link() == Link::Online {
                return;
            }
        }
        panic!("the node hangs up before channel_reestablish");
    }

    /// The node pays over the channel, which so is seen to work both ways.
    pub(crate) fn must_pay(&mut self, node: &TestNode) {
        let htlc = self.take_htlc(node, 20_000_000);
        self.fulfill(node, htlc);
    }

    /// The node offers an HTLC.
    pub(crate) fn offer(&mut self, node: &TestNode, amount_msat: u64) {
        self.payments += 1;
        let hash = preimage(self.payments).hash().to_string();
        let route = json!([{
            "id": self.peer.id(),
            "channel": self.scid(node),
            "amount_msat": amount_msat,
            "delay": 15,
        }]);
        node.wait_for("a channel that takes HTLCs", || {
            let channel = channel(node, &self.channel_id().to_string())?;
            (channel["reestablished"] == true && channel["peer_connected"] == true).then_some(())
        });
        let secret = "11".repeat(32);
        let params = json!({"route": route, "payment_hash": hash, "payment_secret": secret});
        node.call("sendpay", params);
    }

    /// The node offers an HTLC, which is committed on both sides.
    pub(crate) fn take_htlc(&mut self, node: &TestNode, amount_msat: u64) -> HtlcId {
        self.done.clear();
        self.offer(node, amount_msat);
        self.follow("an HTLC", |living| {
            living.was_told(|notice| matches!(notice, Notice::Received(_)))
        });
        let received = self.done.iter().find_map(|action| match action {
            Action::Persist(notices) => notices.iter().find_map(|notice| match notice {
                Notice::Received(htlc) => Some(htlc.id),
                _ => None,
            }),
            Action::Forward(Notice::Received(htlc)) => Some(htlc.id),
            _ => None,
        });
        received.unwrap()
    }

    /// Claims the HTLC that came last.
    pub(crate) fn fulfill(&mut self, node: &TestNode, id: HtlcId) {
        let preimage = preimage(self.payments);
        let removal = Removal::Fulfilled {
            preimage,
            attribution_data: None,
        };
        self.step(Event::ResolveHtlc { id, removal });
        self.follow("the end of an HTLC", |living| {
            living.was_told(|notice| *notice == Notice::ReceivedRemoved(id))
        });
        let hash = preimage.hash().to_string();
        let paid = node.call("waitsendpay", json!({"payment_hash": hash}));
        assert_eq!(paid["status"], "complete");
    }

    /// Says something wrong: the node says why, in words that contain these, hangs up, and has it in its log; connected anew, the
    /// channel is as before.
    pub(crate) fn must_be_warned(
        &mut self,
        node: &TestNode,
        what: &str,
        bytes: &[Vec<u8>],
        words: &str,
    ) {
        let mark = node.log().end();
        let before = self.state(node);
        self.peer.wire.send_many(bytes);
        let complaint = loop {
            match self.hear() {
                Some(PeerMessage::Warning(warning)) => break warning.text(),
                Some(PeerMessage::Error(error)) => panic!("{what}: error {}", error.text()),
                Some(_) => {}
                None => panic!("{what}: hung up without a word"),
            }
        };
        assert!(complaint.contains(words), "{what}: {complaint}");
        while self.hear().is_some() {}
        node.wait_log_after(mark, &complaint);
        self.reconnect(node);
        assert_eq!(self.state(node), before, "{what}");
    }

    /// The channel is on its way to the chain: the node's commitment is broadcast.
    pub(crate) fn must_go_on_chain(&self, net: &TestNet, node: &TestNode) {
        let funding = self.funding();
        node.wait_for("the commitment", || {
            let spent = |txid: &String| {
                let raw = net.chain.call("getrawtransaction", json!([txid]));
                let decoded = net.chain.call("decoderawtransaction", json!([raw]));
                decoded["vin"][0]["txid"] == funding.txid.to_string()
                    && decoded["vin"][0]["vout"] == funding.vout
            };
            net.chain.mempool().iter().any(spent).then_some(())
        });
        assert!(!self.state(node).is_empty(), "the channel is lost");
    }
}

/// The bytes of a message.
pub(crate) fn bytes(message: impl Into<PeerMessage>) -> Vec<u8> {
    message.into().to_bytes()
}

/// `shutdown` with this script.
pub(crate) fn shutdown(channel_id: ChannelId, script: &[u8]) -> Vec<u8> {
    bytes(Shutdown {
        channel_id,
        scriptpubkey: ScriptBuf::from_bytes(script.to_vec()),
        tlvs: ln_wire::ShutdownTlvs::default(),
    })
}

/// The node answers, and pays over its channel with somebody honest.
pub(crate) fn must_answer(pair: &Pair, label: &str) {
    assert_eq!(pair.l1.call("getinfo", json!({}))["id"], pair.l1.id());
    pair.pay(1_000_000, label);
}
