//! A peer that can do all that a good one does, and stops doing so when the test wants.

use bitcoin::secp256k1::PublicKey;
use bitcoin::{OutPoint, ScriptBuf, Txid};
use ln_channel::ChannelState;
use ln_channel::opening::{Accepted, OpenTerms, OpeningEnv, OpeningPolicy, Proposed};
use ln_codec::{Decode, Encode};
use ln_signer::{InMemorySigner, Signer as _};
use ln_testkit::nodes::{TestNet, TestNode};
use ln_testkit::peer::{RawPeer, id};
use ln_types::{
    BlockHeight, ChannelId, CommitmentNumber, FeatureBit, Features, Feerate, Msat, NetAddr,
    Network, Sat,
};
use ln_wire::{AcceptChannel, FundingCreated, OpenChannel, PeerMessage};
use serde_json::{Value, json};

/// What its channels hold.
pub(crate) const AMOUNT: Sat = Sat::from_sat(1_000_000);

/// A peer of a node, past `init`.
pub(crate) struct Hostile {
    pub(crate) wire: RawPeer,
    pub(crate) signer: InMemorySigner,
    policy: OpeningPolicy,
    pub(crate) features: Features,
    pub(crate) theirs: Features,
    byte: u8,
}

/// What it opens.
pub(crate) fn terms(temporary: u8) -> OpenTerms {
    OpenTerms {
        temporary_channel_id: ChannelId([temporary; 32]),
        funding: AMOUNT,
        push: Msat::from_msat(300_000_000),
        feerate: Feerate::from_perkw(253),
        announce: true,
        channel_type: None,
        upfront_shutdown_script: None,
        reserve: None,
        minimum_depth: None,
    }
}

/// An outpoint nobody ever heard of.
pub(crate) fn nowhere(byte: u8) -> OutPoint {
    let txid: Txid = format!("{byte:02x}").repeat(32).parse().unwrap();
    OutPoint { txid, vout: 1 }
}

impl Hostile {
    /// Connects to a node as the peer of this byte.
    pub(crate) fn connect(node: &TestNode, byte: u8) -> Self {
        let address: NetAddr = format!("127.0.0.1:{}", node.port()).parse().unwrap();
        let mut wire = RawPeer::handshake(&address, node.id().parse().unwrap(), byte);
        let features: Features = [
            FeatureBit::DataLossProtect,
            FeatureBit::VarOnion,
            FeatureBit::StaticRemotekey,
            FeatureBit::PaymentSecret,
            FeatureBit::Anchors,
            FeatureBit::ShutdownAnysegwit,
            FeatureBit::ChannelType,
            FeatureBit::Wumbo,
        ]
        .into_iter()
        .map(FeatureBit::odd)
        .collect();
        let theirs = wire.exchange_init(&features).features;
        Self {
            wire,
            signer: InMemorySigner::from_byte(byte),
            policy: OpeningPolicy {
                min_capacity: Sat::ZERO,
                max_accepted_htlcs: 483,
                htlc_minimum: Msat::ZERO,
                max_htlc_value_in_flight: Msat::MAX,
                to_self_delay: 6,
                max_to_self_delay: 2016,
                dust_limit: Sat::from_sat(546),
                channel_reserve: None,
                minimum_depth: 1,
                min_feerate: Feerate::from_perkw(1),
                max_feerate: Feerate::from_perkw(u32::MAX),
                allow_dust_reserve: false,
            },
            features,
            theirs,
            byte,
        }
    }

    /// Its node id.
    pub(crate) fn id(&self) -> String {
        id(self.byte).to_string()
    }

    /// What an opening may know.
    pub(crate) fn env(&self) -> OpeningEnv<'_> {
        OpeningEnv {
            chain_hash: Network::Regtest.chain_hash(),
            height: BlockHeight(101),
            our_features: &self.features,
            their_features: &self.theirs,
            policy: &self.policy,
            signer: &self.signer,
        }
    }

    /// Sends a message.
    pub(crate) fn say(&mut self, message: impl Into<PeerMessage>) {
        self.wire.send(&message.into().to_bytes());
    }

    /// The next message that is about a channel or an error, or the end.
    pub(crate) fn hear(&mut self) -> Option<PeerMessage> {
        loop {
            let bytes = self.wire.recv()?;
            match PeerMessage::from_bytes(&bytes) {
                Ok(PeerMessage::Ping(_) | PeerMessage::GossipTimestampFilter(_)) => {}
                Ok(message) => return Some(message),
                Err(error) => panic!("the node sends what can't be read: {error}"),
            }
        }
    }

    /// The text of the error or warning that comes next.
    pub(crate) fn hear_complaint(&mut self) -> String {
        match self.hear() {
            Some(PeerMessage::Error(error)) => error.text(),
            Some(PeerMessage::Warning(warning)) => warning.text(),
            other => panic!("{other:?} in place of a complaint"),
        }
    }

    /// A proper `open_channel`.
    pub(crate) fn proposal(&self, temporary: u8) -> (Proposed, OpenChannel) {
        Proposed::new(terms(temporary), &self.env()).unwrap()
    }

    /// Says it and hears `accept_channel`.
    pub(crate) fn propose(&mut self, temporary: u8) -> Accepted {
        let (proposed, open) = self.proposal(temporary);
        self.say(open);
        match self.hear() {
            Some(PeerMessage::AcceptChannel(accept)) => {
                proposed.on_accept_channel(&accept, &self.env()).unwrap()
            }
            other => panic!("{other:?} in place of accept_channel"),
        }
    }

    /// Its commitment point of this number.
    pub(crate) fn point(&self, number: u64) -> PublicKey {
        let point = self.signer.per_commitment_point(CommitmentNumber(number));
        point.unwrap()
    }

    /// Takes `accept_channel`.
    pub(crate) fn accepted(&self, proposed: Proposed, accept: &AcceptChannel) -> Accepted {
        proposed.on_accept_channel(accept, &self.env()).unwrap()
    }

    /// A proper `funding_created` for this outpoint.
    pub(crate) fn funding_created(
        &self,
        accepted: Accepted,
        funding: OutPoint,
    ) -> (ln_channel::opening::Created, FundingCreated) {
        accepted.on_funding(funding, &self.env()).unwrap()
    }

    /// Opens a channel on this outpoint.
    pub(crate) fn open_on(&mut self, accepted: Accepted, funding: OutPoint) -> ChannelState {
        let (created, message) = self.funding_created(accepted, funding);
        self.say(message);
        match self.hear() {
            Some(PeerMessage::FundingSigned(signed)) => {
                created.on_funding_signed(&signed, &self.env()).unwrap()
            }
            other => panic!("{other:?} in place of funding_signed"),
        }
    }
}

/// Has the chain's wallet pay a script; where it did.
pub(crate) fn pay_script(net: &TestNet, script: &ScriptBuf, amount: &str) -> OutPoint {
    let address = bitcoin::Address::from_script(script, bitcoin::Network::Regtest).unwrap();
    let txid = net.chain.send(&address.to_string(), amount);
    let raw = net.chain.call("getrawtransaction", json!([txid]));
    let decoded = net.chain.call("decoderawtransaction", json!([raw]));
    let outputs = decoded["vout"].as_array().unwrap();
    let place = outputs
        .iter()
        .position(|output| output["scriptPubKey"]["address"] == address.to_string());
    OutPoint {
        txid: txid.parse().unwrap(),
        vout: u32::try_from(place.unwrap()).unwrap(),
    }
}

/// The channels of a node with this peer.
pub(crate) fn channels_with(node: &TestNode, peer: &str) -> Vec<Value> {
    let reply = node.call("listpeerchannels", json!({"id": peer}));
    reply["channels"].as_array().unwrap().clone()
}
