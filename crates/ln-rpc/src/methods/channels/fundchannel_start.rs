//! `fundchannel_start`

use ln_types::{FeerateSpec, Msat, NodeId, Sat};

use crate::methods::channels::types::ChannelType;
use crate::methods::rpc_method;
use crate::params::{Hex, rpc_params};
use crate::shape::rpc_object;

rpc_method! {
    /// Begins to open a channel whose funding transaction somebody else makes.
    ///
    /// The transaction must not be sent before `fundchannel_complete` has answered: until then nothing would give the money back.
    pub struct FundchannelStart = "fundchannel_start" (FundchannelStartParams) -> FundchannelStartResponse {
        category: Channels,
        since: "",
    }
}

rpc_params! {
    /// The parameters of `fundchannel_start`.
    pub struct FundchannelStartParams {
        /// The peer.
        id: NodeId,
        /// What will be put in.
        amount formerly "satoshi": Sat,
        /// The feerate of the commitment transactions.
        feerate: Option<FeerateSpec>,
        /// Whether the world is told; it is if this is left out.
        announce: Option<bool>,
        /// The address our share goes to when closing.
        close_to: Option<String>,
        /// What to give to the peer.
        push_msat: Option<Msat>,
        /// How deep the funding transaction must be.
        mindepth: Option<u32>,
        /// What the peer must always keep.
        reserve: Option<Sat>,
        /// The feature bits of the kind of channel to open.
        channel_type: Option<Vec<u32>>,
    }
}

rpc_object! {
    /// The answer to `fundchannel_start`.
    pub struct FundchannelStartResponse {
        /// The address to pay to, exactly `amount`.
        funding_address: String,
        /// The script of that address.
        scriptpubkey: Hex,
        /// What kind of channel.
        channel_type: Option<ChannelType>,
        /// The script our share goes to when closing.
        close_to: Option<Hex>,
        /// A reminder not to send the transaction yet.
        warning_usage: String,
        /// How deep the funding transaction must be.
        mindepth: Option<u32>,
    }
}
