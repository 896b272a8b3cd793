//! Coins, PSBTs and transactions.

mod address;
mod errors;
mod fundpsbt;
mod listaddresses;
mod listfunds;
mod listtransactions;
mod newaddr;
mod psbt;
mod reservation;
mod reserveinputs;
mod sendpsbt;
mod signpsbt;
mod txdiscard;
mod txprepare;
mod txsend;
mod unreserveinputs;
mod utxopsbt;
mod withdraw;

pub(super) use address::{address_of, parse_address};
pub(super) use errors::{feerate, spend_error};
pub(super) use psbt::parse_psbt;
