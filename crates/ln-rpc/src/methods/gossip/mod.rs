//! The graph of the network.

pub mod addgossip;
pub mod getroute;
pub mod listchannels;
pub mod listnodes;
