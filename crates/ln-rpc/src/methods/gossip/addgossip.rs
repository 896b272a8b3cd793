//! `addgossip`

use crate::methods::{Nothing, rpc_method};
use crate::params::{Hex, rpc_params};

rpc_method! {
    /// Takes a gossip message as if a peer had sent it.
    pub struct Addgossip = "addgossip" (AddgossipParams) -> Nothing {
        category: Gossip,
        since: "",
    }
}

rpc_params! {
    /// The parameters of `addgossip`.
    pub struct AddgossipParams {
        /// The message with its type.
        message: Hex,
    }
}
