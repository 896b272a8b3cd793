//! The node itself and the interface.

pub mod getinfo;
pub mod help;
