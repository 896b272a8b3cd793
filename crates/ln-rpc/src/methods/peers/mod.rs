//! Peers and connections.

pub mod connect;
pub mod disconnect;
pub mod listpeers;
pub mod ping;
pub mod sendcustommsg;
