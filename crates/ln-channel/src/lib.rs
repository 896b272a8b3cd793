//! The channel machine: opening, normal operation, shutdown, closing and reestablishing a channel.
//!
//! Covers BOLT 2 §Channel Establishment v1, §Normal Operation, §Closing Initiation: `shutdown`, §Legacy Closing Negotiation:
//! `closing_signed`, §Message Retransmission.
//!
//! Invariants: no clock, no socket, no file, no database, no randomness. A machine takes an event and returns actions; when it
//! returns an error nothing has changed. [`Action::Persist`] is a barrier: what follows it is done only once it is durable.
#![warn(clippy::arithmetic_side_effects)]

mod action;
mod announce;
mod by_side;
mod channel;
mod closing;
mod commitments;
mod dance;
mod dispatch;
mod env;
mod error;
mod event;
mod feerates;
mod htlc;
mod htlc_state;
mod htlcs;
mod open_error;
pub mod opening;
mod outbox;
mod params;
mod ready;
mod reduce;
mod reestablish;
mod report;
mod shutdown;
mod signing;
mod state;
mod updates_received;
mod updates_sent;

pub use action::{Action, Notice};
pub use by_side::BySide;
pub use channel::{Channel, Link};
pub use closing::{Closing, ClosingAction, ClosingFeerates};
pub use commitments::{Commitments, FirstCommitments, LastSent, LocalSignatures};
pub use env::{Env, FeerateBounds};
pub use error::{ChannelError, ErrorClass, PeerResponse};
pub use event::{Event, FundingPlace, Offer};
pub use feerates::{FeeUpdate, Feerates};
pub use htlc::{Htlc, Htlcs, MAX_EXTRA_TLVS, OnionPacket, Removal};
pub use htlc_state::{CommitStep, HtlcState};
pub use open_error::OpenError;
pub use params::{ChannelParams, ChannelType, SideParams};
pub use reduce::{View, Which};
pub use shutdown::ShutdownScripts;
pub use state::{ChannelState, RemoteAnnouncement};
pub use updates_sent::marginal_feerate;
