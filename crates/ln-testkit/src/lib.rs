//! What tests share: the published shapes of the interface to check replies against.
//!
//! Only ever a dev-dependency: nothing here is part of a program.

pub mod schemas;
