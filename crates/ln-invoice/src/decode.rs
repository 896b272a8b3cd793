//! Reading an invoice.

use std::sync::LazyLock;

use bitcoin::hashes::{Hash, sha256};
use bitcoin::secp256k1::ecdsa::{RecoverableSignature, RecoveryId, Signature};
use bitcoin::secp256k1::{Message, Secp256k1, VerifyOnly};
use ln_types::{Features, Network, NodeId};

use crate::fields::Fields;
use crate::words::{self, TRUNCATED, Words};
use crate::{
    DEFAULT_EXPIRY, DEFAULT_MIN_FINAL_CLTV_EXPIRY, Description, Invoice, InvoiceError, amount,
    invoice_hash, text,
};

/// Words of the timestamp.
const TIMESTAMP_WORDS: usize = 7;
/// Words of the signature.
const SIGNATURE_WORDS: usize = 104;

/// What the reader of an invoice wants of it; the default takes anything.
#[derive(Debug, Clone, Copy, Default)]
pub struct Expectations<'a> {
    /// Features we have: an unknown even bit fails the invoice.
    pub features: Option<&'a Features>,
    /// The description behind the hash.
    pub description: Option<&'a str>,
    /// The network we are on.
    pub network: Option<Network>,
}

/// An invoice whose signature was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedInvoice {
    /// What it says.
    pub invoice: Invoice,
    /// Who signed it: the one to pay.
    pub payee: NodeId,
    /// The signature.
    pub signature: Signature,
}

/// Reads an invoice and checks its signature.
///
/// The text may be in upper case, but without `lightning:`; see [`canonical`](crate::canonical).
///
/// BOLT 11 §Data Part.
pub fn decode(text: &str, wanted: &Expectations<'_>) -> Result<SignedInvoice, InvoiceError> {
    let parts = Parts::split(text)?;
    let invoice = parts.invoice(wanted)?;
    let (payee, signature) = parts.payee(invoice.payee)?;
    Ok(SignedInvoice {
        invoice,
        payee,
        signature,
    })
}

/// Reads an invoice without looking at its signature, which may be any 104 words: for invoices about to be signed.
pub fn decode_unsigned(text: &str, wanted: &Expectations<'_>) -> Result<Invoice, InvoiceError> {
    Parts::split(text)?.invoice(wanted)
}

/// The pieces of the text.
struct Parts {
    hrp: String,
    words: Vec<u8>,
    signature: Vec<u8>,
}

impl Parts {
    fn split(text: &str) -> Result<Self, InvoiceError> {
        let (hrp, mut words) = text::split(text).ok_or(InvoiceError::Bech32)?;
        // A text too short for a signature is read as far as it goes, for the better error.
        let data = words.len().checked_sub(SIGNATURE_WORDS);
        let data = data.unwrap_or(words.len().min(TIMESTAMP_WORDS));
        let signature = words.split_off(data.max(words.len().min(TIMESTAMP_WORDS)));
        Ok(Self {
            hrp,
            words,
            signature,
        })
    }

    fn invoice(&self, wanted: &Expectations<'_>) -> Result<Invoice, InvoiceError> {
        let (network, amount) = self.human_readable(wanted.network)?;
        let amount = amount::parse(amount)?;
        let mut words = Words::new(&self.words);
        let timestamp = words.number(TIMESTAMP_WORDS);
        let timestamp = timestamp.ok_or(InvoiceError::Timestamp(TRUNCATED))?;
        let mut fields = Fields::read(Words::new(words.rest()))?;
        check_features(fields.features.as_ref(), wanted.features)?;
        let payment_hash = fields.payment_hash.ok_or(InvoiceError::NoPaymentHash)?;
        let payment_secret = fields.payment_secret;
        let payment_secret = payment_secret.ok_or(InvoiceError::NoPaymentSecret)?;
        let description = fields.one_description()?;
        check_description(&description, wanted.description)?;
        Ok(Invoice {
            network,
            amount,
            timestamp,
            payment_hash,
            payment_secret,
            description,
            expiry: fields.expiry.unwrap_or(DEFAULT_EXPIRY),
            min_final_cltv_expiry: fields
                .min_final_cltv_expiry
                .unwrap_or(DEFAULT_MIN_FINAL_CLTV_EXPIRY),
            payee: fields.payee,
            fallbacks: fields.fallbacks,
            routes: fields.routes,
            features: fields.features.unwrap_or_default(),
            metadata: fields.metadata,
            extra: fields.extra,
        })
    }

    /// The network and the text of the amount.
    // BOLT 11 §Human-Readable Part: an unknown prefix fails the payment.
    fn human_readable(&self, wanted: Option<Network>) -> Result<(Network, &str), InvoiceError> {
        let digits = self.hrp.find(|c: char| c.is_ascii_digit());
        let (prefix, amount) = self.hrp.split_at(digits.unwrap_or(self.hrp.len()));
        let not_lightning = || InvoiceError::NotLightning(prefix.to_owned());
        let chain = prefix.strip_prefix("ln").ok_or_else(not_lightning)?;
        if let Some(network) = wanted {
            if network.invoice_prefix() != chain {
                return Err(InvoiceError::WrongNetwork {
                    prefix: chain.to_owned(),
                    network: network.name(),
                });
            }
            return Ok((network, amount));
        }
        let known = Network::ALL
            .into_iter()
            .find(|network| network.invoice_prefix() == chain);
        let network = known.ok_or_else(|| InvoiceError::UnknownNetwork(chain.to_owned()))?;
        Ok((network, amount))
    }

    /// Who signed it.
    // BOLT 11 §Tagged Fields: with an `n` field the signature must be that key's, in its low-S form; without one the key is recovered,
    // whatever the form.
    fn payee(&self, stated: Option<NodeId>) -> Result<(NodeId, Signature), InvoiceError> {
        static SECP: LazyLock<Secp256k1<VerifyOnly>> = LazyLock::new(Secp256k1::verification_only);
        let truncated = InvoiceError::SignatureTruncated(TRUNCATED);
        let bytes = words::to_bytes(&self.signature).ok_or(truncated.clone())?;
        let (id, compact) = bytes.split_last().ok_or(truncated)?;
        let recovery_id = i32::from(*id);
        let recovery_id =
            RecoveryId::from_i32(recovery_id).map_err(|_| InvoiceError::RecoveryId(*id))?;
        let recoverable = RecoverableSignature::from_compact(compact, recovery_id)
            .map_err(|_| InvoiceError::Signature)?;
        let signature = recoverable.to_standard();
        let message = Message::from_digest(invoice_hash(&self.hrp, &self.words));
        let payee = match stated {
            Some(payee) => {
                SECP.verify_ecdsa(&message, &signature, &payee.public_key())
                    .map_err(|_| InvoiceError::NotByPayee)?;
                payee
            }
            None => SECP
                .recover_ecdsa(&message, &recoverable)
                .map_err(|_| InvoiceError::Recovery)?
                .into(),
        };
        Ok((payee, signature))
    }
}

// BOLT 11 §Feature Bits: unknown odd bits are ignored, unknown even ones fail the payment.
fn check_features(found: Option<&Features>, ours: Option<&Features>) -> Result<(), InvoiceError> {
    let (Some(found), Some(ours)) = (found, ours) else {
        return Ok(());
    };
    match found.first_unsupported(ours) {
        None => Ok(()),
        Some(bit) => Err(InvoiceError::Field {
            tag: '9',
            problem: format!("unknown feature bit {bit}"),
        }),
    }
}

fn check_description(found: &Description, given: Option<&str>) -> Result<(), InvoiceError> {
    match (found, given) {
        (Description::Hash(hash), Some(given))
            if sha256::Hash::hash(given.as_bytes()).to_byte_array() != *hash =>
        {
            Err(InvoiceError::DescriptionMismatch)
        }
        (Description::Hash(_) | Description::Text(_), _) => Ok(()),
    }
}
