//! The vectors of BOLT 3's appendices B, C and F.
#![allow(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    reason = "fixed vectors"
)]

use bitcoin::consensus::encode::{deserialize_hex, serialize_hex};
use bitcoin::hex::FromHex;
use bitcoin::secp256k1::{Message, PublicKey, SecretKey, ecdsa};
use bitcoin::{OutPoint, Transaction};
use ln_keys::secp;
use ln_tx::{
    CommitmentFormat, CommitmentKeys, CommitmentParams, CommitmentSignatures, CommitmentSpec,
    HtlcSpec, ObscuringFactor, build_commitment, script,
};
use ln_types::{CltvExpiry, CommitmentNumber, Feerate, HtlcId, Msat, PaymentPreimage, Sat};

const LOCAL_FUNDING_SECRET: &str =
    "30ff4956bbdd3222d44cc5e8a1261dab1e07957bdac5ae88fe3261ef321f3749";
const LOCAL_FUNDING_KEY: &str =
    "023da092f6980e58d2c037173180e9a465476026ee50f96695963e8efe436f54eb";
const REMOTE_FUNDING_KEY: &str =
    "030e9f7b623d2ccc7c9bd44d66d5ce21ce504c0acf6385a132cec6d3c39fa711c1";
const LOCAL_PAYMENT_BASEPOINT: &str =
    "034f355bdcb7cc0af728ef3cceb9615d90684bb5b2ca5f859ab0f0b704075871aa";
const REMOTE_PAYMENT_BASEPOINT: &str =
    "032c0b7cf95324a07d05398b240174dc0c2be444d96b159aa6c7f7b1e668680991";
const LOCAL_HTLC_SECRET: &str = "bb13b121cdc357cd2e608b0aea294afca36e2b34cf958e2e6451a2f274694491";

fn key(hex: &str) -> PublicKey {
    hex.parse().unwrap()
}

fn secret(hex: &str) -> SecretKey {
    hex.parse().unwrap()
}

fn sign(message: &Message, secret: &SecretKey) -> ecdsa::Signature {
    secp().sign_ecdsa(message, secret)
}

fn preimage(htlc: u64) -> PaymentPreimage {
    // Number 6 has the preimage of number 5.
    PaymentPreimage([htlc.min(5) as u8; 32])
}

fn test_htlc(number: u64) -> HtlcSpec {
    let (offered_by_holder, msat, expiry) = [
        (false, 1_000_000, 500),
        (false, 2_000_000, 501),
        (true, 2_000_000, 502),
        (true, 3_000_000, 503),
        (false, 4_000_000, 504),
        (true, 5_000_000, 506),
        (true, 5_000_001, 505),
    ][number as usize];
    HtlcSpec {
        offered_by_holder,
        id: HtlcId(number),
        amount: Msat::from_msat(msat),
        payment_hash: preimage(number).hash(),
        cltv_expiry: CltvExpiry(expiry),
    }
}

fn params(format: CommitmentFormat, dust_limit: u64) -> CommitmentParams {
    let txid = "8984484a580b825b9972d7adb15050b3ab624ccd731946b3eeddb92f4e7ef6be";
    CommitmentParams {
        funding_outpoint: OutPoint::new(txid.parse().unwrap(), 0),
        funding_amount: Sat::from_sat(10_000_000),
        holder_funding_key: key(LOCAL_FUNDING_KEY),
        other_funding_key: key(REMOTE_FUNDING_KEY),
        dust_limit: Sat::from_sat(dust_limit),
        to_self_delay: 144,
        keys: CommitmentKeys {
            per_commitment_point: key(
                "025f7117a78150fe2ef97db7cfc83bd57b2e2c0d0dd25eaf467a4a1c2a45ce1486",
            ),
            revocation_key: key(
                "0212a140cd0c6539d07cd08dfe09984dec3251ea808b892efeac3ede9402bf2b19",
            ),
            to_local_delayed_key: key(
                "03fd5960528dc152014952efdb702a88f71e3c1653b2314431701ec77e57fde83c",
            ),
            local_htlc_key: key(
                "030d417a46946384f88d5f3337267c5e579765875dc4daca813e21734b140639e7",
            ),
            remote_htlc_key: key(
                "0394854aa6eab5b2a8122cc726e9dded053a2184d88256816826d6231c068d4a5b",
            ),
            to_remote_payment_key: key(REMOTE_PAYMENT_BASEPOINT),
        },
        obscuring_factor: ObscuringFactor::new(
            &key(LOCAL_PAYMENT_BASEPOINT),
            &key(REMOTE_PAYMENT_BASEPOINT),
        ),
        format,
        holder_is_opener: true,
    }
}

/// One case of an appendix.
struct Case {
    name: String,
    params: CommitmentParams,
    spec: CommitmentSpec,
    signatures: CommitmentSignatures,
    commitment: String,
    htlc_txs: Vec<String>,
}

fn signature(hex: &str) -> ecdsa::Signature {
    ecdsa::Signature::from_der(&Vec::from_hex(hex).unwrap()).unwrap()
}

fn cases(text: &str, format: CommitmentFormat) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    let mut head = "";
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (word, rest) = line.split_once(' ').unwrap();
        match word {
            "case" => head = rest,
            "signature" => cases.push(case(head, signature(rest), format)),
            "commitment" => rest.clone_into(&mut cases.last_mut().unwrap().commitment),
            "htlc" => {
                let case = cases.last_mut().unwrap();
                let (sig, tx) = rest.split_once(' ').unwrap();
                case.signatures.htlcs.push(signature(sig));
                case.htlc_txs.push(tx.to_owned());
            }
            other => panic!("unknown line {other}"),
        }
    }
    cases
}

fn case(head: &str, commitment: ecdsa::Signature, format: CommitmentFormat) -> Case {
    let fields: Vec<&str> = head.split('|').collect();
    let numbers = fields[5].split(',').filter(|number| !number.is_empty());
    Case {
        name: fields[0].to_owned(),
        params: params(format, fields[4].parse().unwrap()),
        spec: CommitmentSpec {
            number: CommitmentNumber(42),
            feerate: Feerate::from_perkw(fields[3].parse().unwrap()),
            to_holder: Msat::from_msat(fields[1].parse().unwrap()),
            to_other: Msat::from_msat(fields[2].parse().unwrap()),
            htlcs: numbers
                .map(|number| test_htlc(number.parse().unwrap()))
                .collect(),
        },
        signatures: CommitmentSignatures {
            commitment,
            htlcs: Vec::new(),
        },
        commitment: String::new(),
        htlc_txs: Vec::new(),
    }
}

/// Bitcoin Core's own judgement of every input.
fn consensus_accepts(tx: &Transaction, spent: &bitcoin::TxOut) {
    let spent_script = spent.script_pubkey.as_bytes();
    bitcoinconsensus::verify(
        spent_script,
        spent.value.to_sat(),
        &bitcoin::consensus::serialize(tx),
        None,
        0,
    )
    .unwrap();
}

fn run(text: &str, format: CommitmentFormat, count: usize) {
    let cases = cases(text, format);
    assert_eq!(cases.len(), count);
    for case in cases {
        let name = case.name;
        let unsigned = build_commitment(&case.params, &case.spec).unwrap();
        let number = case.params.obscuring_factor.reveal(unsigned.unsigned());
        assert_eq!(number, Some(CommitmentNumber(42)), "{name}");
        let verified = unsigned.verify(case.signatures.clone()).expect(&name);
        let signed = verified.signed(&sign(&verified.sighash(), &secret(LOCAL_FUNDING_SECRET)));
        assert_eq!(serialize_hex(&signed), case.commitment, "{name}");
        let funding = bitcoin::TxOut {
            value: case.params.funding_amount.into(),
            script_pubkey: verified.funding_script().to_p2wsh(),
        };
        consensus_accepts(&signed, &funding);
        let htlc_txs: Vec<_> = verified.htlc_txs().collect();
        assert_eq!(htlc_txs.len(), case.htlc_txs.len(), "{name}");
        for ((htlc_tx, theirs), expected) in htlc_txs
            .iter()
            .zip(&verified.signatures().htlcs)
            .zip(&case.htlc_txs)
        {
            let ours = sign(&htlc_tx.holder_sighash(), &secret(LOCAL_HTLC_SECRET));
            let htlc = htlc_tx.htlc();
            let preimage = (!htlc.offered_by_holder).then(|| preimage(htlc.id.0));
            let tx = htlc_tx.signed(theirs, &ours, preimage.as_ref());
            assert_eq!(serialize_hex(&tx), *expected, "{name} htlc {}", htlc.id);
            let vout = tx.input[0].previous_output.vout as usize;
            consensus_accepts(&tx, &signed.output[vout]);
        }
    }
}

#[test]
fn appendix_b_funding_transaction() {
    let (local, remote) = (key(LOCAL_FUNDING_KEY), key(REMOTE_FUNDING_KEY));
    let expected = "5221023da092f6980e58d2c037173180e9a465476026ee50f96695963e8efe436f54eb\
                    21030e9f7b623d2ccc7c9bd44d66d5ce21ce504c0acf6385a132cec6d3c39fa711c152ae";
    assert_eq!(
        script::funding_script(&local, &remote).to_hex_string(),
        expected
    );
    assert_eq!(
        script::funding_script(&remote, &local).to_hex_string(),
        expected
    );
    let tx: Transaction = deserialize_hex(include_str!("data/appendix_b.txt").trim()).unwrap();
    assert_eq!(
        tx.output[0].script_pubkey,
        script::funding_script_pubkey(&local, &remote)
    );
    assert_eq!(tx.output[0].value.to_sat(), 10_000_000);
    assert_eq!(
        tx.compute_txid(),
        params(CommitmentFormat::Anchors, 546).funding_outpoint.txid
    );
}

#[test]
fn appendix_c_commitments_and_htlc_transactions() {
    let text = include_str!("data/appendix_c.txt");
    run(text, CommitmentFormat::StaticRemotekey, 16);
}

#[test]
fn appendix_f_commitments_and_htlc_transactions_with_anchors() {
    let text = include_str!("data/appendix_f.txt");
    run(text, CommitmentFormat::Anchors, 9);
}
