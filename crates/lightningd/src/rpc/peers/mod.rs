//! Peers and connections.

mod address;
mod connect;
mod disconnect;
mod listpeers;
mod ping;
mod sendcustommsg;

pub(crate) use address::shown as shown_address;
