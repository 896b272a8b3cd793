//! What the fuzz target checks; tests replay the committed corpus through the same function.

use ln_codec::{Decode, Encode};

use crate::{EncryptedData, FailureMessage, HopPayload, OnionPacket};

/// Reads bytes as everything a hop reads of an onion. What can be read is written and read again the same.
///
/// # Panics
/// When it is not.
pub fn read_onion(data: &[u8]) {
    if let Ok(payload) = HopPayload::read(data, &[]) {
        let again = HopPayload::read(&payload.to_bytes(), &[]);
        assert_eq!(
            again.ok(),
            Some(payload),
            "a payload is written as it reads"
        );
    }
    if let Ok(hidden) = EncryptedData::from_bytes(data) {
        let again = EncryptedData::from_bytes(&hidden.to_bytes());
        assert_eq!(
            again.ok(),
            Some(hidden),
            "hidden data is written as it reads"
        );
    }
    if let Ok(packet) = OnionPacket::from_bytes(data) {
        assert_eq!(packet.to_bytes(), data, "a packet has one form");
    }
    if let Ok(message) = FailureMessage::read(data) {
        let again = FailureMessage::read(&message.to_bytes());
        assert_eq!(
            again.ok(),
            Some(message),
            "a failure is written as it reads"
        );
    }
}
