//! `delforward`

use ln_types::ShortChannelId;

use crate::methods::control::wait::ForwardStatus;
use crate::methods::rpc_method;
use crate::params::rpc_params;
use crate::shape::rpc_object;

rpc_method! {
    /// Deletes a forward that has ended. What it earned stays in `getinfo`.
    pub struct Delforward = "delforward" (DelforwardParams) -> DelforwardResponse {
        category: Payments,
        since: "v22.11",
    }
}

rpc_params! {
    /// The parameters of `delforward`.
    pub struct DelforwardParams {
        /// The channel it came by.
        in_channel: ShortChannelId,
        /// The HTLC's number there.
        in_htlc_id: u64,
        /// How it must stand: `settled`, `local_failed` or `failed`.
        status: ForwardStatus,
    }
}

rpc_object! {
    /// The answer to `delforward`.
    pub struct DelforwardResponse {}
}
