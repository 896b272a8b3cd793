//! The node's database: one thread that writes, one that reads, one repository per table family.
//!
//! A write is a closure over a [`Txn`]. Writes that arrive while a commit is being synced gather and share the next one; each learns its result only
//! when that commit is on disk. A write that fails is rolled back alone.
//!
//! Tables and columns carry Core Lightning's names where programs look at them (`lightningd.sqlite3` is read by test fixtures while the
//! node runs, so the write-ahead log is folded back into the file as soon as nothing is being written).
//!
//! Invariants: nobody outside this crate writes SQL; every list is indexed and paged; no business rule lives here.

mod chain;
mod channel_txs;
mod channels;
mod columns;
mod damage;
mod datastore;
mod error;
mod forwards;
mod htlcs;
mod invoices;
mod migrations;
mod moves;
mod outputs;
mod payments;
mod peers;
mod penalty_bases;
mod replica;
mod spell;
mod thread;
mod txn;
mod vars;
mod watch;

pub use chain::{BlockRow, TransactionRow};
pub use channel_txs::ChannelTxRow;
pub use channels::{ChannelCounters, ChannelRow, StateChangeRow};
pub use damage::find_damage;
pub use datastore::{DatastoreMode, DatastoreRow};
pub use error::DbError;
pub use forwards::{ForwardFilter, ForwardRow, ForwardStatus};
pub use htlcs::{HtlcDirection, HtlcRow};
pub use invoices::{InvoiceRow, InvoiceStatus};
pub use moves::{ChainMoveRow, ChannelMoveRow, MoveAmount};
pub use outputs::{OutputRow, OutputStatus};
pub use payments::{PaymentFailure, PaymentRow, PaymentStatus};
pub use peers::PeerRow;
pub use penalty_bases::PenaltyBaseRow;
pub use replica::Replica;
pub use thread::{Db, Pending};
pub use txn::{Page, PageIndex, Txn};
pub use watch::CommitWatch;
