//! `openchannel`: whether a peer may open a channel to us, and on which terms.

use ln_rpc::params::Hex;
use ln_types::{Msat, NodeId, Sat};
use serde::{Deserialize, Serialize};

use super::Hook;

/// Asked when a peer wants to open a channel.
pub const OPENCHANNEL: Hook<OpenChannel, OpenChannelAnswer> = Hook::named("openchannel");

/// What is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenChannel {
    /// What the peer wants.
    pub openchannel: IncomingChannel,
}

/// A channel that a peer wants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncomingChannel {
    /// The peer.
    pub id: NodeId,
    /// What the channel shall hold.
    pub funding_msat: Msat,
    /// What of that is ours from the start.
    pub push_msat: Msat,
    /// Outputs below this are left out of its commitments.
    pub dust_limit_msat: Msat,
    /// The most that may be on its way to it.
    pub max_htlc_value_in_flight_msat: Msat,
    /// What we must keep on our side.
    pub channel_reserve_msat: Msat,
    /// The least it takes.
    pub htlc_minimum_msat: Msat,
    /// The feerate of the first commitment, in satoshi for 1000 weight.
    pub feerate_per_kw: u32,
    /// How many blocks our coins are locked after we close alone.
    pub to_self_delay: u32,
    /// The most HTLCs that may be on their way to it.
    pub max_accepted_htlcs: u32,
    /// Bit 0: whether it shall be announced.
    pub channel_flags: u8,
    /// Where its coins shall go in a mutual close.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shutdown_scriptpubkey: Option<Hex>,
    /// The channel's type.
    #[serde(default)]
    pub channel_type: ChannelType,
}

/// A type of channels.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ChannelType {
    /// Its feature bits.
    pub bits: Vec<u32>,
    /// Their names.
    pub names: Vec<String>,
}

/// What may be answered. Of several plugins' terms the first count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "lowercase")]
pub enum OpenChannelAnswer {
    /// Take it, if the others do.
    Continue {
        /// The address our balance goes to in a mutual close.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        close_to: Option<String>,
        /// Confirmations to demand; 0 trusts the peer.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mindepth: Option<u32>,
        /// What the peer must keep on its side.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reserve: Option<Sat>,
    },
    /// Refuse it.
    Reject {
        /// What to tell the peer.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error_message: Option<String>,
    },
}

impl OpenChannelAnswer {
    /// Nothing to add.
    pub const CONTINUE: Self = Self::Continue {
        close_to: None,
        mindepth: None,
        reserve: None,
    };

    /// No, with a word for the peer.
    pub fn reject(why: impl Into<String>) -> Self {
        Self::Reject {
            error_message: Some(why.into()),
        }
    }
}

impl Default for OpenChannelAnswer {
    fn default() -> Self {
        Self::CONTINUE
    }
}
