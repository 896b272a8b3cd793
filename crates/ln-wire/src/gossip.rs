//! Announcements: BOLT 7 §The `channel_announcement` Message, §The `node_announcement` Message, §The `channel_update` Message.
//!
//! Others' signatures cover these bytes, so decoding loses nothing: feature fields keep leading zeros, addresses stay as they came,
//! and whatever follows the known fields is kept in `extension`.

use std::fmt;

use bitcoin::hashes::{Hash, sha256d};
use bitcoin::secp256k1::{Message, PublicKey, ecdsa};
use ln_codec::{Decode, Encode};
use ln_types::{CltvDelta, Features, Msat, NodeId, ShortChannelId};

use crate::NodeAddresses;

/// A feature field with its exact bytes.
#[derive(Clone, PartialEq, Eq, Default, Encode, Decode)]
pub struct FeatureBytes(
    /// The bytes, highest bits first.
    pub Vec<u8>,
);

impl FeatureBytes {
    /// The features they mean.
    pub fn features(&self) -> Features {
        Features::from_wire(&self.0)
    }
}

impl From<&Features> for FeatureBytes {
    fn from(features: &Features) -> Self {
        Self(features.to_wire())
    }
}

impl fmt::Debug for FeatureBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.features().fmt(f)
    }
}

/// The digest that gossip signatures sign: double SHA256 of the body from `offset` (after the signatures) on.
fn digest<M: Encode>(message: &M, offset: usize) -> Message {
    let bytes = message.to_bytes();
    let signed = bytes.get(offset..).unwrap_or_default();
    Message::from_digest(sha256d::Hash::hash(signed).to_byte_array())
}

/// Proves that two nodes own a funding output.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ChannelAnnouncement {
    /// By `node_id_1`.
    pub node_signature_1: ecdsa::Signature,
    /// By `node_id_2`.
    pub node_signature_2: ecdsa::Signature,
    /// By `bitcoin_key_1`.
    pub bitcoin_signature_1: ecdsa::Signature,
    /// By `bitcoin_key_2`.
    pub bitcoin_signature_2: ecdsa::Signature,
    /// Features of the channel.
    pub features: FeatureBytes,
    /// The chain.
    pub chain_hash: [u8; 32],
    /// Where the funding output is.
    pub short_channel_id: ShortChannelId,
    /// The lesser node id.
    pub node_id_1: NodeId,
    /// The greater node id.
    pub node_id_2: NodeId,
    /// The funding key of `node_id_1`.
    pub bitcoin_key_1: PublicKey,
    /// The funding key of `node_id_2`.
    pub bitcoin_key_2: PublicKey,
    /// Fields of a later version, unread.
    #[codec(rest)]
    pub extension: Vec<u8>,
}

impl ChannelAnnouncement {
    /// What all four signatures sign.
    // BOLT 7 §The `channel_announcement` Message: everything behind the signatures (offset 256), unknown fields included.
    pub fn signed_digest(&self) -> Message {
        digest(self, 256)
    }
}

/// Describes a node.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct NodeAnnouncement {
    /// By `node_id`.
    pub signature: ecdsa::Signature,
    /// Features of the node.
    pub features: FeatureBytes,
    /// Seconds since 1970; a later one replaces an earlier one.
    pub timestamp: u32,
    /// The node.
    pub node_id: NodeId,
    /// Red, green, blue.
    pub rgb_color: [u8; 3],
    /// UTF-8 if the node is honest, padded with zeros.
    pub alias: [u8; 32],
    /// Where it can be reached.
    pub addresses: NodeAddresses,
    /// Records and fields behind the addresses, unread.
    #[codec(rest)]
    pub extension: Vec<u8>,
}

impl NodeAnnouncement {
    /// What the signature signs.
    // BOLT 7 §The `node_announcement` Message: everything behind the signature, unknown fields included.
    pub fn signed_digest(&self) -> Message {
        digest(self, 64)
    }
}

/// What one side of a channel asks for forwarding.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ChannelUpdate {
    /// By the node that `channel_flags` names.
    pub signature: ecdsa::Signature,
    /// The chain.
    pub chain_hash: [u8; 32],
    /// The channel.
    pub short_channel_id: ShortChannelId,
    /// Seconds since 1970; a later one replaces an earlier one.
    pub timestamp: u32,
    /// See [`ChannelUpdate::MUST_BE_ONE`] and [`ChannelUpdate::DONT_FORWARD`].
    pub message_flags: u8,
    /// See [`ChannelUpdate::DIRECTION`] and [`ChannelUpdate::DISABLE`].
    pub channel_flags: u8,
    /// Blocks between the incoming and the outgoing expiry.
    pub cltv_expiry_delta: CltvDelta,
    /// The least HTLC it forwards.
    pub htlc_minimum_msat: Msat,
    /// Fixed fee per HTLC, in millisatoshi.
    pub fee_base_msat: u32,
    /// Proportional fee, in millionths of the forwarded amount.
    pub fee_proportional_millionths: u32,
    /// The largest HTLC it forwards.
    pub htlc_maximum_msat: Msat,
    /// Fields of a later version, unread.
    #[codec(rest)]
    pub extension: Vec<u8>,
}

impl ChannelUpdate {
    /// Bit of `message_flags`: always set.
    pub const MUST_BE_ONE: u8 = 1;
    /// Bit of `message_flags`: for the channel peer only.
    pub const DONT_FORWARD: u8 = 2;
    /// Bit of `channel_flags`: from `node_id_2`.
    pub const DIRECTION: u8 = 1;
    /// Bit of `channel_flags`: nothing can be forwarded now.
    pub const DISABLE: u8 = 2;

    /// 0 when it is from `node_id_1`, 1 when it is from `node_id_2`.
    pub fn direction(&self) -> u8 {
        self.channel_flags & Self::DIRECTION
    }

    /// Whether the channel is switched off in this direction.
    pub fn is_disabled(&self) -> bool {
        self.channel_flags & Self::DISABLE != 0
    }

    /// Whether it must not be passed on.
    pub fn dont_forward(&self) -> bool {
        self.message_flags & Self::DONT_FORWARD != 0
    }

    /// What the signature signs.
    // BOLT 7 §The `channel_update` Message: everything behind the signature, unknown fields included.
    pub fn signed_digest(&self) -> Message {
        digest(self, 64)
    }
}
