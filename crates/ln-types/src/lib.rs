//! The vocabulary of the node: amounts, feerates, heights, ids, features and networks, each a type of its own.
//!
//! Covers BOLT 1 §Fundamental Types, BOLT 7 §Definition of `short_channel_id`, BOLT 9, and the ways users type these things.
//!
//! Invariants: values only; no clock, no file, no socket, no global state (but for a memory of keys that were checked, which changes nothing but
//! time). Depends on `ln-codec` alone among our crates (a value
//! knows its own wire form).
#![warn(clippy::arithmetic_side_effects)]

mod amount;
mod channel_id;
mod channel_state;
mod coin_move;
mod feature_bits;
mod features;
mod feerate;
mod height;
mod known_points;
mod net_addr;
mod network;
mod node_id;
mod own_address;
mod payment;
mod serde_text;
mod short_channel_id;
mod side;
mod signed_sat;

pub use amount::{AmountError, Msat, Sat};
pub use channel_id::ChannelId;
pub use channel_state::ChannelState;
pub use coin_move::{ChainMoveTag, ChannelMoveTag, ExtraMoveTag};
pub use feature_bits::FeatureBit;
pub use features::Features;
pub use feerate::{FeeTarget, Feerate, FeerateError, FeerateSpec};
pub use height::{BlockHeight, CltvDelta, CltvExpiry};
pub use net_addr::{NetAddr, NetAddrError};
pub use network::{Network, UnknownNetwork};
pub use node_id::{NodeId, NodeIdError};
pub use own_address::{OwnAddress, OwnAddressError, TorKey, TorService};
pub use payment::{PaymentHash, PaymentPreimage, PaymentSecret};
pub use short_channel_id::{ScidError, ShortChannelId, ShortChannelIdDir};
pub use side::{CommitmentNumber, HtlcId, Side};
pub use signed_sat::SignedSat;
