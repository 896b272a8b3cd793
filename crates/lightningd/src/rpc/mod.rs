//! The JSON-RPC interface: socket, connections, dispatch, and one handler per method in the folders.

mod connection;
mod context;
mod dispatch;
mod handlers;
mod server;
mod state;

mod accounts;
mod channels;
mod control;
mod datastore;
mod developer;
mod gossip;
mod invoices;
mod paging;
mod param_checks;
mod payments;
mod peers;
mod plugins;
mod random;
mod wallet;

pub(crate) use channels::shown_channel_type;
pub(crate) use context::Context;
pub(crate) use dispatch::{Handle, builtin_names, is_builtin};
pub(crate) use gossip::announced_addresses;
pub(crate) use param_checks::{bad_value, check_length, hex_or_string};
pub(crate) use payments::{payment_error, shown_forward, shown_forward_status, shown_payment};
pub(crate) use peers::shown_address;
pub(crate) use random::random;
pub(crate) use server::{listen, may_listen, serve};
pub(crate) use state::RpcState;

use ln_rpc::{RpcError, RpcErrorCode};

/// The error for what should not happen inside the node.
pub(crate) fn internal(error: impl std::fmt::Display) -> RpcError {
    RpcError::new(RpcErrorCode::Lightningd, format!("{error:#}"))
}
