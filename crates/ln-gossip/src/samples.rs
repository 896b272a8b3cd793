//! Signed announcements of made-up channels, for tests.

use bitcoin::ScriptBuf;
use bitcoin::secp256k1::{Message, PublicKey, Secp256k1, SecretKey, ecdsa};
use ln_codec::Encode;
use ln_tx::script::funding_script_pubkey;
use ln_types::{CltvDelta, Features, Msat, Network, NodeId, Sat, ShortChannelId};
use ln_wire::{
    ChannelAnnouncement, ChannelUpdate, FeatureBytes, NodeAddresses, NodeAnnouncement, PeerMessage,
};

use crate::Graph;
use crate::store::{self, ChannelAmount, Records, internal_bytes};

fn secret(seed: u8, purpose: u8) -> SecretKey {
    let mut bytes = [purpose; 32];
    if let Some(first) = bytes.first_mut() {
        *first = seed;
    }
    SecretKey::from_slice(&bytes).expect("small numbers are keys")
}

fn public(secret: &SecretKey) -> PublicKey {
    secret.public_key(&Secp256k1::new())
}

fn sign(digest: &Message, secret: &SecretKey) -> ecdsa::Signature {
    Secp256k1::new().sign_ecdsa(digest, secret)
}

/// The bytes of a message, type included.
pub fn bytes(message: impl Into<PeerMessage>) -> Vec<u8> {
    message.into().to_bytes()
}

/// What a store with these messages adds up to.
pub fn graph(messages: &[Vec<u8>]) -> Graph {
    let mut bytes = store::new_store([7; 32]);
    for message in messages {
        store::append(&mut bytes, message, 0);
    }
    let mut graph = Graph::new();
    let mut records = Records::new(bytes.get(1..).unwrap_or_default(), 1);
    while let Some(record) = records.next_record().expect("a whole store") {
        graph.apply(&record);
    }
    assert_eq!(records.remaining(), 0);
    graph
}

/// The record of a channel's amount.
pub fn amount(sat: u64) -> Vec<u8> {
    internal_bytes(ChannelAmount {
        satoshis: Sat::from_sat(sat),
    })
}

/// A node with a key made from a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SampleNode(
    /// The number.
    pub u8,
);

impl SampleNode {
    /// Its id.
    pub fn id(self) -> NodeId {
        public(&self.secret()).into()
    }

    fn secret(self) -> SecretKey {
        secret(self.0, 1)
    }

    /// Its announcement, with a change made before it is signed.
    pub fn announcement_with(
        self,
        timestamp: u32,
        change: impl FnOnce(&mut NodeAnnouncement),
    ) -> NodeAnnouncement {
        let dummy = sign(&Message::from_digest([1; 32]), &self.secret());
        let mut announcement = NodeAnnouncement {
            signature: dummy,
            features: FeatureBytes::from(&Features::new()),
            timestamp,
            node_id: self.id(),
            rgb_color: [2, 0, self.0],
            alias: *b"SAMPLE\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
            addresses: NodeAddresses::default(),
            extension: Vec::new(),
        };
        change(&mut announcement);
        announcement.signature = sign(&announcement.signed_digest(), &self.secret());
        announcement
    }

    /// Its announcement.
    pub fn announcement(self, timestamp: u32) -> Vec<u8> {
        bytes(self.announcement_with(timestamp, |_| ()))
    }
}

/// A channel on regtest between two nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SampleChannel {
    /// Where it is.
    pub scid: ShortChannelId,
    /// Its nodes, the lesser first.
    pub nodes: [SampleNode; 2],
}

impl SampleChannel {
    /// A channel of two nodes, in either order.
    pub fn new(scid: ShortChannelId, a: SampleNode, b: SampleNode) -> Self {
        let nodes = if a.id() < b.id() { [a, b] } else { [b, a] };
        Self { scid, nodes }
    }

    fn funding_secret(node: SampleNode) -> SecretKey {
        secret(node.0, 2)
    }

    fn node(&self, direction: u8) -> SampleNode {
        let [one, two] = self.nodes;
        if direction == 0 { one } else { two }
    }

    /// The funding output's script.
    pub fn script(&self) -> ScriptBuf {
        let [one, two] = self.nodes.map(Self::funding_secret);
        funding_script_pubkey(&public(&one), &public(&two))
    }

    /// Its announcement, with a change made before it is signed.
    pub fn announcement_with(
        &self,
        change: impl FnOnce(&mut ChannelAnnouncement),
    ) -> ChannelAnnouncement {
        let [one, two] = self.nodes;
        let dummy = sign(&Message::from_digest([1; 32]), &one.secret());
        let mut announcement = ChannelAnnouncement {
            node_signature_1: dummy,
            node_signature_2: dummy,
            bitcoin_signature_1: dummy,
            bitcoin_signature_2: dummy,
            features: FeatureBytes::default(),
            chain_hash: Network::Regtest.chain_hash(),
            short_channel_id: self.scid,
            node_id_1: one.id(),
            node_id_2: two.id(),
            bitcoin_key_1: public(&Self::funding_secret(one)),
            bitcoin_key_2: public(&Self::funding_secret(two)),
            extension: Vec::new(),
        };
        change(&mut announcement);
        let digest = announcement.signed_digest();
        announcement.node_signature_1 = sign(&digest, &one.secret());
        announcement.node_signature_2 = sign(&digest, &two.secret());
        announcement.bitcoin_signature_1 = sign(&digest, &Self::funding_secret(one));
        announcement.bitcoin_signature_2 = sign(&digest, &Self::funding_secret(two));
        announcement
    }

    /// Its announcement.
    pub fn announcement(&self) -> Vec<u8> {
        bytes(self.announcement_with(|_| ()))
    }

    /// An update of one direction, with a change made before it is signed.
    pub fn update_with(
        &self,
        direction: u8,
        timestamp: u32,
        change: impl FnOnce(&mut ChannelUpdate),
    ) -> ChannelUpdate {
        let secret = self.node(direction).secret();
        let mut update = ChannelUpdate {
            signature: sign(&Message::from_digest([1; 32]), &secret),
            chain_hash: Network::Regtest.chain_hash(),
            short_channel_id: self.scid,
            timestamp,
            message_flags: ChannelUpdate::MUST_BE_ONE,
            channel_flags: direction,
            cltv_expiry_delta: CltvDelta(6),
            htlc_minimum_msat: Msat::from_msat(1),
            fee_base_msat: 1000,
            fee_proportional_millionths: 10,
            htlc_maximum_msat: Msat::from_msat(990_000_000),
            extension: Vec::new(),
        };
        change(&mut update);
        update.signature = sign(&update.signed_digest(), &secret);
        update
    }

    /// An update of one direction.
    pub fn update(&self, direction: u8, timestamp: u32) -> Vec<u8> {
        bytes(self.update_with(direction, timestamp, |_| ()))
    }
}
