//! Coins, PSBTs and transactions.

pub mod fundpsbt;
pub mod listaddresses;
pub mod listfunds;
pub mod listtransactions;
pub mod newaddr;
pub mod reserveinputs;
pub mod sendpsbt;
pub mod signpsbt;
pub mod txdiscard;
pub mod txprepare;
pub mod txsend;
pub mod unreserveinputs;
pub mod utxopsbt;
pub mod withdraw;
