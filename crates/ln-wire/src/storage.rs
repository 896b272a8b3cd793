//! BOLT 1 §Peer storage: a peer keeps a small blob for us, and we for it.

use ln_codec::{Decode, Encode};

/// Asks the receiver to keep a blob in place of the previous one.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[codec(extensible)]
pub struct PeerStorage {
    /// At most 65531 bytes.
    pub blob: Vec<u8>,
}

/// Returns the blob after a reconnection.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[codec(extensible)]
pub struct PeerStorageRetrieval {
    /// As it was last stored.
    pub blob: Vec<u8>,
}
