//! `htlc_accepted`: what becomes of an HTLC that a peer offered.

use ln_rpc::params::{Hex, Secret32};
use ln_types::{
    ChannelId, Msat, NodeId, PaymentHash, PaymentPreimage, PaymentSecret, ShortChannelId,
};
use serde::{Deserialize, Serialize};

use super::Hook;

/// Asked about each HTLC that a peer offered, when both sides are committed to it; again after a restart if it is still there. It waits for
/// the answer, so a plugin may hold it: until shortly before it times out, when the node fails it to keep the channel.
pub const HTLC_ACCEPTED: Hook<HtlcAccepted, HtlcAcceptedAnswer> = Hook::named("htlc_accepted");

/// What is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HtlcAccepted {
    /// Who offers it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer_id: Option<NodeId>,
    /// What its onion says to us.
    pub onion: AcceptedOnion,
    /// The HTLC.
    pub htlc: AcceptedHtlc,
    /// The channel it is to be forwarded over; nothing if it is for us.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forward_to: Option<ChannelId>,
}

/// What an onion says to us.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcceptedOnion {
    /// Our payload, with its length before it.
    pub payload: Hex,
    /// `tlv`, if the payload can be read.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The channel to forward over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub short_channel_id: Option<ShortChannelId>,
    /// The node to forward to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_node_id: Option<NodeId>,
    /// How much to forward; what we are to get where we are the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forward_msat: Option<Msat>,
    /// The block by which the next hop must be done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outgoing_cltv_value: Option<u32>,
    /// What all parts of the payment amount to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_msat: Option<Msat>,
    /// The secret of the invoice that is paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_secret: Option<PaymentSecret>,
    /// What the invoice wanted to be sent along.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_metadata: Option<Hex>,
    /// The onion for the next hop; empty where we are the last.
    pub next_onion: Hex,
    /// What encrypts failures on their way back.
    pub shared_secret: Secret32,
}

impl AcceptedOnion {
    /// Whether the payment ends here.
    pub fn is_last(&self) -> bool {
        self.short_channel_id.is_none() && self.next_node_id.is_none()
    }
}

/// An HTLC that a peer offered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcceptedHtlc {
    /// The channel it came over.
    pub short_channel_id: ShortChannelId,
    /// Its number in that channel.
    pub id: u64,
    /// How much it is.
    pub amount_msat: Msat,
    /// The block by which it must be done.
    pub cltv_expiry: u32,
    /// How many blocks that is from now.
    pub cltv_expiry_relative: u32,
    /// The hash of what it is paid for.
    pub payment_hash: PaymentHash,
    /// What else its message held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extra_tlvs: Option<Hex>,
}

/// What may be answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "lowercase")]
pub enum HtlcAcceptedAnswer {
    /// Go on as usual, perhaps with something changed.
    Continue {
        /// Another payload, without its length.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        payload: Option<Hex>,
        /// Another channel to forward over.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        forward_to: Option<ChannelId>,
        /// What to send along in the message.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        extra_tlvs: Option<Hex>,
        /// What the invoice asks for, in place of what it says.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        invoice_msat: Option<Msat>,
    },
    /// Fail it; with neither member as a temporary failure of this node.
    Fail {
        /// The failure in clear (BOLT 4).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        failure_message: Option<Hex>,
        /// The failure, encrypted already.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        failure_onion: Option<Hex>,
    },
    /// Take it.
    Resolve {
        /// What it is paid for.
        payment_key: PaymentPreimage,
    },
}

impl HtlcAcceptedAnswer {
    /// Nothing to add.
    pub const CONTINUE: Self = Self::Continue {
        payload: None,
        forward_to: None,
        extra_tlvs: None,
        invoice_msat: None,
    };

    /// Fails it with a message in clear: a failure code of BOLT 4 in two bytes, and what belongs to it.
    pub fn fail(message: impl Into<Vec<u8>>) -> Self {
        Self::Fail {
            failure_message: Some(Hex(message.into())),
            failure_onion: None,
        }
    }

    /// Takes it.
    pub fn resolve(payment_key: PaymentPreimage) -> Self {
        Self::Resolve { payment_key }
    }
}

impl Default for HtlcAcceptedAnswer {
    fn default() -> Self {
        Self::CONTINUE
    }
}
