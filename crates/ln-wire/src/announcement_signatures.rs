//! BOLT 7 §The `announcement_signatures` Message.

use bitcoin::secp256k1::ecdsa;
use ln_codec::{Decode, Encode};
use ln_types::{ChannelId, ShortChannelId};

/// Our half of the signatures of a `channel_announcement`; goes to the channel peer only.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[codec(extensible)]
pub struct AnnouncementSignatures {
    /// The channel.
    pub channel_id: ChannelId,
    /// The funding output to announce.
    pub short_channel_id: ShortChannelId,
    /// By the node key.
    pub node_signature: ecdsa::Signature,
    /// By the funding key.
    pub bitcoin_signature: ecdsa::Signature,
}
