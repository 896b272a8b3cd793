//! Two nodes with one channel, in memory, on virtual time.
#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    clippy::as_conversions,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    clippy::cast_possible_truncation,
    clippy::struct_field_names,
    clippy::wildcard_enum_match_arm,
    reason = "shared by several test programs"
)]

pub mod rng;

use std::collections::{BTreeMap, VecDeque};

use bitcoin::hashes::Hash;
use bitcoin::{OutPoint, ScriptBuf, Txid};
use ln_channel::opening::{AcceptTerms, Incoming, OpenTerms, OpeningEnv, OpeningPolicy, Proposed};
use ln_channel::{
    Action, BySide, Channel, ChannelError, ChannelState, Env, Event, FeerateBounds, FundingPlace,
    Link, Notice, Offer, OnionPacket, Removal, Which,
};
use ln_codec::{Decode, Encode};
use ln_signer::InMemorySigner;
use ln_types::{
    BlockHeight, ChannelId, CltvExpiry, FeatureBit, Features, Feerate, HtlcId, Msat, Network,
    NodeId, PaymentPreimage, Sat, ShortChannelId, Side,
};
use ln_wire::PeerMessage;

pub const HEIGHT: BlockHeight = BlockHeight(100);

pub fn features() -> Features {
    [
        FeatureBit::DataLossProtect,
        FeatureBit::StaticRemotekey,
        FeatureBit::Anchors,
        FeatureBit::ShutdownAnysegwit,
        FeatureBit::ScidAlias,
        FeatureBit::Wumbo,
        FeatureBit::ChannelType,
    ]
    .into_iter()
    .map(FeatureBit::odd)
    .collect()
}

pub fn policy() -> OpeningPolicy {
    OpeningPolicy {
        min_capacity: Sat::from_sat(10_000),
        max_accepted_htlcs: 30,
        htlc_minimum: Msat::ZERO,
        max_htlc_value_in_flight: Msat::MAX,
        to_self_delay: 144,
        max_to_self_delay: 2016,
        dust_limit: Sat::from_sat(546),
        channel_reserve: None,
        minimum_depth: 3,
        min_feerate: Feerate::from_perkw(253),
        max_feerate: Feerate::from_perkw(50_000),
        allow_dust_reserve: false,
    }
}

pub fn preimage(number: u64) -> PaymentPreimage {
    let mut bytes = [7; 32];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    PaymentPreimage(bytes)
}

pub fn script(byte: u8) -> ScriptBuf {
    let mut bytes = vec![0, 20];
    bytes.extend([byte; 20]);
    ScriptBuf::from_bytes(bytes)
}

/// One of the two nodes.
#[derive(Clone)]
pub struct Node {
    pub channel: Channel,
    pub signer: InMemorySigner,
    pub node_ids: BySide<NodeId>,
    pub features: Features,
    pub feerates: FeerateBounds,
    pub max_dust_exposure: Msat,
    pub height: BlockHeight,
    pub funding: FundingPlace,
    pub alias: Option<ShortChannelId>,
    /// The state as last made durable.
    pub durable: Vec<u8>,
    /// Everything the node was told, in order.
    pub notices: Vec<Notice>,
    /// Everything else it was told.
    pub others: Vec<Action>,
    /// What it decided about HTLCs of the peer's.
    pub resolutions: BTreeMap<HtlcId, Removal>,
    pub offers: u64,
    /// The link came up in the step at hand.
    pub reestablished: bool,
}

impl Node {
    pub fn env(&self) -> Env<'_> {
        Env {
            height: self.height,
            feerates: self.feerates,
            max_dust_exposure: self.max_dust_exposure,
            our_features: &self.features,
            their_features: &self.features,
            node_ids: self.node_ids,
            chain_hash: Network::Regtest.chain_hash(),
            signer: &self.signer,
        }
    }

    pub fn state(&self) -> &ChannelState {
        self.channel.state()
    }
}

/// Which message of a step is the last that gets out: for crashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Crash {
    /// Before the state is durable.
    BeforePersist,
    /// After it is durable, before anything behind it.
    AfterPersist,
}

/// Two nodes and what is on the wire between them.
#[derive(Clone)]
pub struct Pair {
    pub nodes: [Node; 2],
    /// Messages on their way to each node.
    pub wires: [VecDeque<PeerMessage>; 2],
    /// The next step of this node that persists crashes it.
    pub crash: Option<(usize, Crash)>,
    /// Errors a node's step gave.
    pub errors: Vec<(usize, ChannelError)>,
    /// Whether a message may be followed by an error.
    pub lenient: bool,
}

pub struct Setup {
    pub funding: u64,
    pub push: u64,
    pub announce: bool,
    pub feerate: u32,
    pub policy: [OpeningPolicy; 2],
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            funding: 1_000_000,
            push: 400_000_000,
            announce: true,
            feerate: 1000,
            policy: [policy(), policy()],
        }
    }
}

pub fn signers() -> [InMemorySigner; 2] {
    [InMemorySigner::from_byte(1), InMemorySigner::from_byte(2)]
}

pub fn opening_env<'a>(
    signer: &'a InMemorySigner,
    features: &'a Features,
    policy: &'a OpeningPolicy,
) -> OpeningEnv<'a> {
    OpeningEnv {
        chain_hash: Network::Regtest.chain_hash(),
        height: HEIGHT,
        our_features: features,
        their_features: features,
        policy,
        signer,
    }
}

pub fn terms(setup: &Setup) -> OpenTerms {
    OpenTerms {
        temporary_channel_id: ChannelId([9; 32]),
        funding: Sat::from_sat(setup.funding),
        push: Msat::from_msat(setup.push),
        feerate: Feerate::from_perkw(setup.feerate),
        announce: setup.announce,
        channel_type: None,
        upfront_shutdown_script: None,
        reserve: None,
        minimum_depth: None,
    }
}

pub fn outpoint() -> OutPoint {
    OutPoint {
        txid: Txid::from_byte_array([0xaa; 32]),
        vout: 1,
    }
}

/// Opens a channel; the first node is the opener.
pub fn open(setup: &Setup) -> [ChannelState; 2] {
    let signers = signers();
    let features = features();
    let ours = opening_env(&signers[0], &features, &setup.policy[0]);
    let theirs = opening_env(&signers[1], &features, &setup.policy[1]);
    let (proposed, open) = Proposed::new(terms(setup), &ours).unwrap();
    let incoming = Incoming::new(open, &theirs).unwrap();
    let (awaiting, accept) = incoming.accept(&AcceptTerms::default(), &theirs).unwrap();
    let accepted = proposed.on_accept_channel(&accept, &ours).unwrap();
    let (created, message) = accepted.on_funding(outpoint(), &ours).unwrap();
    let (their_state, signed) = awaiting.on_funding_created(&message, &theirs).unwrap();
    let our_state = created.on_funding_signed(&signed, &ours).unwrap();
    [our_state, their_state]
}

impl Pair {
    /// A channel just opened, on the connection it was opened on.
    pub fn opened(setup: &Setup) -> Self {
        let states = open(setup);
        let signers = signers();
        let ids = signers.clone().map(|signer| signer.node().keys().node_id());
        let mut index = 0_usize;
        let nodes = states.map(|state| {
            let alias = ShortChannelId::new(1, 2, index as u16);
            let node = Node {
                durable: state.to_bytes(),
                channel: Channel::new(state, alias),
                signer: signers[index].clone(),
                node_ids: BySide {
                    local: ids[index],
                    remote: ids[1 - index],
                },
                features: features(),
                feerates: FeerateBounds {
                    desired: Feerate::from_perkw(setup.feerate),
                    min: Feerate::from_perkw(253),
                    max: Feerate::from_perkw(50_000),
                },
                max_dust_exposure: Msat::from_msat(50_000_000),
                height: HEIGHT,
                funding: FundingPlace::default(),
                alias,
                notices: Vec::new(),
                others: Vec::new(),
                resolutions: BTreeMap::new(),
                offers: 0,
                reestablished: false,
            };
            index += 1;
            node
        });
        let mut pair = Self {
            nodes,
            wires: [VecDeque::new(), VecDeque::new()],
            crash: None,
            errors: Vec::new(),
            lenient: false,
        };
        for node in 0..2 {
            pair.step(node, Event::LinkUp { first: true }).unwrap();
        }
        pair
    }

    /// A channel in normal operation.
    pub fn normal() -> Self {
        Self::normal_with(&Setup::default())
    }

    pub fn normal_with(setup: &Setup) -> Self {
        let mut pair = Self::opened(setup);
        pair.confirm(3);
        pair.settle();
        pair
    }

    /// The funding transaction gets this deep.
    pub fn confirm(&mut self, depth: u32) {
        for index in 0..2 {
            self.confirm_at(index, depth);
        }
    }

    pub fn confirm_at(&mut self, index: usize, depth: u32) {
        let place = FundingPlace {
            depth,
            scid: ShortChannelId::new(101, 1, 1),
        };
        self.nodes[index].funding = place;
        self.step(index, Event::Block(place)).unwrap();
    }

    /// One step of a node, all its actions carried out. An error must change nothing.
    pub fn step(&mut self, index: usize, event: Event) -> Result<(), ChannelError> {
        let node = &mut self.nodes[index];
        let before = node.channel.state().to_bytes();
        let link = node.channel.link();
        let mut channel = node.channel.clone();
        let result = channel.step(event, &node.env());
        node.channel = channel;
        match result {
            Ok(actions) => {
                self.carry_out(index, actions);
                Ok(())
            }
            Err(error) => {
                assert_eq!(before, node.channel.state().to_bytes(), "{error}");
                assert_eq!(link, node.channel.link());
                Err(error)
            }
        }
    }

    fn carry_out(&mut self, index: usize, actions: Vec<Action>) {
        let persists = |action: &Action| matches!(action, Action::Persist(_));
        assert!(actions.iter().filter(|action| persists(action)).count() <= 1);
        for action in actions {
            if persists(&action) && self.crash == Some((index, Crash::BeforePersist)) {
                return self.crashed(index);
            }
            let after = persists(&action);
            self.act(index, action);
            if after && self.crash == Some((index, Crash::AfterPersist)) {
                return self.crashed(index);
            }
        }
        if std::mem::take(&mut self.nodes[index].reestablished) {
            for (id, removal) in self.nodes[index].resolutions.clone() {
                self.step(index, Event::ResolveHtlc { id, removal })
                    .unwrap();
            }
        }
    }

    fn act(&mut self, index: usize, action: Action) {
        let node = &mut self.nodes[index];
        match action {
            Action::Send(message) => {
                // What goes over the wire decodes to the same.
                let bytes = message.to_bytes();
                assert_eq!(PeerMessage::from_bytes(&bytes).as_ref(), Ok(&message));
                self.wires[1 - index].push_back(message);
            }
            Action::Persist(notices) => {
                let before = ChannelState::from_bytes(&node.durable);
                let state = node.channel.state();
                node.durable = state.to_bytes();
                assert_eq!(ChannelState::from_bytes(&node.durable).as_ref(), Ok(state));
                for notice in &notices {
                    if let Notice::ReceivedRemoved(id) = notice {
                        node.resolutions.remove(id);
                    }
                    // The state that was durable before tells what is revoked now.
                    if let (Notice::Revoked { number, txid }, Ok(before)) = (notice, &before) {
                        let commitments = &before.commitments;
                        let revoked = commitments.unrevoked_commitment(&before.params).unwrap();
                        assert_eq!((revoked.number(), revoked.txid()), (*number, *txid));
                    }
                }
                node.notices.extend(notices);
            }
            Action::Forward(notice) => node.notices.push(notice),
            Action::Reestablished => node.reestablished = true,
            other => node.others.push(other),
        }
    }

    /// The process of a node ends and a new one starts from what is durable.
    fn crashed(&mut self, index: usize) {
        self.crash = None;
        self.nodes[index].reestablished = false;
        self.disconnect();
        self.restart(index);
    }

    pub fn restart(&mut self, index: usize) {
        assert_eq!(self.nodes[index].channel.link(), Link::Offline);
        let node = &mut self.nodes[index];
        let state = ChannelState::from_bytes(&node.durable).unwrap();
        node.channel = Channel::new(state, node.alias);
        let place = node.funding;
        self.step(index, Event::Block(place)).unwrap();
    }

    /// Delivers the next message to a node; an error is answered as the machine says.
    pub fn deliver(&mut self, index: usize) -> bool {
        let Some(message) = self.wires[index].pop_front() else {
            return false;
        };
        if let Err(error) = self.step(index, Event::Message(Box::new(message.clone()))) {
            assert!(self.lenient, "{index} on {message:?}: {error}");
            let actions = self.nodes[index].channel.respond(&error);
            self.errors.push((index, error));
            self.carry_out(index, actions);
        }
        true
    }

    /// Delivers everything until nothing moves.
    pub fn settle(&mut self) {
        while self.deliver(0) || self.deliver(1) {}
    }

    /// The connection breaks; what is on the wire is lost.
    pub fn disconnect(&mut self) {
        for index in 0..2 {
            self.wires[index].clear();
            if self.nodes[index].channel.link() != Link::Offline {
                self.step(index, Event::LinkDown).unwrap();
            }
        }
    }

    pub fn reconnect(&mut self) {
        for index in 0..2 {
            self.step(index, Event::LinkUp { first: false }).unwrap();
        }
    }

    pub fn is_connected(&self) -> bool {
        self.nodes[0].channel.link() != Link::Offline
    }

    /// Offers an HTLC; its preimage is `preimage(number)`.
    pub fn offer(&mut self, index: usize, msat: u64, number: u64) -> Result<(), ChannelError> {
        let offer = self.make_offer(index, msat, number);
        self.step(index, Event::OfferHtlc(offer))
    }

    pub fn make_offer(&mut self, index: usize, msat: u64, number: u64) -> Offer {
        self.nodes[index].offers += 1;
        Offer {
            request: self.nodes[index].offers,
            amount: Msat::from_msat(msat),
            payment_hash: preimage(number).hash(),
            cltv_expiry: CltvExpiry(HEIGHT.0 + 40),
            onion: OnionPacket::new([number as u8; 1366]),
            path_key: None,
            extra_tlvs: Vec::new(),
        }
    }

    pub fn resolve(&mut self, index: usize, id: u64, removal: Removal) {
        let id = HtlcId(id);
        self.nodes[index].resolutions.insert(id, removal.clone());
        self.step(index, Event::ResolveHtlc { id, removal })
            .unwrap();
    }

    pub fn fulfill(&mut self, index: usize, id: u64, number: u64) {
        self.resolve(
            index,
            id,
            Removal::Fulfilled {
                preimage: preimage(number),
                attribution_data: None,
            },
        );
    }

    pub fn fail(&mut self, index: usize, id: u64) {
        self.resolve(
            index,
            id,
            Removal::Failed {
                reason: vec![3; 292],
                attribution_data: None,
            },
        );
    }

    pub fn balances(&self, index: usize) -> (u64, u64) {
        let balances = self.nodes[index].state().commitments.balances;
        (balances.local.as_msat(), balances.remote.as_msat())
    }

    /// Both nodes see the same channel, each from its side, and no money is gone.
    pub fn check_agreement(&self) {
        let [one, other] = &self.nodes;
        for (ours, theirs) in [(one, other), (other, one)] {
            let (a, b) = (&ours.state().commitments, &theirs.state().commitments);
            assert_eq!(a.local_number, b.remote_number);
            assert_eq!(a.local_number, b.remote_unrevoked());
            assert_eq!(a.next_htlc_id.local, b.next_htlc_id.remote);
            assert_eq!(a.balances.local, b.balances.remote);
            let params = &ours.state().params;
            let view = a.reduce(params, Side::Local, Which::Signed).unwrap();
            let mirror = b
                .reduce(&theirs.state().params, Side::Remote, Which::Signed)
                .unwrap();
            assert_eq!(view.balances.local, mirror.balances.remote);
            assert_eq!(view.balances.remote, mirror.balances.local);
            assert_eq!(view.feerate, mirror.feerate);
            let ids = |view: &ln_channel::View<'_>, flip: bool| -> Vec<(Side, HtlcId, Msat)> {
                let mut ids: Vec<_> = view
                    .htlcs
                    .iter()
                    .map(|htlc| {
                        let side = if flip {
                            !htlc.offerer()
                        } else {
                            htlc.offerer()
                        };
                        (side, htlc.id, htlc.amount)
                    })
                    .collect();
                ids.sort_unstable();
                ids
            };
            assert_eq!(ids(&view, false), ids(&mirror, true));
        }
        self.check_money();
    }

    /// Nothing is made or lost, on any commitment of any node.
    pub fn check_money(&self) {
        for node in &self.nodes {
            let state = node.state();
            let total = state.params.funding_amount.to_msat().unwrap();
            for holder in [Side::Local, Side::Remote] {
                for which in [Which::Signed, Which::Next] {
                    let view = state
                        .commitments
                        .reduce(&state.params, holder, which)
                        .unwrap();
                    let htlcs: Msat = view.htlcs.iter().map(|htlc| htlc.amount).sum();
                    let sum = view
                        .balances
                        .local
                        .saturating_add(view.balances.remote)
                        .saturating_add(htlcs);
                    assert_eq!(sum, total);
                }
            }
        }
    }
}
