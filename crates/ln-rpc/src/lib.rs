//! The JSON-RPC interface as types: framing, errors, parameters, and one file per method with its request, reply and manual text.
//!
//! What an operator or a program sees is Core Lightning's interface: names, fields, units, error codes. Each method is declared
//! once; its positional order, named parameters, usage line, schema and manual come from that declaration.
//!
//! Invariants: no handler, no state of a node, no listening socket; only [`client`] opens a connection. Everything read here is
//! input from outside: sizes and depths are bounded, and nothing in it can make this crate panic.

pub mod client;
pub mod deprecated;
mod error;
pub mod jsonrpc;
pub mod manual;
pub mod methods;
pub mod params;
pub mod shape;

pub use error::{RpcError, RpcErrorCode};
