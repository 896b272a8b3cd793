//! Onion services, made through Tor's control port.

mod control;
mod reply;
mod service;

pub(crate) use service::{OnionService, Secret};
