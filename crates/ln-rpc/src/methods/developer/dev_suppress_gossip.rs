//! `dev-suppress-gossip`

use crate::methods::{Nothing, rpc_method};
use crate::params::NoParams;

rpc_method! {
    /// Sends no gossip any more: neither that of others nor our own.
    pub struct DevSuppressGossip = "dev-suppress-gossip" (NoParams) -> Nothing {
        category: Developer,
        since: "",
        developer: true,
    }
}
