//! Two signers of one channel sign for each other.
#![allow(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::too_many_lines,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    reason = "tests on fixed values"
)]

use bitcoin::hashes::{Hash, sha256d};
use bitcoin::secp256k1::Message;
use bitcoin::sighash::EcdsaSighashType;
use bitcoin::{OutPoint, Transaction, TxOut};
use ln_keys::public_key;
use ln_signer::{InMemorySigner, InputSpend, Signer, SignerError, verify};
use ln_tx::script::funding_script_pubkey;
use ln_tx::{
    CommitmentFormat, CommitmentKeys, CommitmentOutput, CommitmentParams, CommitmentSpec,
    CommitmentTx, HtlcSpec, ObscuringFactor, build_commitment, p2wsh_sighash,
};
use ln_types::{CltvExpiry, CommitmentNumber, Feerate, HtlcId, Msat, PaymentHash, Sat};

const AMOUNT: Sat = Sat::from_sat(1_000_000);
const NUMBER: CommitmentNumber = CommitmentNumber(5);

/// The commitment that `holder` can broadcast.
fn commitment(
    holder: &InMemorySigner,
    other: &InMemorySigner,
    format: CommitmentFormat,
) -> CommitmentTx {
    let (h, o) = (holder.basepoints(), other.basepoints());
    let point = holder.per_commitment_point(NUMBER).unwrap();
    let htlc = |id: u64| HtlcSpec {
        offered_by_holder: id.is_multiple_of(2),
        id: HtlcId(id),
        amount: Msat::from_msat(40_000_000 + id),
        payment_hash: PaymentHash([id as u8; 32]),
        cltv_expiry: CltvExpiry(500),
    };
    let params = CommitmentParams {
        funding_outpoint: OutPoint::null(),
        funding_amount: AMOUNT,
        holder_funding_key: h.funding,
        other_funding_key: o.funding,
        dust_limit: Sat::from_sat(354),
        to_self_delay: 144,
        keys: CommitmentKeys::derive(point, h, o),
        obscuring_factor: ObscuringFactor::new(&h.payment, &o.payment),
        format,
        holder_is_opener: true,
    };
    let spec = CommitmentSpec {
        number: NUMBER,
        feerate: Feerate::from_perkw(2500),
        to_holder: Msat::from_msat(400_000_000),
        to_other: Msat::from_msat(300_000_000),
        htlcs: (0..4).map(htlc).collect(),
    };
    build_commitment(&params, &spec).unwrap()
}

fn consensus(tx: &Transaction, output: &TxOut) {
    let raw = bitcoin::consensus::serialize(tx);
    let script = output.script_pubkey.as_bytes();
    bitcoinconsensus::verify(script, output.value.to_sat(), &raw, None, 0).unwrap();
}

#[test]
fn each_side_accepts_what_the_other_signs() {
    let (alice, bob) = (InMemorySigner::from_byte(1), InMemorySigner::from_byte(2));
    for format in [CommitmentFormat::Anchors, CommitmentFormat::StaticRemotekey] {
        let ours = commitment(&alice, &bob, format);
        let signatures = bob.sign_remote_commitment(&ours).unwrap();
        assert_eq!(signatures.htlcs.len(), 4);
        for signature in signatures.htlcs.iter().chain([&signatures.commitment]) {
            assert!(signature.serialize_der().len() <= 70);
        }
        let holder = alice.sign_commitment(&ours).unwrap();
        let verified = ours.verify(signatures).unwrap();
        alice.validate_commitment(&verified).unwrap();
        let funding = TxOut {
            value: AMOUNT.into(),
            script_pubkey: funding_script_pubkey(
                &alice.basepoints().funding,
                &bob.basepoints().funding,
            ),
        };
        consensus(&verified.signed(&holder), &funding);
    }
}

#[test]
fn a_commitment_of_another_channel_is_not_signed() {
    let (alice, bob, carol) = (
        InMemorySigner::from_byte(1),
        InMemorySigner::from_byte(2),
        InMemorySigner::from_byte(3),
    );
    let ours = commitment(&alice, &bob, CommitmentFormat::Anchors);
    assert_eq!(
        carol.sign_remote_commitment(&ours),
        Err(SignerError::ForeignChannel)
    );
}

/// Whether `signature` is `key`'s for the first input of `sweep`, which spends this script.
fn check(
    script: &bitcoin::Script,
    sweep: &Transaction,
    kind: EcdsaSighashType,
    signature: bitcoin::secp256k1::ecdsa::Signature,
    key: bitcoin::secp256k1::PublicKey,
) {
    let digest = p2wsh_sighash(sweep, 0, script, AMOUNT, kind).unwrap();
    assert!(verify(&digest, &signature, &key));
}

/// The first input of `sweep` as it spends this script.
fn first_input<'a>(sweep: &'a Transaction, witness_script: &'a bitcoin::Script) -> InputSpend<'a> {
    InputSpend {
        tx: sweep,
        index: 0,
        amount: AMOUNT,
        witness_script,
    }
}

#[test]
fn our_delayed_output_is_signed_by_its_keys() {
    let (alice, bob) = (InMemorySigner::from_byte(1), InMemorySigner::from_byte(2));
    let ours = commitment(&alice, &bob, CommitmentFormat::Anchors);
    let keys = ours.params().keys;
    let sweep = ours.unsigned().clone();
    let all = EcdsaSighashType::All;
    let mut seen = 0;
    for output in ours.outputs() {
        let CommitmentOutput::ToLocal { witness_script } = output else {
            continue;
        };
        seen += 1;
        let spend = first_input(&sweep, witness_script);
        let signature = alice
            .channel()
            .sign_delayed_payment_to_us(&spend, NUMBER)
            .unwrap();
        let delayed = keys.to_local_delayed_key;
        check(witness_script, &sweep, all, signature, delayed);
        let secret = alice.revoke(NUMBER).unwrap().secret;
        let of_bob = bob.check_future_secret(NUMBER, &secret);
        assert!(of_bob.is_ok_and(|ours| !ours));
        assert!(alice.check_future_secret(NUMBER, &secret).unwrap());
        let signature = bob
            .channel()
            .sign_penalty_to_us(&spend, &secret.secret_key().unwrap())
            .unwrap();
        check(witness_script, &sweep, all, signature, keys.revocation_key);
    }
    assert_eq!(seen, 1);
    let to_remote = public_key(&bob.channel().to_remote_secret(None));
    assert_eq!(to_remote, keys.to_remote_payment_key);
}

#[test]
fn htlc_outputs_are_signed_by_their_keys() {
    let (alice, bob) = (InMemorySigner::from_byte(1), InMemorySigner::from_byte(2));
    let ours = commitment(&alice, &bob, CommitmentFormat::Anchors);
    let keys = ours.params().keys;
    let sweep = ours.unsigned().clone();
    for output in ours.outputs() {
        let CommitmentOutput::Htlc { witness_script, .. } = output else {
            continue;
        };
        let spend = first_input(&sweep, witness_script);
        let (signature, kind) = alice
            .channel()
            .sign_local_htlc_tx(&spend, NUMBER, false)
            .unwrap();
        assert_eq!(kind, EcdsaSighashType::All);
        check(witness_script, &sweep, kind, signature, keys.local_htlc_key);
        let point = keys.per_commitment_point;
        let (signature, kind) = bob
            .channel()
            .sign_remote_htlc_to_us(&spend, &point, true)
            .unwrap();
        assert_eq!(kind, EcdsaSighashType::SinglePlusAnyoneCanPay);
        let key = keys.remote_htlc_key;
        check(witness_script, &sweep, kind, signature, key);
    }
}

#[test]
fn inputs_that_do_not_fit_are_refused() {
    let (alice, bob) = (InMemorySigner::from_byte(1), InMemorySigner::from_byte(2));
    let ours = commitment(&alice, &bob, CommitmentFormat::Anchors);
    let mut sweep = ours.unsigned().clone();
    sweep.input.push(sweep.input[0].clone());
    let script = ours.funding_script();
    let spend = first_input(&sweep, &script);
    assert_eq!(
        alice.channel().sign_delayed_payment_to_us(&spend, NUMBER),
        Err(SignerError::InputCount { count: 2 })
    );
    let beyond = InputSpend { index: 2, ..spend };
    assert_eq!(
        alice.channel().sign_delayed_payment_to_us(&beyond, NUMBER),
        Err(SignerError::NoSuchInput { index: 2, count: 2 })
    );
}

#[test]
fn commitments_are_numbered_with_48_bits() {
    let alice = InMemorySigner::from_byte(1);
    let last = CommitmentNumber((1 << 48) - 1);
    assert!(alice.per_commitment_point(last).is_ok());
    assert!(alice.per_commitment_point(last.next()).is_err());
    assert!(alice.revoke(CommitmentNumber(u64::MAX)).is_err());
    let revocation = alice.revoke(CommitmentNumber(0)).unwrap();
    assert_eq!(
        revocation.secret.point().unwrap(),
        alice.per_commitment_point(CommitmentNumber(0)).unwrap()
    );
    assert_eq!(
        revocation.next_point,
        alice.per_commitment_point(CommitmentNumber(2)).unwrap()
    );
}

#[test]
fn announcements_are_signed_behind_their_signatures() {
    let alice = InMemorySigner::from_byte(1);
    let mut message = 256_u16.to_be_bytes().to_vec();
    message.resize(2 + 256 + 100, 7);
    let signatures = alice.sign_channel_announcement(&message).unwrap();
    let digest = Message::from_digest(sha256d::Hash::hash(&message[258..]).to_byte_array());
    assert!(verify(
        &digest,
        &signatures.node,
        &alice.node().keys().node_id().public_key()
    ));
    assert!(verify(
        &digest,
        &signatures.bitcoin,
        &alice.basepoints().funding
    ));
    assert!(alice.sign_channel_announcement(&message[..200]).is_err());
    assert!(alice.sign_channel_update(&message).is_err());

    let mut update = 258_u16.to_be_bytes().to_vec();
    update.resize(138, 9);
    let signed = alice.sign_channel_update(&update).unwrap();
    let digest = Message::from_digest(sha256d::Hash::hash(&update[66..]).to_byte_array());
    let signature = bitcoin::secp256k1::ecdsa::Signature::from_compact(&signed[2..66]).unwrap();
    assert!(verify(
        &digest,
        &signature,
        &alice.node().keys().node_id().public_key()
    ));
    assert_eq!(signed[66..], update[66..]);
    assert!(alice.sign_channel_update(&update[..100]).is_err());
    update[1] = 1;
    assert!(alice.node().sign_node_announcement(&update).is_ok());
}

#[test]
fn both_ends_of_a_key_agreement_get_the_same() {
    let (alice, bob) = (InMemorySigner::from_byte(1), InMemorySigner::from_byte(2));
    let (a, b) = (alice.node().keys().node_id(), bob.node().keys().node_id());
    assert_eq!(
        alice.ecdh(&[b.public_key()]).unwrap(),
        bob.ecdh(&[a.public_key()]).unwrap()
    );
}
