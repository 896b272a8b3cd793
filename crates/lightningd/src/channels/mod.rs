//! Channels: their table, the daemons that serve them, and what their life means to the rest of the node.

mod channel;
mod closing;
mod forget;
mod funding;
mod gossip;
mod live;
mod onchain;
mod opening;
mod openings;
mod persist;
mod scratch;
mod serve;
mod table;

pub(crate) use channel::{Channel, CloseCause, Owner, PendingOffer};
pub(crate) use closing::{
    close_mutually, close_unilaterally, closing_transaction, new_shutdown_script, shutdown_scripts,
};
pub(crate) use forget::forget_unfunded;
pub(crate) use gossip::{Policy, announce_again, gossip_said, our_direction, set_policy};
pub(crate) use live::{NewHtlc, OfferError, feerates, offer_htlc, resolve_htlc};
pub(crate) use onchain::{resume, tell_missed_revocations};
pub(crate) use opening::{OpenError, OpenRequest, Opened, accept_opening, open_channel};
pub(crate) use openings::{OpeningSlot, OpeningSummary, Openings};
pub(crate) use scratch::scratch;
pub(crate) use serve::{close_again, peer_failed, serve_peer, set_important};
pub(crate) use table::{Channels, is_pending};
