//! Form and signatures of one announcement, without regard to anything else known.

use std::sync::OnceLock;

use bitcoin::secp256k1::{Message, PublicKey, Secp256k1, VerifyOnly, ecdsa};
use ln_codec::Decode;
use ln_types::NodeId;
use ln_wire::{ChannelAnnouncement, ChannelUpdate, NodeAddress, NodeAnnouncement, PeerMessage};

use crate::GossipError;

/// One of the three announcements.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "short-lived: one message is looked at a time"
)]
pub enum Announcement {
    /// `channel_announcement`.
    Channel(ChannelAnnouncement),
    /// `channel_update`.
    Update(ChannelUpdate),
    /// `node_announcement`.
    Node(NodeAnnouncement),
}

impl Announcement {
    /// Reads a message, type included.
    pub fn read(message: &[u8]) -> Result<Self, GossipError> {
        let number = PeerMessage::peek_number(message).unwrap_or_default();
        let body = message.get(2..).unwrap_or_default();
        let malformed = |what| move |reason| GossipError::Malformed { what, reason };
        match number {
            256 => ChannelAnnouncement::from_bytes(body)
                .map(Self::Channel)
                .map_err(malformed("channel_announcement")),
            257 => NodeAnnouncement::from_bytes(body)
                .map(Self::Node)
                .map_err(malformed("node_announcement")),
            258 => ChannelUpdate::from_bytes(body)
                .map(Self::Update)
                .map_err(malformed("channel_update")),
            number => Err(GossipError::NotGossip { number }),
        }
    }
}

fn signed_by(
    digest: &Message,
    signature: &ecdsa::Signature,
    key: &PublicKey,
    field: &'static str,
) -> Result<(), GossipError> {
    static CONTEXT: OnceLock<Secp256k1<VerifyOnly>> = OnceLock::new();
    CONTEXT
        .get_or_init(Secp256k1::verification_only)
        .verify_ecdsa(digest, signature, key)
        .map_err(|_| GossipError::BadSignature { field })
}

/// Whether the two ids are in order and distinct.
// BOLT 7 §The `channel_announcement` Message: node_id_1 is the lexicographically lesser of the two compressed keys.
pub fn node_id_order(announcement: &ChannelAnnouncement) -> Result<(), GossipError> {
    let (node_id_1, node_id_2) = (announcement.node_id_1, announcement.node_id_2);
    if node_id_1 < node_id_2 {
        Ok(())
    } else {
        Err(GossipError::NodeIdOrder {
            node_id_1,
            node_id_2,
        })
    }
}

/// Whether all four signatures are right.
// BOLT 7 §The `channel_announcement` Message: the receiver verifies the four signatures before anything else is believed.
pub fn channel_announcement(announcement: &ChannelAnnouncement) -> Result<(), GossipError> {
    let digest = announcement.signed_digest();
    let a = announcement;
    let (node_1, node_2) = (a.node_id_1.public_key(), a.node_id_2.public_key());
    signed_by(&digest, &a.node_signature_1, &node_1, "node_signature_1")?;
    signed_by(&digest, &a.node_signature_2, &node_2, "node_signature_2")?;
    signed_by(
        &digest,
        &a.bitcoin_signature_1,
        &a.bitcoin_key_1,
        "bitcoin_signature_1",
    )?;
    signed_by(
        &digest,
        &a.bitcoin_signature_2,
        &a.bitcoin_key_2,
        "bitcoin_signature_2",
    )
}

/// Whether `node` signed the update: `node_id_1` of the channel for direction 0, `node_id_2` for direction 1.
// BOLT 7 §The `channel_update` Message: the node id comes from the channel's announcement.
pub fn channel_update(update: &ChannelUpdate, node: NodeId) -> Result<(), GossipError> {
    signed_by(
        &update.signed_digest(),
        &update.signature,
        &node.public_key(),
        "channel_update signature",
    )
}

/// Whether the node signed it and its addresses can be read.
pub fn node_announcement(announcement: &NodeAnnouncement) -> Result<(), GossipError> {
    signed_by(
        &announcement.signed_digest(),
        &announcement.signature,
        &announcement.node_id.public_key(),
        "node_announcement signature",
    )?;
    // BOLT 7 §The `node_announcement` Message: known descriptors that addrlen cuts short deserve a warning.
    let addresses = announcement
        .addresses
        .parse()
        .map_err(|reason| GossipError::Malformed {
            what: "node_announcement addresses",
            reason,
        })?;
    // BOLT 7 §The `node_announcement` Message: one with several hostnames is not passed on.
    let is_dns = |address: &&NodeAddress| matches!(address, NodeAddress::Dns { .. });
    if addresses.iter().filter(is_dns).count() > 1 {
        return Err(GossipError::SeveralHostnames {
            node_id: announcement.node_id,
        });
    }
    Ok(())
}
