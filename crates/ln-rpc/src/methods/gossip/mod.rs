//! The graph of the network.

pub mod addgossip;
pub mod listchannels;
pub mod listnodes;
