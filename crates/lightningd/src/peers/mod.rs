//! Peers: who is connected, connecting, and what to do when one speaks.

mod arriving;
mod connectd;
mod table;

pub(crate) use connectd::{refuse, run_connectd, send_error, start_connectd};
pub(crate) use table::{ConnectError, Connection, Peer, Peers};
