//! What the node's processes say to each other: framing, file-descriptor passing and one file of messages per daemon.
//!
//! A frame is a `u32` big-endian length, then a `u16` message number and its body in BOLT encoding. A message that carries file descriptors
//! is followed by one zero byte for each, sent with `SCM_RIGHTS`; Core Lightning's daemons and signers do the same.
//!
//! `To<Daemon>` is what lightningd says, `From<Daemon>` what the daemon says; a reply is its request's number plus 100.
//!
//! Invariants: no message is larger than [`MAX_FRAME`]; no decision is taken here.

pub mod channeld;
pub mod closingd;
pub mod connectd;
pub mod gossipd;
pub mod hsmd;
pub mod onchaind;
pub mod openingd;
pub mod status;

mod asynchronous;
mod blocking;
mod errno;
mod frame;
mod peer_stream;
mod queued;

pub use asynchronous::{AsyncReader, AsyncStream, AsyncWriter, HangUp};
pub use blocking::Stream;
pub use errno::{from_errno, to_errno};
pub use frame::{FrameError, MAX_FRAME, message_number};
pub use peer_stream::PeerStream;
pub use queued::QueuedStream;
