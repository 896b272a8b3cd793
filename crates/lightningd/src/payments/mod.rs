//! Payments: HTLCs that come in for our invoices, and those we send.

mod checked;
mod claims;
mod failure;
mod forward;
mod incoming;
mod outgoing;
mod progress;
#[cfg(test)]
pub(crate) mod sample;
mod selfpay;
mod sets;
mod terms;
mod waiters;

pub(crate) use checked::{Sent, send_checked};
pub(crate) use failure::{fail_in, fail_on_chain_in};
pub(crate) use forward::{ForwardEnd, load_forwarded, tell_forward};
pub(crate) use incoming::htlc_received;
pub(crate) use outgoing::{NewPart, SendError, settle_lost_parts};
pub(crate) use progress::Conflict;
pub(crate) use selfpay::{SelfPayment, pay_ourselves};
pub(crate) use terms::Terms;
pub(crate) use waiters::{Paying, Payments};

use std::rc::Rc;

use crate::channels::Channel;
use crate::node::Node;

/// A channel can be used (again): HTLCs that came in on it before a restart are decided now.
pub(crate) fn channel_usable(node: &Rc<Node>, channel: &Rc<Channel>) {
    incoming::decide_undecided(node, channel);
}
