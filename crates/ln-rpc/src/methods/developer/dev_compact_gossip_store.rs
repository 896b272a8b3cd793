//! `dev-compact-gossip-store`

use crate::methods::{Nothing, rpc_method};
use crate::params::NoParams;

rpc_method! {
    /// Writes the gossip store anew without what is out of date.
    pub struct DevCompactGossipStore = "dev-compact-gossip-store" (NoParams) -> Nothing {
        category: Developer,
        since: "",
        developer: true,
    }
}
