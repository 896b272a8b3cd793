//! bitcoind's RPC methods on a [`Node`].
#![expect(
    clippy::unnecessary_wraps,
    reason = "all methods have the signature the table wants"
)]

pub mod args;
mod blockchain;
pub(crate) mod decode;
pub mod error;
mod mempool_calls;
mod mining;
mod network;
mod packages;
mod program;
mod psbt;
mod psbt_json;
mod raw_transaction;
mod table;
mod wallet_calls;
mod wallet_history;
mod wallet_spend;

pub use error::RpcError;
pub use table::{METHODS, Method};

use crate::json::Json;
use crate::node::Node;
use crate::wallet::WalletRecord;
use args::Args;

/// The surroundings of a call.
pub struct Context<'a> {
    /// The state to answer from.
    pub node: &'a mut Node,
    /// The time, in Unix seconds.
    pub now: u64,
    /// Wallet named in the request path.
    pub wallet: Option<String>,
    /// Gives random bytes for new wallets.
    pub random: &'a mut dyn FnMut() -> [u8; 32],
    /// Where wallets are kept.
    pub files: &'a mut dyn WalletFiles,
}

/// Where wallets are kept when they are not loaded.
pub trait WalletFiles {
    /// The records of a wallet; `None` if there is none of that name or it is damaged.
    fn read(&mut self, name: &str) -> Option<Vec<WalletRecord>>;
    /// Copies a wallet to a file of the operator's choice. `Err` says what went wrong.
    fn export(&mut self, name: &str, path: &str) -> Result<(), String>;
    /// The records in a file made by [`WalletFiles::export`]. `Err` says what went wrong.
    fn import(&mut self, path: &str) -> Result<Vec<WalletRecord>, String>;
}

/// Answers one call.
pub fn call(
    context: &mut Context<'_>,
    method: &str,
    params: &serde_json::Value,
) -> Result<Json, RpcError> {
    let found = METHODS.iter().find(|known| known.name == method);
    let wallet_off = !context.node.settings.wallets_enabled;
    let Some(method) = found.filter(|known| !(wallet_off && known.category == "Wallet")) else {
        return Err(RpcError::method_not_found());
    };
    let args = Args::new(method, params)?;
    (method.run)(context, &args)
}
