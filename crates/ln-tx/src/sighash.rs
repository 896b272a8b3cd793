//! What is signed, and how signatures become witnesses.

use bitcoin::hashes::Hash;
use bitcoin::secp256k1::{Message, PublicKey, ecdsa};
use bitcoin::sighash::{EcdsaSighashType, SighashCache};
use bitcoin::{Script, Transaction, Witness};
use ln_types::Sat;

use crate::TxError;

/// The digest that signs an input which spends a P2WSH output.
pub fn p2wsh_sighash(
    tx: &Transaction,
    input: usize,
    witness_script: &Script,
    value: Sat,
    kind: EcdsaSighashType,
) -> Result<Message, TxError> {
    SighashCache::new(tx)
        .p2wsh_signature_hash(input, witness_script, value.into(), kind)
        .map(|sighash| Message::from_digest(sighash.to_byte_array()))
        .map_err(|_| TxError::NoSuchIndex {
            index: input,
            count: tx.input.len(),
        })
}

/// The digest that signs an input which spends a P2WPKH output.
pub fn p2wpkh_sighash(
    tx: &Transaction,
    input: usize,
    key: &PublicKey,
    value: Sat,
) -> Result<Message, TxError> {
    SighashCache::new(tx)
        .p2wpkh_signature_hash(
            input,
            &crate::script::p2wpkh(key),
            value.into(),
            EcdsaSighashType::All,
        )
        .map(|sighash| Message::from_digest(sighash.to_byte_array()))
        .map_err(|_| TxError::NoSuchIndex {
            index: input,
            count: tx.input.len(),
        })
}

/// A signature as it stands in a witness: DER and the sighash type.
pub fn witness_signature(signature: &ecdsa::Signature, kind: EcdsaSighashType) -> Vec<u8> {
    let mut bytes = signature.serialize_der().to_vec();
    bytes.push(u8::try_from(kind.to_u32()).expect("sighash types are one byte"));
    bytes
}

/// The witness that spends the funding output, the signatures in the order of the keys.
// BOLT 3 §Commitment Transaction: an empty item, then the signature for the lesser key, then the other.
pub fn funding_witness(
    one: (&PublicKey, &ecdsa::Signature),
    other: (&PublicKey, &ecdsa::Signature),
) -> Witness {
    let (first, second) = if one.0.serialize() < other.0.serialize() {
        (one, other)
    } else {
        (other, one)
    };
    let mut witness = Witness::new();
    witness.push([]);
    witness.push(witness_signature(first.1, EcdsaSighashType::All));
    witness.push(witness_signature(second.1, EcdsaSighashType::All));
    witness.push(crate::script::funding_script(one.0, other.0));
    witness
}
