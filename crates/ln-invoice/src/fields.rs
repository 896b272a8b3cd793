//! The tagged fields, read one by one.

use bech32::Fe32;
use bitcoin::ScriptBuf;
use ln_codec::{Decode, Reader};
use ln_types::{Features, NodeId, PaymentHash, PaymentSecret};

use crate::fallback;
use crate::words::{self, TRUNCATED, Words};
use crate::{Description, ExtraField, InvoiceError, RouteHint};

/// Words of a 256-bit field.
const HASH_WORDS: usize = 52;
/// Words of a key.
const KEY_WORDS: usize = 53;
/// Bytes of one entry of a route hint.
const HINT_BYTES: usize = 51;

/// The fields found so far.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    pub(crate) payment_hash: Option<PaymentHash>,
    pub(crate) payment_secret: Option<PaymentSecret>,
    pub(crate) description: Option<String>,
    pub(crate) description_hash: Option<[u8; 32]>,
    pub(crate) expiry: Option<u64>,
    pub(crate) min_final_cltv_expiry: Option<u32>,
    pub(crate) payee: Option<NodeId>,
    pub(crate) fallbacks: Vec<ScriptBuf>,
    pub(crate) routes: Vec<Vec<RouteHint>>,
    pub(crate) features: Option<Features>,
    pub(crate) metadata: Option<Vec<u8>>,
    pub(crate) extra: Vec<ExtraField>,
}

impl Fields {
    /// Reads one field after the other.
    // BOLT 11 §Tagged Fields: five bits of type, ten of length in words, then the data.
    pub(crate) fn read(mut words: Words<'_>) -> Result<Self, InvoiceError> {
        let mut fields = Self::default();
        while words.len() > 0 {
            let tag = words.take(1).ok_or(InvoiceError::Tag(TRUNCATED))?;
            let tag = letter(tag.first().copied().unwrap_or_default());
            let length = words.number(2).ok_or(InvoiceError::Length(TRUNCATED))?;
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            let data = words.take(length).ok_or(InvoiceError::Truncated(tag))?;
            fields.field(tag, data)?;
        }
        Ok(fields)
    }

    /// One field. The first of a type counts; repeated ones, except `f` and `r`, and those of a wrong length are kept as extra.
    fn field(&mut self, tag: char, data: &[u8]) -> Result<(), InvoiceError> {
        let is_hash = data.len() == HASH_WORDS;
        match tag {
            'p' if self.payment_hash.is_none() && is_hash => {
                self.payment_hash = Some(PaymentHash(array(data)?));
            }
            's' if self.payment_secret.is_none() && is_hash => {
                self.payment_secret = Some(PaymentSecret(array(data)?));
            }
            'h' if self.description_hash.is_none() && is_hash => {
                self.description_hash = Some(array(data)?);
            }
            'n' if self.payee.is_none() && data.len() == KEY_WORDS => {
                self.payee = Some(payee(data)?);
            }
            'd' if self.description.is_none() => {
                let text = String::from_utf8(bytes(data)?);
                self.description = Some(text.map_err(|_| wrong(tag, "invalid utf8"))?);
            }
            'm' if self.metadata.is_none() => self.metadata = Some(bytes(data)?),
            'x' if self.expiry.is_none() => self.expiry = Some(number(tag, data)?),
            'c' if self.min_final_cltv_expiry.is_none() => {
                let delta = number(tag, data)?;
                let small = u32::try_from(delta);
                let large = |_| wrong(tag, &format!("{delta} is too large"));
                self.min_final_cltv_expiry = Some(small.map_err(large)?);
            }
            '9' if self.features.is_none() => self.features = Some(features(data)?),
            'f' if data
                .first()
                .is_none_or(|version| fallback::is_known(*version)) =>
            {
                let script = fallback::decode(data).map_err(|problem| wrong(tag, &problem))?;
                self.fallbacks.push(script);
            }
            'r' => self.routes.push(route(data)?),
            _ => self.extra.push(ExtraField {
                tag,
                data: data.iter().map(|word| letter(*word)).collect(),
            }),
        }
        Ok(())
    }

    /// The description, of which there must be exactly one form.
    // BOLT 11 §Tagged Fields: neither or both of `d` and `h` fail the payment.
    pub(crate) fn one_description(&mut self) -> Result<Description, InvoiceError> {
        match (self.description.take(), self.description_hash) {
            (Some(text), None) => Ok(Description::Text(text)),
            (None, Some(hash)) => Ok(Description::Hash(hash)),
            (None, None) => Err(InvoiceError::NoDescription),
            (Some(_), Some(_)) => Err(InvoiceError::TwoDescriptions),
        }
    }
}

/// The bech32 letter of a word.
pub(crate) fn letter(word: u8) -> char {
    Fe32::try_from(word & 31).map_or('q', Fe32::to_char)
}

fn wrong(tag: char, problem: &str) -> InvoiceError {
    InvoiceError::Field {
        tag,
        problem: problem.to_owned(),
    }
}

fn bytes(data: &[u8]) -> Result<Vec<u8>, InvoiceError> {
    words::to_bytes(data).ok_or(InvoiceError::TrailingBits)
}

fn array(data: &[u8]) -> Result<[u8; 32], InvoiceError> {
    <[u8; 32]>::try_from(bytes(data)?).map_err(|_| InvoiceError::TrailingBits)
}

fn payee(data: &[u8]) -> Result<NodeId, InvoiceError> {
    use bitcoin::hex::DisplayHex;
    let key = bytes(data)?;
    NodeId::from_slice(&key).ok_or_else(|| InvoiceError::Payee(key.to_lower_hex_string()))
}

/// A number without leading zero words.
fn number(tag: char, data: &[u8]) -> Result<u64, InvoiceError> {
    if data.len() > 12 {
        return Err(wrong(tag, "integer too large"));
    }
    if data.len() > 1 && data.first() == Some(&0) {
        return Err(wrong(tag, "not a minimal value"));
    }
    Ok(words::number(data))
}

/// A bit vector whose last word holds bits 0 to 4.
fn features(data: &[u8]) -> Result<Features, InvoiceError> {
    // Eight zero bits in front are refused; fewer are let pass, as writers that count in bytes leave them.
    let second = data.get(1).copied().unwrap_or(0);
    if data.first() == Some(&0) && second < 4 {
        return Err(wrong('9', "non-minimal length (begins with 0)"));
    }
    let mut found = Features::new();
    for (place, word) in data.iter().rev().enumerate() {
        for bit in (0..5_u16).filter(|bit| word & (1 << bit) != 0) {
            let base = u16::try_from(place.saturating_mul(5)).unwrap_or(u16::MAX);
            found.set(base.saturating_add(bit));
        }
    }
    Ok(found)
}

fn route(data: &[u8]) -> Result<Vec<RouteHint>, InvoiceError> {
    let bytes = bytes(data)?;
    let mut reader = Reader::new(&bytes);
    let mut hints = Vec::new();
    loop {
        let hop = hints.len();
        if reader.remaining() < HINT_BYTES {
            return Err(wrong('r', &format!("hop {hop} truncated")));
        }
        let hint = RouteHint::decode(&mut reader)
            .map_err(|_| wrong('r', &format!("hop {hop} pubkey invalid")))?;
        hints.push(hint);
        if reader.is_empty() {
            return Ok(hints);
        }
    }
}
