//! The few fields of stored announcements that the graph needs, read without parsing keys and signatures.
//!
//! What is in the store was verified before it was written, so reading a large store need not pay for curve arithmetic again.

use ln_codec::{Decode, DecodeError, Reader};
use ln_types::{CltvDelta, Features, Msat, ShortChannelId};
use ln_wire::{ChannelUpdate, NodeAddresses};

use crate::NodeKey;

/// Bytes of the message type.
const TYPE: usize = 2;
/// Bytes of a signature.
const SIGNATURE: usize = 64;

/// A stored `channel_announcement`.
#[derive(Debug, Clone, Copy)]
pub struct ChannelAnnouncementView<'a> {
    features: &'a [u8],
    /// The channel.
    pub short_channel_id: ShortChannelId,
    /// The nodes, the lesser first.
    pub nodes: [NodeKey; 2],
}

impl<'a> ChannelAnnouncementView<'a> {
    /// Reads a message, type included.
    pub fn read(message: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(message);
        reader.take(TYPE)?;
        for _ in 0..4 {
            reader.take(SIGNATURE)?;
        }
        let length = usize::from(u16::decode(&mut reader)?);
        let features = reader.take(length)?;
        reader.take(32)?;
        Ok(Self {
            features,
            short_channel_id: Decode::decode(&mut reader)?,
            nodes: [NodeKey(reader.array()?), NodeKey(reader.array()?)],
        })
    }

    /// Features of the channel.
    pub fn features(&self) -> Features {
        Features::from_wire(self.features)
    }
}

/// A stored `channel_update`.
#[derive(Debug, Clone, Copy)]
pub struct ChannelUpdateView {
    /// The channel.
    pub short_channel_id: ShortChannelId,
    /// Seconds since 1970.
    pub timestamp: u32,
    /// See the constants of `ln_wire::ChannelUpdate`.
    pub message_flags: u8,
    /// See the constants of `ln_wire::ChannelUpdate`.
    pub channel_flags: u8,
    /// Blocks between the incoming and the outgoing expiry.
    pub cltv_expiry_delta: CltvDelta,
    /// The least HTLC.
    pub htlc_minimum_msat: Msat,
    /// Fixed fee per HTLC, in millisatoshi.
    pub fee_base_msat: u32,
    /// Proportional fee, in millionths.
    pub fee_proportional_millionths: u32,
    /// The largest HTLC.
    pub htlc_maximum_msat: Msat,
}

impl ChannelUpdateView {
    /// Reads a message, type included.
    pub fn read(message: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(message);
        reader.take(TYPE)?;
        reader.take(SIGNATURE)?;
        reader.take(32)?;
        let reader = &mut reader;
        Ok(Self {
            short_channel_id: Decode::decode(reader)?,
            timestamp: Decode::decode(reader)?,
            message_flags: Decode::decode(reader)?,
            channel_flags: Decode::decode(reader)?,
            cltv_expiry_delta: Decode::decode(reader)?,
            htlc_minimum_msat: Decode::decode(reader)?,
            fee_base_msat: Decode::decode(reader)?,
            fee_proportional_millionths: Decode::decode(reader)?,
            htlc_maximum_msat: Decode::decode(reader)?,
        })
    }

    /// 0 from the lesser node, 1 from the other.
    pub fn direction(&self) -> u8 {
        self.channel_flags & ChannelUpdate::DIRECTION
    }
}

/// A stored `node_announcement`.
#[derive(Debug, Clone)]
pub struct NodeAnnouncementView<'a> {
    features: &'a [u8],
    addresses: &'a [u8],
    /// Seconds since 1970.
    pub timestamp: u32,
    /// The node.
    pub node: NodeKey,
    /// Red, green, blue.
    pub rgb_color: [u8; 3],
    /// As the node wrote it.
    pub alias: [u8; 32],
}

impl<'a> NodeAnnouncementView<'a> {
    /// Reads a message, type included.
    pub fn read(message: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(message);
        reader.take(TYPE)?;
        reader.take(SIGNATURE)?;
        let length = usize::from(u16::decode(&mut reader)?);
        let features = reader.take(length)?;
        let timestamp = u32::decode(&mut reader)?;
        let node = NodeKey(reader.array()?);
        let rgb_color = reader.array()?;
        let alias = reader.array()?;
        let length = usize::from(u16::decode(&mut reader)?);
        Ok(Self {
            features,
            addresses: reader.take(length)?,
            timestamp,
            node,
            rgb_color,
            alias,
        })
    }

    /// Features of the node.
    pub fn features(&self) -> Features {
        Features::from_wire(self.features)
    }

    /// Where the node can be reached.
    pub fn addresses(&self) -> NodeAddresses {
        NodeAddresses(self.addresses.to_vec())
    }
}
