//! What the fuzz targets check; tests replay the committed corpus through the same functions.

use ln_codec::{Decode, Encode};

use crate::{NodeAddresses, PeerMessage};

/// Decodes bytes as a message; what decodes must encode to bytes that decode to the same.
///
/// # Panics
/// When that does not hold.
pub fn decode_any(data: &[u8]) {
    let Ok(message) = PeerMessage::from_bytes(data) else {
        return;
    };
    let bytes = message.to_bytes();
    assert!(
        bytes.len() <= data.len(),
        "an encoding is never longer than what was read"
    );
    assert_eq!(PeerMessage::from_bytes(&bytes).as_ref(), Ok(&message));
    if message.is_gossip() {
        assert_eq!(bytes, data, "gossip is written back as it came");
    }
}

/// Decodes bytes as a list of addresses; what decodes must encode to what was read.
///
/// # Panics
/// When that does not hold.
pub fn decode_addresses(data: &[u8]) {
    let list = NodeAddresses(data.to_vec());
    if let Ok(addresses) = list.parse() {
        let again = NodeAddresses::from_iter(addresses);
        assert!(data.starts_with(&again.0));
    }
}
