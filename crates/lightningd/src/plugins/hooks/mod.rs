//! Hooks: where the node asks plugins before it goes on.
//!
//! Plugins are asked one after the other, in the order of [`order`]. What the node does when a plugin ends, takes too long or answers
//! nonsense is decided here and never left to the plugin: it counts as if it had not been asked, except where that could give away
//! money it meant to keep.

mod chain;
mod commitment_revocation;
mod custommsg;
mod db_write;
mod htlc_accepted;
mod invoice_payment;
mod openchannel;
mod order;
mod peer_connected;
mod recover;
mod rpc_command;
mod timeouts;

pub(super) use chain::{declared, fits};
pub(crate) use htlc_accepted::{AcceptedHtlc, HtlcChanges, HtlcVerdict};
pub(crate) use openchannel::OpeningVerdict;
pub(crate) use rpc_command::Verdict as RequestVerdict;
pub(crate) use timeouts::HookTimeouts;
pub(super) use timeouts::check_hook;

/// The hooks there are.
pub(super) const HOOKS: &[&str] = &[
    "commitment_revocation",
    "custommsg",
    "db_write",
    "htlc_accepted",
    "invoice_payment",
    "onion_message_recv",
    "onion_message_recv_secret",
    "openchannel",
    "openchannel2",
    "openchannel2_changed",
    "openchannel2_sign",
    "peer_connected",
    "rbf_channel",
    "recover",
    "rpc_command",
];
