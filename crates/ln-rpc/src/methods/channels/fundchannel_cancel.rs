//! `fundchannel_cancel`

use ln_types::NodeId;

use crate::methods::rpc_method;
use crate::params::rpc_params;
use crate::shape::rpc_object;

rpc_method! {
    /// Gives up a channel that is being opened and whose funding transaction was never sent.
    pub struct FundchannelCancel = "fundchannel_cancel" (FundchannelCancelParams) -> FundchannelCancelResponse {
        category: Channels,
        since: "",
    }
}

rpc_params! {
    /// The parameters of `fundchannel_cancel`.
    pub struct FundchannelCancelParams {
        /// The peer.
        id: NodeId,
    }
}

rpc_object! {
    /// The answer to `fundchannel_cancel`.
    pub struct FundchannelCancelResponse {
        /// What was given up, for people.
        cancelled: String,
    }
}
