//! What moved in the node's accounts.

pub mod listchainmoves;
pub mod listchannelmoves;
