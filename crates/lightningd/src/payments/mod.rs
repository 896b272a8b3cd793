//! Payments: HTLCs that come in for our invoices, and those we send.

mod failure;
mod incoming;
mod outgoing;
mod sets;
mod waiters;

pub(crate) use failure::fail_in;
pub(crate) use incoming::{forward_resolved, htlc_received};
pub(crate) use outgoing::{NewPart, SendError, send_part, settle_lost_parts};
pub(crate) use waiters::Payments;

use std::rc::Rc;

use crate::channels::Channel;
use crate::node::Node;

/// A channel can be used (again): HTLCs that came in on it before a restart are decided now.
pub(crate) fn channel_usable(node: &Rc<Node>, channel: &Rc<Channel>) {
    incoming::decide_undecided(node, channel);
}
