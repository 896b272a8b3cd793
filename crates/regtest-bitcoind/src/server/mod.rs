//! The edge: command line, files, sockets, threads and signals.

pub mod auth;
pub mod connection;
pub mod http;
pub mod journal;
pub mod log;
pub mod options;
pub mod run;
pub mod store;
