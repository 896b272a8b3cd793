//! What can be wrong with what the other side sent.

use std::fmt;

/// The three messages of the handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Initiator to responder: its ephemeral key.
    One,
    /// Responder to initiator: its ephemeral key.
    Two,
    /// Initiator to responder: its static key, encrypted.
    Three,
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::One => "one",
            Self::Two => "two",
            Self::Three => "three",
        })
    }
}

/// Why a handshake failed. The connection is closed without another byte.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HandshakeError {
    /// The act has the wrong number of bytes.
    #[error("act {act} has {got} bytes instead of {expected}")]
    Length {
        /// Which act.
        act: Act,
        /// Bytes it has.
        got: usize,
        /// Bytes it must have.
        expected: usize,
    },
    /// The act starts with a version byte other than 0.
    #[error("act {act} has unknown handshake version {version}")]
    Version {
        /// Which act.
        act: Act,
        /// The version it claims.
        version: u8,
    },
    /// A key in the act is not a point of the curve.
    #[error("act {act} carries a key that is no point of the curve")]
    PublicKey {
        /// Which act.
        act: Act,
    },
    /// The encrypted static key of act three does not authenticate.
    #[error("act {act}: encrypted key does not authenticate")]
    Ciphertext {
        /// Which act.
        act: Act,
    },
    /// The act's tag does not authenticate: in act one this usually means that the peer wanted another node id.
    #[error("act {act} does not authenticate: is the node id right?")]
    Tag {
        /// Which act.
        act: Act,
    },
}

/// Why a message could not be encrypted or decrypted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TransportError {
    /// The message to send does not fit into a frame.
    #[error("message of {length} bytes is over the limit of 65535")]
    TooLong {
        /// The message's length.
        length: usize,
    },
    /// The length prefix does not authenticate: the stream was tampered with, or lost a byte. The session is over.
    #[error("encrypted length does not authenticate")]
    LengthTag,
    /// The message does not authenticate. The session is over.
    #[error("encrypted message of {length} bytes does not authenticate")]
    MessageTag {
        /// The length the prefix announced.
        length: usize,
    },
}
