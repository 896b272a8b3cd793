//! `dev-forget-channel`

use bitcoin::Txid;
use ln_types::{ChannelId, NodeId, ShortChannelId};

use crate::methods::rpc_method;
use crate::params::rpc_params;
use crate::shape::rpc_object;

rpc_method! {
    /// Forgets a channel whose funding transaction was never sent.
    ///
    /// If it was sent after all, the money in it is lost.
    pub struct DevForgetChannel = "dev-forget-channel" (DevForgetChannelParams) -> DevForgetChannelResponse {
        category: Developer,
        since: "",
        developer: true,
    }
}

rpc_params! {
    /// The parameters of `dev-forget-channel`.
    pub struct DevForgetChannelParams {
        /// The peer.
        id: NodeId,
        /// The channel by its place in the chain, if there are several.
        short_channel_id: Option<ShortChannelId>,
        /// The channel by its id, if there are several.
        channel_id: Option<ChannelId>,
        /// Forget it even if the funding output is unspent.
        force: bool = false,
    }
}

rpc_object! {
    /// The answer to `dev-forget-channel`.
    pub struct DevForgetChannelResponse {
        /// Whether it was forced.
        forced: bool,
        /// Whether the funding output is unspent.
        funding_unspent: bool,
        /// The funding transaction.
        funding_txid: Txid,
    }
}
