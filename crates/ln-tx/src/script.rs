//! The scripts of BOLT 3's outputs.

use bitcoin::hashes::{Hash, ripemd160};
use bitcoin::opcodes::all as op;
use bitcoin::script::Builder;
use bitcoin::secp256k1::PublicKey;
use bitcoin::{ScriptBuf, WPubkeyHash};
use ln_types::{CltvExpiry, PaymentHash};

use crate::{CommitmentFormat, CommitmentKeys};

/// The witness script of the funding output: 2 of the 2 funding keys, in either order of the arguments.
// BOLT 3 §Funding Transaction Output: the lesser compressed key goes first.
pub fn funding_script(one: &PublicKey, other: &PublicKey) -> ScriptBuf {
    let (one, other) = (one.serialize(), other.serialize());
    let (first, second) = if one < other {
        (one, other)
    } else {
        (other, one)
    };
    Builder::new()
        .push_opcode(op::OP_PUSHNUM_2)
        .push_slice(first)
        .push_slice(second)
        .push_opcode(op::OP_PUSHNUM_2)
        .push_opcode(op::OP_CHECKMULTISIG)
        .into_script()
}

/// The script of the funding output itself.
pub fn funding_script_pubkey(one: &PublicKey, other: &PublicKey) -> ScriptBuf {
    funding_script(one, other).to_p2wsh()
}

/// The witness script of `to_local`, which also locks the output of HTLC transactions.
// BOLT 3 §`to_local` Output: the revocation key at once, or the delayed key after to_self_delay.
pub fn to_local_script(
    revocation_key: &PublicKey,
    to_self_delay: u16,
    delayed_key: &PublicKey,
) -> ScriptBuf {
    Builder::new()
        .push_opcode(op::OP_IF)
        .push_slice(revocation_key.serialize())
        .push_opcode(op::OP_ELSE)
        .push_int(i64::from(to_self_delay))
        .push_opcode(op::OP_CSV)
        .push_opcode(op::OP_DROP)
        .push_slice(delayed_key.serialize())
        .push_opcode(op::OP_ENDIF)
        .push_opcode(op::OP_CHECKSIG)
        .into_script()
}

/// The witness script of `to_remote` with anchors; without them the output is P2WPKH and has none.
// BOLT 3 §`to_remote` Output: with option_anchors the key must wait for one confirmation.
pub fn to_remote_script(payment_key: &PublicKey) -> ScriptBuf {
    Builder::new()
        .push_slice(payment_key.serialize())
        .push_opcode(op::OP_CHECKSIGVERIFY)
        .push_opcode(op::OP_PUSHNUM_1)
        .push_opcode(op::OP_CSV)
        .into_script()
}

/// The script of the `to_remote` output itself.
pub fn to_remote_script_pubkey(payment_key: &PublicKey, format: CommitmentFormat) -> ScriptBuf {
    match format {
        CommitmentFormat::StaticRemotekey => p2wpkh(payment_key),
        CommitmentFormat::Anchors => to_remote_script(payment_key).to_p2wsh(),
    }
}

/// The P2WPKH script of a key.
pub fn p2wpkh(key: &PublicKey) -> ScriptBuf {
    ScriptBuf::new_p2wpkh(&WPubkeyHash::hash(&key.serialize()))
}

/// The witness script of a side's anchor.
// BOLT 3 §`to_local_anchor` and `to_remote_anchor` Output (option_anchors): the funding key at once, anybody after 16 blocks.
pub fn anchor_script(funding_key: &PublicKey) -> ScriptBuf {
    Builder::new()
        .push_slice(funding_key.serialize())
        .push_opcode(op::OP_CHECKSIG)
        .push_opcode(op::OP_IFDUP)
        .push_opcode(op::OP_NOTIF)
        .push_opcode(op::OP_PUSHNUM_16)
        .push_opcode(op::OP_CSV)
        .push_opcode(op::OP_ENDIF)
        .into_script()
}

/// What both HTLC scripts begin with: the revocation key takes all, else the size of an item tells a preimage.
fn htlc_start(keys: &CommitmentKeys) -> Builder {
    let revocation_hash = WPubkeyHash::hash(&keys.revocation_key.serialize());
    Builder::new()
        .push_opcode(op::OP_DUP)
        .push_opcode(op::OP_HASH160)
        .push_slice(revocation_hash.to_byte_array())
        .push_opcode(op::OP_EQUAL)
        .push_opcode(op::OP_IF)
        .push_opcode(op::OP_CHECKSIG)
        .push_opcode(op::OP_ELSE)
        .push_slice(keys.remote_htlc_key.serialize())
        .push_opcode(op::OP_SWAP)
        .push_opcode(op::OP_SIZE)
        .push_int(32)
        .push_opcode(op::OP_EQUAL)
}

/// What both HTLC scripts end with; with anchors every branch but the revocation waits for one confirmation.
fn htlc_end(builder: Builder, format: CommitmentFormat) -> ScriptBuf {
    let builder = builder.push_opcode(op::OP_ENDIF);
    let builder = match format {
        CommitmentFormat::StaticRemotekey => builder,
        CommitmentFormat::Anchors => builder
            .push_opcode(op::OP_PUSHNUM_1)
            .push_opcode(op::OP_CSV)
            .push_opcode(op::OP_DROP),
    };
    builder.push_opcode(op::OP_ENDIF).into_script()
}

fn hash_of(payment_hash: &PaymentHash) -> [u8; 20] {
    ripemd160::Hash::hash(&payment_hash.0).to_byte_array()
}

/// The witness script of an HTLC that the holder offered.
// BOLT 3 §Offered HTLC Outputs: the holder by HTLC-timeout, the other side with the preimage.
pub fn offered_htlc_script(
    keys: &CommitmentKeys,
    payment_hash: &PaymentHash,
    format: CommitmentFormat,
) -> ScriptBuf {
    let builder = htlc_start(keys)
        .push_opcode(op::OP_NOTIF)
        .push_opcode(op::OP_DROP)
        .push_opcode(op::OP_PUSHNUM_2)
        .push_opcode(op::OP_SWAP)
        .push_slice(keys.local_htlc_key.serialize())
        .push_opcode(op::OP_PUSHNUM_2)
        .push_opcode(op::OP_CHECKMULTISIG)
        .push_opcode(op::OP_ELSE)
        .push_opcode(op::OP_HASH160)
        .push_slice(hash_of(payment_hash))
        .push_opcode(op::OP_EQUALVERIFY)
        .push_opcode(op::OP_CHECKSIG);
    htlc_end(builder, format)
}

/// The witness script of an HTLC that the holder received.
// BOLT 3 §Received HTLC Outputs: the holder by HTLC-success, the other side after cltv_expiry.
pub fn received_htlc_script(
    keys: &CommitmentKeys,
    payment_hash: &PaymentHash,
    cltv_expiry: CltvExpiry,
    format: CommitmentFormat,
) -> ScriptBuf {
    let builder = htlc_start(keys)
        .push_opcode(op::OP_IF)
        .push_opcode(op::OP_HASH160)
        .push_slice(hash_of(payment_hash))
        .push_opcode(op::OP_EQUALVERIFY)
        .push_opcode(op::OP_PUSHNUM_2)
        .push_opcode(op::OP_SWAP)
        .push_slice(keys.local_htlc_key.serialize())
        .push_opcode(op::OP_PUSHNUM_2)
        .push_opcode(op::OP_CHECKMULTISIG)
        .push_opcode(op::OP_ELSE)
        .push_opcode(op::OP_DROP)
        .push_int(i64::from(cltv_expiry.0))
        .push_opcode(op::OP_CLTV)
        .push_opcode(op::OP_DROP)
        .push_opcode(op::OP_CHECKSIG);
    htlc_end(builder, format)
}
