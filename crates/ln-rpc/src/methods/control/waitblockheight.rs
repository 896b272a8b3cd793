//! `waitblockheight`

use ln_types::BlockHeight;

use crate::methods::rpc_method;
use crate::params::rpc_params;
use crate::shape::rpc_object;

rpc_method! {
    /// Waits until the node has seen a block of some height, at once if it has.
    pub struct Waitblockheight = "waitblockheight" (WaitblockheightParams) -> WaitblockheightResponse {
        category: Control,
        since: "",
    }
}

rpc_params! {
    /// The parameters of `waitblockheight`.
    pub struct WaitblockheightParams {
        /// The height to wait for.
        blockheight: u32,
        /// After how many seconds to give up with error 2000.
        timeout: u32 = 60_u32,
    }
}

rpc_object! {
    /// The answer to `waitblockheight`.
    pub struct WaitblockheightResponse {
        /// The height that was reached, which may be more.
        blockheight: BlockHeight,
    }
}
