//! The other end of hsmd's connections, blocking.
//!
//! [`HsmClient`] is a channel daemon's signer, [`MasterClient`] what lightningd asks with. Both may send many requests before they
//! read the first reply: a commitment with a hundred HTLCs costs one round trip.

mod channel;
mod connection;
mod master;

pub use channel::HsmClient;
pub use connection::HsmConnection;
pub use master::{InitError, MasterClient};
