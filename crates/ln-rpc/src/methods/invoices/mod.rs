//! Being paid.

pub mod invoice;
