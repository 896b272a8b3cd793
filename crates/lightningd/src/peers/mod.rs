//! Peers: who is connected, connecting, and what to do when one speaks.

mod arriving;
mod connectd;
mod discovery;
mod gossip_peers;
mod own_addresses;
mod table;
mod unix_dial;

pub(crate) use connectd::{refuse, run_connectd, send_error, start_connectd};
pub(crate) use gossip_peers::keep_enough;
pub(crate) use own_addresses::OwnAddresses;
pub(crate) use table::{ConnectError, Connection, Peer, Peers};
