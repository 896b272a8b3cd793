//! Writing an invoice.

use bech32::Fe32;
use bitcoin::hashes::{Hash, HashEngine, sha256};
use bitcoin::secp256k1::ecdsa::RecoverableSignature;
use ln_codec::Encode;
use ln_types::{FeatureBit, Features};

use crate::words::{from_bytes, from_number, from_number_minimal, to_padded_bytes};
use crate::{
    DEFAULT_EXPIRY, Description, EncodeError, Invoice, MAX_FIELD_BYTES, RouteHint, amount,
    fallback, text,
};

/// An invoice ready to be signed: what a signer is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsignedInvoice {
    /// The human-readable part.
    pub hrp: String,
    /// The data part as five-bit words, each in a byte, without the signature.
    pub words: Vec<u8>,
}

/// What is signed: the SHA256 of the human-readable part and the data, filled with zero bits to whole bytes.
///
/// BOLT 11 §Data Part.
pub fn invoice_hash(hrp: &str, words: &[u8]) -> [u8; 32] {
    let mut engine = sha256::Hash::engine();
    engine.input(hrp.as_bytes());
    engine.input(&to_padded_bytes(words));
    sha256::Hash::from_engine(engine).to_byte_array()
}

impl UnsignedInvoice {
    /// What to sign.
    pub fn hash(&self) -> [u8; 32] {
        invoice_hash(&self.hrp, &self.words)
    }

    /// The text of the invoice with its signature.
    pub fn finish(self, signature: &RecoverableSignature) -> String {
        let (recovery_id, compact) = signature.serialize_compact();
        let mut bytes = compact.to_vec();
        bytes.push(u8::try_from(recovery_id.to_i32()).unwrap_or_default());
        let mut words = self.words;
        words.extend(from_bytes(&bytes));
        text::join(&self.hrp, &words).expect("the prefix and all words were made for bech32")
    }
}

impl Invoice {
    /// Writes the invoice and has `sign` sign its hash.
    pub fn sign<E: From<EncodeError>>(
        &self,
        sign: impl FnOnce(&UnsignedInvoice) -> Result<RecoverableSignature, E>,
    ) -> Result<String, E> {
        let unsigned = self.to_unsigned()?;
        let signature = sign(&unsigned)?;
        Ok(unsigned.finish(&signature))
    }

    /// Writes the invoice up to the signature.
    ///
    /// The order of fields is Core Lightning's. The final expiry delta is always written, since old payers took other defaults.
    pub fn to_unsigned(&self) -> Result<UnsignedInvoice, EncodeError> {
        let amount = self.amount.map(amount::format).unwrap_or_default();
        let hrp = format!("ln{}{amount}", self.network.invoice_prefix());
        if self.timestamp >= 1 << 35 {
            return Err(EncodeError::Timestamp(self.timestamp));
        }
        let mut words = from_number(self.timestamp, 7);
        push_bytes(&mut words, 's', &self.payment_secret.0)?;
        push_bytes(&mut words, 'p', &self.payment_hash.0)?;
        match &self.description {
            Description::Hash(hash) => push_bytes(&mut words, 'h', hash)?,
            Description::Text(text) => push_bytes(&mut words, 'd', text.as_bytes())?,
        }
        if let Some(metadata) = &self.metadata {
            push_bytes(&mut words, 'm', metadata)?;
        }
        if let Some(payee) = self.payee {
            push_bytes(&mut words, 'n', &payee.to_bytes())?;
        }
        if self.expiry != DEFAULT_EXPIRY {
            if self.expiry >= 1 << 60 {
                return Err(EncodeError::Expiry(self.expiry));
            }
            push(&mut words, 'x', &from_number_minimal(self.expiry))?;
        }
        let delta = u64::from(self.min_final_cltv_expiry);
        push(&mut words, 'c', &from_number_minimal(delta))?;
        for script in &self.fallbacks {
            let field = fallback::encode(script);
            let field = field.ok_or_else(|| EncodeError::Fallback(script.to_hex_string()))?;
            push(&mut words, 'f', &field)?;
        }
        for route in &self.routes {
            let mut bytes = Vec::new();
            RouteHint::encode_many(route, &mut bytes);
            push_bytes(&mut words, 'r', &bytes)?;
        }
        self.push_features(&mut words)?;
        for field in &self.extra {
            let data = field.data.chars().map(word).collect::<Option<Vec<u8>>>();
            let data = data.ok_or(EncodeError::Extra(field.tag))?;
            push(&mut words, field.tag, &data)?;
        }
        Ok(UnsignedInvoice { hrp, words })
    }

    // BOLT 11 §Tagged Fields: no leading zero words, and no field at all without bits.
    fn push_features(&self, words: &mut Vec<u8>) -> Result<(), EncodeError> {
        let with_metadata = self.metadata.is_some();
        let meant =
            |bit: &u16| with_metadata || FeatureBit::of(*bit) != Some(FeatureBit::PaymentMetadata);
        let features: Features = self.features.bits().filter(meant).collect();
        let Some(highest) = features.bits().last() else {
            return Ok(());
        };
        let field: Vec<u8> = (0..=highest / 5)
            .rev()
            .map(|place| {
                let base = place.saturating_mul(5);
                (0..5_u16).fold(0, |word, bit| {
                    let set = features.has_bit(base.saturating_add(bit));
                    word | u8::from(set) << bit
                })
            })
            .collect();
        push(words, '9', &field)
    }
}

/// The word of a bech32 letter.
fn word(letter: char) -> Option<u8> {
    Fe32::from_char(letter).ok().map(Fe32::to_u8)
}

fn push_bytes(words: &mut Vec<u8>, tag: char, bytes: &[u8]) -> Result<(), EncodeError> {
    if bytes.len() > MAX_FIELD_BYTES {
        let bytes = bytes.len();
        return Err(EncodeError::TooLong { tag, bytes });
    }
    push(words, tag, &from_bytes(bytes))
}

fn push(words: &mut Vec<u8>, tag: char, field: &[u8]) -> Result<(), EncodeError> {
    let too_long = || EncodeError::TooLong {
        tag,
        bytes: field.len().saturating_mul(5) / 8,
    };
    let length = u64::try_from(field.len()).map_err(|_| too_long())?;
    if length >= 1 << 10 {
        return Err(too_long());
    }
    words.push(word(tag).ok_or(EncodeError::Extra(tag))?);
    words.extend(from_number(length, 2));
    words.extend_from_slice(field);
    Ok(())
}
