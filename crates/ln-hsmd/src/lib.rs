//! lightning_hsmd: the only holder of secrets. It answers requests, in order, of lightningd and of the daemons lightningd gave a
//! connection, each within its capabilities and for its own channel; [`client`] is the other end.
//!
//! Speaks Core Lightning's hsmd messages (`ln_ipc::hsmd`), versions 4 to 6.
//!
//! Invariants: a client other than lightningd can only end its own connection; no client is ever waited for; the secret file is
//! created whole or not at all and never written again; nothing secret is logged.

mod capability;
pub mod client;
mod client_connection;
mod dev_overgrind;
mod dispatch;
mod handle;
mod hsm;
mod report;
mod run;
mod secret_file;
mod server;

pub use run::run;
pub use server::{End, Server};
