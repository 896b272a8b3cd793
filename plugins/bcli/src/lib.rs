//! The chain backend plugin.
