//! What every helper may say to lightningd at any time.

use ln_codec::{Decode, Encode, messages};
use ln_types::NodeId;

/// How loud a log line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub enum LogLevel {
    /// Bytes that came in from a peer.
    IoIn,
    /// Bytes that went out to a peer.
    IoOut,
    /// Every step.
    Trace,
    /// What a developer wants to see.
    Debug,
    /// What an operator wants to see.
    Info,
    /// Something odd that the node copes with.
    Unusual,
    /// Something that must not happen.
    Broken,
}

messages! {
    /// Messages any helper may send.
    pub enum Status {
        0xfff0 => Log(StatusLog),
        0xfff1 => Io(StatusIo),
        0xfff2 => Fail(StatusFail),
        0xfff3 => PeerConnectionLost(StatusPeerConnectionLost),
        0xfff4 => Panic(StatusPanic),
        0xfff5 => Billboard(StatusBillboard),
        0xfff6 => Version(StatusVersion),
    }
}

/// A line for the log.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct StatusLog {
    /// How loud.
    pub level: LogLevel,
    /// The peer it is about, when the daemon serves several.
    pub peer: Option<NodeId>,
    /// The line.
    pub text: String,
}

/// Bytes that went to a peer or came from it, for the log: only sent where they are shown.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct StatusIo {
    /// Which way: `IoIn` or `IoOut`.
    pub level: LogLevel,
    /// The peer.
    pub peer: Option<NodeId>,
    /// What stands before the bytes.
    pub text: String,
    /// The bytes.
    pub data: Vec<u8>,
}

/// The helper is about to end because of a bug or an impossible situation.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct StatusFail {
    /// What happened.
    pub text: String,
}

/// The helper has made a mistake and ends.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct StatusPanic {
    /// What it said, and where in the code.
    pub text: String,
    /// Who called whom.
    pub backtrace: String,
}

/// The peer's connection is gone; the helper ends.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct StatusPeerConnectionLost {}

/// A sentence for `listpeerchannels`' `status`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct StatusBillboard {
    /// Whether it stays when the daemon ends.
    pub permanent: bool,
    /// The sentence.
    pub text: String,
}

/// The helper's version: always its first message.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct StatusVersion {
    /// The version string.
    pub version: String,
}
