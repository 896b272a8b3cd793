//! `dev-rescan-outputs`

use bitcoin::Txid;

use crate::methods::rpc_method;
use crate::params::NoParams;
use crate::shape::rpc_object;

rpc_method! {
    /// Asks the chain backend of every coin whether it is still there, and puts right what the wallet thinks of it.
    ///
    /// A coin that is not in a block yet is left as it is.
    pub struct DevRescanOutputs = "dev-rescan-outputs" (NoParams) -> DevRescanOutputsResponse {
        category: Developer,
        since: "",
        developer: true,
    }
}

rpc_object! {
    /// The answer to `dev-rescan-outputs`.
    pub struct DevRescanOutputsResponse {
        /// All coins the wallet ever had.
        outputs: Vec<RescannedOutput>,
    }

    /// A coin.
    pub struct RescannedOutput {
        /// The transaction that made it.
        txid: Txid,
        /// Its number among the outputs.
        output: u32,
        /// What the wallet thought: 0 is there, 1 set aside, 2 spent.
        oldstate: u32,
        /// What is so, by the same numbers.
        newstate: u32,
    }
}
