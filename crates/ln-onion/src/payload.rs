//! What the payload of one hop says.

use bitcoin::secp256k1::PublicKey;
use ln_codec::{
    BigSize, Decode, DecodeError, Encode, Reader, Tlv, TlvReader, TlvRecord, TlvWriter, Truncated,
};
use ln_types::{CltvExpiry, Msat, PaymentSecret, ShortChannelId};

use crate::FailureMessage;

/// The payload of one hop of a payment.
///
/// BOLT 4 §`payload` format.
#[derive(Debug, Clone, PartialEq, Eq, Default, Tlv)]
pub struct HopPayload {
    /// What to forward, or for the last hop what it should receive at least.
    #[tlv(2, tu)]
    pub amt_to_forward: Option<Msat>,
    /// The expiry of the outgoing HTLC, or for the last hop the least expiry of the incoming one.
    #[tlv(4, tu)]
    pub outgoing_cltv_value: Option<CltvExpiry>,
    /// The channel to forward over.
    #[tlv(6)]
    pub short_channel_id: Option<ShortChannelId>,
    /// The invoice's secret and the whole amount.
    #[tlv(8)]
    pub payment_data: Option<PaymentData>,
    /// What the end of a blinded path wrote for this hop, encrypted.
    #[tlv(10, rest)]
    pub encrypted_recipient_data: Option<Vec<u8>>,
    /// The path key, for the first hop of a blinded path.
    #[tlv(12)]
    pub current_path_key: Option<PublicKey>,
    /// The invoice's metadata.
    #[tlv(16, rest)]
    pub payment_metadata: Option<Vec<u8>>,
    /// The whole amount, for the end of a blinded path.
    #[tlv(18, tu)]
    pub total_amount_msat: Option<Msat>,
    /// Records of other types: odd ones, and even ones that were accepted by number.
    #[tlv(unknown)]
    pub unknown: Vec<TlvRecord>,
}

/// The invoice's secret and the whole amount of a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentData {
    /// The secret from the invoice.
    pub payment_secret: PaymentSecret,
    /// The whole amount over all parts.
    pub total_msat: Msat,
}

impl Encode for PaymentData {
    fn encode(&self, out: &mut Vec<u8>) {
        self.payment_secret.encode(out);
        self.total_msat.encode_truncated(out);
    }
}

impl Decode for PaymentData {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            payment_secret: Decode::decode(reader)?,
            total_msat: Truncated::decode_truncated(reader)?,
        })
    }
}

/// Why a payload is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("onion payload: tlv type {tlv_type} at byte {offset}: {reason}")]
pub struct PayloadError {
    /// The record at fault; 0 when it can't be told.
    pub tlv_type: u64,
    /// Where it starts in the payload, length prefix not counted; 0 when it can't be told.
    pub offset: u16,
    /// What is wrong.
    pub reason: DecodeError,
}

impl PayloadError {
    /// The failure to report.
    pub fn failure(&self) -> FailureMessage {
        FailureMessage::InvalidOnionPayload {
            tlv_type: BigSize(self.tlv_type),
            offset: self.offset,
        }
    }
}

impl HopPayload {
    /// Reads a payload. Records of an unknown even type are refused unless `accepted` lists the type, such as keysend's.
    // BOLT 1 §Type-Length-Value Format: an unknown even type fails the whole stream.
    pub fn read(payload: &[u8], accepted: &[u64]) -> Result<Self, PayloadError> {
        let mut reader = Reader::new(payload);
        let mut records = TlvReader::new(&mut reader);
        let mut known = TlvWriter::default();
        let mut extra = Vec::new();
        let whole = |reason| PayloadError {
            tlv_type: 0,
            offset: 0,
            reason,
        };
        while let Some(record) = records.next_record().map_err(whole)? {
            if accepted.contains(&record.number) && !Self::knows(record.number) {
                extra.push(record.to_owned());
            } else {
                Self::check(payload, record.number, record.value)?;
                known.push(record.number, record.value.to_vec());
            }
        }
        let mut bytes = Vec::with_capacity(payload.len());
        known.finish(&mut bytes);
        let mut this = Self::from_bytes(&bytes).map_err(whole)?;
        this.unknown.append(&mut extra);
        this.unknown.sort_by_key(|record| record.number);
        Ok(this)
    }

    /// Whether BOLT 4 defines the type.
    fn knows(number: u64) -> bool {
        matches!(number, 2 | 4 | 6 | 8 | 10 | 12 | 16 | 18)
    }

    /// Reads one record alone, to be able to say which one is wrong.
    fn check(payload: &[u8], number: u64, value: &[u8]) -> Result<(), PayloadError> {
        let mut alone = Vec::new();
        let mut stream = TlvWriter::default();
        stream.push(number, value.to_vec());
        stream.finish(&mut alone);
        let at_fault = |reason| PayloadError {
            tlv_type: number,
            offset: offset_of(payload, number),
            reason,
        };
        Self::from_bytes(&alone).map(drop).map_err(at_fault)
    }
}

/// Where the record of a type starts; 0 if it is not there or past 65535.
pub(crate) fn offset_of(payload: &[u8], number: u64) -> u16 {
    let mut reader = Reader::new(payload);
    loop {
        let start = payload.len().saturating_sub(reader.remaining());
        let Ok(BigSize(found)) = BigSize::decode_from(&mut reader) else {
            return 0;
        };
        if found == number {
            return u16::try_from(start).unwrap_or(0);
        }
        let Ok(BigSize(length)) = BigSize::decode_from(&mut reader) else {
            return 0;
        };
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if reader.take(length).is_err() {
            return 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bitcoin::hex::FromHex;

    #[test]
    fn an_unknown_even_type_is_named_with_its_place() {
        let bytes = Vec::from_hex("020164040132fd0100020102").unwrap();
        let error = HopPayload::read(&bytes, &[]).unwrap_err();
        assert_eq!((error.tlv_type, error.offset), (256, 6));
        let payload = HopPayload::read(&bytes, &[256]).unwrap();
        assert_eq!(payload.unknown.len(), 1);
        assert_eq!(payload.to_bytes(), bytes);
    }

    #[test]
    fn a_record_that_does_not_fit_its_type_is_named() {
        let bytes = Vec::from_hex("0201640403000132").unwrap();
        let error = HopPayload::read(&bytes, &[]).unwrap_err();
        assert_eq!((error.tlv_type, error.offset), (4, 3));
        assert_eq!(error.reason, DecodeError::NotMinimal);
    }

    #[test]
    fn records_out_of_order_are_refused() {
        let bytes = Vec::from_hex("040132020164").unwrap();
        assert!(matches!(
            HopPayload::read(&bytes, &[]).unwrap_err().reason,
            DecodeError::TlvOrder { .. }
        ));
    }
}
