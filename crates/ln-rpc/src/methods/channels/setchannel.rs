//! `setchannel`

use ln_types::{ChannelId, Msat, NodeId, ShortChannelId};

use crate::methods::rpc_method;
use crate::params::rpc_params;
use crate::shape::rpc_object;

rpc_method! {
    /// Changes what we ask for forwarding through our channels.
    ///
    /// What is left out stays. Payments on the old terms are still taken for some minutes, as others hear of the new ones late.
    pub struct Setchannel = "setchannel" (SetchannelParams) -> SetchannelResponse {
        category: Channels,
        since: "",
    }
}

rpc_params! {
    /// The parameters of `setchannel`.
    pub struct SetchannelParams {
        /// The channel by id or place in the chain, a peer for all channels with it, or `all`.
        id: String,
        /// What to take for each payment.
        feebase: Option<Msat>,
        /// What to take besides, in millionths of the amount.
        feeppm: Option<u32>,
        /// The least to forward.
        htlcmin: Option<Msat>,
        /// The most to forward.
        htlcmax: Option<Msat>,
        /// For how many seconds the old terms still do.
        enforcedelay: u32 = 600_u32,
        /// Whether the peer may choose feerates that we find unreasonable.
        ignorefeelimits: Option<bool>,
    }
}

rpc_object! {
    /// The answer to `setchannel`.
    pub struct SetchannelResponse {
        /// The channels as they are now.
        channels: Vec<SetchannelEntry>,
    }

    /// One channel as it is now.
    pub struct SetchannelEntry {
        /// The peer.
        peer_id: NodeId,
        /// Its id.
        channel_id: ChannelId,
        /// Its place in the chain.
        short_channel_id: Option<ShortChannelId>,
        /// What we take for each payment.
        fee_base_msat: Msat,
        /// What we take besides, in millionths of the amount.
        fee_proportional_millionths: u32,
        /// Whether the peer may choose feerates that we find unreasonable.
        ignore_fee_limits: bool,
        /// The least we forward.
        minimum_htlc_out_msat: Msat,
        /// The peer does not take that little: its own minimum was set.
        warning_htlcmin_too_low: Option<String>,
        /// The most we forward.
        maximum_htlc_out_msat: Msat,
        /// The channel does not carry that much: the most it carries was set.
        warning_htlcmax_too_high: Option<String>,
    }
}
