//! The chain as the node sees it: following blocks, fee estimates, broadcasting.

mod backend;
mod broadcast;
mod check;
mod fees;
mod follower;
mod scan;
mod watcher;

pub(crate) use backend::{Backend, ChainInfo};
pub(crate) use broadcast::{NotSent, broadcast, rebroadcast};
pub(crate) use fees::{FeeEstimates, poll_fees};
pub(crate) use follower::{Chain, catch_up, follow, start, unwind};
pub(crate) use scan::{Found, Interest, WalletView, scan};
pub(crate) use watcher::watch_tip;
