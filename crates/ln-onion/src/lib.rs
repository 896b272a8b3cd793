//! Onions: what a payment or a message tells each hop, what comes back when it fails, and paths whose end stays hidden.
//!
//! Covers BOLT 4: packets (`construct`, `peel`), hop payloads, blinded paths, returned failures with attribution data, onion
//! messages.
//!
//! How the pieces fit: a sender turns a route into hops (`payloads_for_route`), wraps them (`construct`) and keeps the shared
//! secrets. Each hop asks its key holder for the [`SharedSecret`] with the packet's ephemeral key, opens one layer (`peel`) and reads the
//! [`HopPayload`]. A failure is sealed by `create_failure_packet`, wrapped once per hop on the way back, and opened by
//! `open_failure`.
//!
//! Invariants: no secret key of a node ever enters here, only shared secrets (a blinded path's own session keys excepted); no clock, no
//! randomness, no socket; comparing authentication codes takes the same time whatever they hold; opening a failure does the same work
//! whoever sent it.
#![warn(clippy::arithmetic_side_effects)]

mod attribution;
mod blinded_path;
mod construct;
mod encrypted_data;
mod failure_code;
mod failure_message;
mod failure_packet;
pub mod fuzz;
mod instruction;
mod keys;
mod onion_message;
mod packet;
mod payload;
mod peel;
mod relay;
mod route;

pub use attribution::{AttributionData, HoldTime};
pub use blinded_path::{
    BlindedHop, BlindedHops, BlindedPath, BlindingError, Introduction, NewBlindedPath,
    UnblindedHop, blind_ephemeral_key, blind_path, unblind_hop,
};
pub use construct::{ConstructError, Constructed, OnionHop, construct};
pub use encrypted_data::{EncryptedData, PaymentConstraints, PaymentRelay};
pub use failure_code::FailureCode;
pub use failure_message::FailureMessage;
pub use failure_packet::{
    FAILURE_LENGTH, OpenedFailure, create_failure_packet, open_failure, open_fulfill,
    wrap_failure_packet,
};
pub use instruction::{ForwardTo, HtlcIn, Instruction, InstructionError, instruction};
pub use keys::SharedSecret;
pub use onion_message::{OnionMessagePayload, message_hops, message_size};
pub use packet::{OnionPacket, PAYMENT_PAYLOADS, PacketError};
pub use payload::{HopPayload, PayloadError, PaymentData};
pub use peel::{PeelError, Peeled, peel};
pub use relay::{BlindedPayInfo, aggregate};
pub use route::{LastHop, RouteError, RouteHop, payloads_for_route};
