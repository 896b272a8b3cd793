//! RPC errors with bitcoind's codes.

use crate::json::Json;
use std::fmt;

/// An RPC error: bitcoind's code and message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RpcError {
    /// The code.
    pub code: i32,
    /// The message.
    pub message: String,
}

/// The request is not a JSON-RPC request.
pub const INVALID_REQUEST: i32 = -32600;
/// No such method.
pub const METHOD_NOT_FOUND: i32 = -32601;
/// The body is not JSON.
pub const PARSE_ERROR: i32 = -32700;
/// Anything else went wrong; also usage.
pub const MISC: i32 = -1;
/// A parameter has the wrong type.
pub const TYPE: i32 = -3;
/// A wallet call failed.
pub const WALLET: i32 = -4;
/// Unknown address, transaction or block.
pub const INVALID_ADDRESS_OR_KEY: i32 = -5;
/// The wallet holds too little.
pub const INSUFFICIENT_FUNDS: i32 = -6;
/// A parameter has a wrong value.
pub const INVALID_PARAMETER: i32 = -8;
/// No such wallet.
pub const WALLET_NOT_FOUND: i32 = -18;
/// More than one wallet, and none named.
pub const WALLET_NOT_SPECIFIED: i32 = -19;
/// Not decodable.
pub const DESERIALIZATION: i32 = -22;
/// A transaction or block could not be taken.
pub const VERIFY: i32 = -25;
/// A transaction was refused by rules.
pub const VERIFY_REJECTED: i32 = -26;
/// A transaction is in the chain.
pub const VERIFY_ALREADY_IN_UTXO_SET: i32 = -27;
/// The wallet is loaded already.
pub const WALLET_ALREADY_LOADED: i32 = -35;

impl RpcError {
    /// An error with a code and a message.
    pub fn new(code: i32, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }

    /// The method does not exist.
    pub fn method_not_found() -> Self {
        Self::new(METHOD_NOT_FOUND, "Method not found")
    }

    /// A parameter has a wrong value.
    pub fn parameter(message: impl Into<String>) -> Self {
        Self::new(INVALID_PARAMETER, message)
    }

    /// An unknown address, transaction or block.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(INVALID_ADDRESS_OR_KEY, message)
    }

    /// The error as JSON.
    pub fn to_json(&self) -> Json {
        Json::object()
            .with("code", self.code)
            .with("message", self.message.as_str())
    }
}

impl fmt::Display for RpcError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (code {})", self.message, self.code)
    }
}

impl std::error::Error for RpcError {}
