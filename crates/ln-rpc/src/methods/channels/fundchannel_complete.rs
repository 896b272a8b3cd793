//! `fundchannel_complete`

use ln_types::{ChannelId, NodeId};

use crate::methods::rpc_method;
use crate::params::{Flag, rpc_params};
use crate::shape::rpc_object;

rpc_method! {
    /// Goes on with a channel after `fundchannel_start`, with the transaction that funds it.
    ///
    /// When this has answered, the peer's signature for our way out is saved and the transaction can be signed and sent.
    pub struct FundchannelComplete = "fundchannel_complete" (FundchannelCompleteParams) -> FundchannelCompleteResponse {
        category: Channels,
        since: "",
    }
}

rpc_params! {
    /// The parameters of `fundchannel_complete`.
    pub struct FundchannelCompleteParams {
        /// The peer.
        id: NodeId,
        /// The funding transaction, not yet sent, in PSBT form.
        psbt: String,
        /// Whether the transaction will be sent later, or never.
        withhold: Option<bool>,
    }
}

rpc_object! {
    /// The answer to `fundchannel_complete`.
    pub struct FundchannelCompleteResponse {
        /// The channel's id.
        channel_id: ChannelId,
        /// The way out is signed.
        commitments_secured: Flag,
    }
}
