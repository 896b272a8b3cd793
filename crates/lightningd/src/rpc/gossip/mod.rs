//! The graph of the network.

mod addgossip;
mod addresses;
mod getroute;
mod listchannels;
mod listnodes;

pub(crate) use addresses::announced_addresses;

/// How many entries of a long list are made before others get their turn.
const BATCH: usize = 500;
