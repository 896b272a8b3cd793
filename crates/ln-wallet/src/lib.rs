//! The on-chain wallet: coins, which of them to take for a payment, and the PSBTs that spend them.
//!
//! Scripts and weights are Core Lightning's, so that the same seed finds the same coins and other programs' reckoning of fees
//! agrees. Covers BOLT 3 §`to_remote` Output as far as such outputs are coins of the wallet.
//!
//! Invariants: values only; no key can sign here, nothing is stored, random numbers come from the caller. A funded transaction
//! never pays below the feerate asked for, never makes change that is dust, and its inputs are exactly its amount, change,
//! excess and fee.
#![warn(clippy::arithmetic_side_effects)]

mod coins;
mod fund;
mod keys;
mod psbt;
mod scripts;
mod select;
mod utxo;
pub mod weight;

pub use coins::{Changes, Coins};
pub use fund::{
    Amount, CHANGE_DUST, FundError, FundRequest, Funding, anti_fee_sniping_locktime, fund,
    fund_with,
};
pub use keys::{AddressKind, KeysExhausted, WalletKeys, script_of};
pub use psbt::{PsbtError, build_psbt, extract, finalize, psbt_fee, psbt_input, spent_output};
pub use scripts::{LOOK_AHEAD, ScriptIndex};
pub use utxo::{CloseInfo, DEFAULT_RESERVATION, Origin, Status, Utxo};
