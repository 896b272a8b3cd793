//! BOLT 4 §Onion Messages.

use bitcoin::secp256k1::PublicKey;
use ln_codec::{Decode, Encode};

/// A message for some node, wrapped in an onion.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[codec(extensible)]
pub struct OnionMessage {
    /// Unblinds the receiver's layer.
    pub path_key: PublicKey,
    /// The onion: 66 bytes and as many payload bytes as the sender chose. Opaque here: ln-onion reads it.
    pub onion_message_packet: Vec<u8>,
}
