//! Every way to take an output, judged by Bitcoin Core's script interpreter.
#![allow(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    reason = "tests on fixed values"
)]

use bitcoin::secp256k1::{Message, PublicKey, SecretKey, ecdsa};
use bitcoin::{OutPoint, ScriptBuf, Transaction, TxOut};
use ln_keys::{BasepointSecrets, derive_revocation_private_key, public_key, secp};
use ln_tx::closing::{closing_fee, closing_weight};
use ln_tx::spend::spend_weight;
use ln_tx::{
    ClosingOutputs, ClosingParams, CommitmentFormat, CommitmentKeys, CommitmentOutput,
    CommitmentParams, CommitmentSpec, CommitmentTx, HtlcSpec, ObscuringFactor, Spend, SpendPath,
    TxError, build_commitment, build_legacy_closing, build_simple_closing, build_spend,
};
use ln_types::{
    BlockHeight, CltvExpiry, CommitmentNumber, Feerate, HtlcId, Msat, PaymentPreimage, Sat,
};

const PREIMAGE: PaymentPreimage = PaymentPreimage([7; 32]);

fn secrets(first: u8) -> BasepointSecrets {
    let secret = |n: u8| SecretKey::from_slice(&[first + n; 32]).unwrap();
    BasepointSecrets {
        funding: secret(0),
        revocation: secret(1),
        payment: secret(2),
        delayed_payment: secret(3),
        htlc: secret(4),
    }
}

fn sign(message: &Message, secret: &SecretKey) -> ecdsa::Signature {
    secp().sign_ecdsa(message, secret)
}

fn consensus(tx: &Transaction, spent: &[TxOut]) -> Result<(), bitcoinconsensus::Error> {
    let raw = bitcoin::consensus::serialize(tx);
    for (index, output) in spent.iter().enumerate() {
        let script = output.script_pubkey.as_bytes();
        bitcoinconsensus::verify(script, output.value.to_sat(), &raw, None, index)?;
    }
    Ok(())
}

/// A commitment of the holder (secrets from 10) against the other side (from 20), with one HTLC each way.
struct Fixture {
    holder: BasepointSecrets,
    other: BasepointSecrets,
    per_commitment_secret: SecretKey,
    format: CommitmentFormat,
    commitment: CommitmentTx,
}

impl Fixture {
    fn new(format: CommitmentFormat) -> Self {
        let (holder, other) = (secrets(10), secrets(20));
        let per_commitment_secret = SecretKey::from_slice(&[40; 32]).unwrap();
        let (h, o) = (holder.basepoints(), other.basepoints());
        let params = CommitmentParams {
            funding_outpoint: OutPoint::null(),
            funding_amount: Sat::from_sat(1_000_000),
            holder_funding_key: h.funding,
            other_funding_key: o.funding,
            dust_limit: Sat::from_sat(354),
            to_self_delay: 144,
            keys: CommitmentKeys::derive(public_key(&per_commitment_secret), &h, &o),
            obscuring_factor: ObscuringFactor::new(&h.payment, &o.payment),
            format,
            holder_is_opener: true,
        };
        let htlc = |offered_by_holder, id| HtlcSpec {
            offered_by_holder,
            id: HtlcId(id),
            amount: Msat::from_msat(50_000_000),
            payment_hash: PREIMAGE.hash(),
            cltv_expiry: CltvExpiry(600),
        };
        let spec = CommitmentSpec {
            number: CommitmentNumber(1),
            feerate: Feerate::from_perkw(253),
            to_holder: Msat::from_msat(500_000_000),
            to_other: Msat::from_msat(400_000_000),
            htlcs: vec![htlc(true, 0), htlc(false, 0)],
        };
        let commitment = build_commitment(&params, &spec).unwrap();
        Self {
            holder,
            other,
            per_commitment_secret,
            format,
            commitment,
        }
    }

    fn point(&self) -> PublicKey {
        public_key(&self.per_commitment_secret)
    }

    fn revocation_secret(&self) -> SecretKey {
        derive_revocation_private_key(&self.other.revocation, &self.per_commitment_secret)
    }

    /// All that can be taken, by whom: the spend and the secret that signs it.
    fn spends(&self) -> Vec<(Spend, SecretKey)> {
        let format = self.format;
        let mut spends = Vec::new();
        for (vout, output) in self.commitment.outputs().iter().enumerate() {
            let value = Sat::from(self.commitment.unsigned().output[vout].value);
            let outpoint = OutPoint::new(self.commitment.txid(), vout as u32);
            let mut add = |path, secret| {
                let spend = Spend {
                    outpoint,
                    value,
                    path,
                };
                spends.push((spend, secret));
            };
            match output.clone() {
                CommitmentOutput::ToLocal { witness_script } => {
                    let delayed = self.holder.delayed_payment_secret(&self.point());
                    add(
                        SpendPath::ToLocalDelayed {
                            witness_script: witness_script.clone(),
                            to_self_delay: 144,
                        },
                        delayed,
                    );
                    let revoked = SpendPath::RevokedToLocal { witness_script };
                    add(revoked, self.revocation_secret());
                }
                CommitmentOutput::ToRemote { witness_script } => {
                    let key = self.other.basepoints().payment;
                    let path = witness_script
                        .map_or(SpendPath::ToRemoteP2wpkh { key }, |witness_script| {
                            SpendPath::ToRemote { witness_script }
                        });
                    add(path, self.other.payment);
                }
                CommitmentOutput::LocalAnchor { witness_script } => {
                    add(SpendPath::Anchor { witness_script }, self.holder.funding);
                }
                CommitmentOutput::RemoteAnchor { witness_script } => {
                    add(SpendPath::Anchor { witness_script }, self.other.funding);
                }
                CommitmentOutput::Htlc {
                    htlc,
                    witness_script,
                } => {
                    let path = if htlc.offered_by_holder {
                        SpendPath::HtlcPreimage {
                            witness_script: witness_script.clone(),
                            preimage: PREIMAGE,
                            format,
                        }
                    } else {
                        SpendPath::HtlcTimeout {
                            witness_script: witness_script.clone(),
                            cltv_expiry: htlc.cltv_expiry,
                            format,
                        }
                    };
                    add(path, self.other.htlc_secret(&self.point()));
                    let revocation_key = public_key(&self.revocation_secret());
                    let revoked = SpendPath::RevokedHtlc {
                        witness_script,
                        revocation_key,
                    };
                    add(revoked, self.revocation_secret());
                }
            }
        }
        spends
    }
}

fn p2wpkh() -> ScriptBuf {
    ln_tx::script::p2wpkh(&public_key(&SecretKey::from_slice(&[99; 32]).unwrap()))
}

#[test]
fn every_output_can_be_taken_by_every_path() {
    for format in [CommitmentFormat::StaticRemotekey, CommitmentFormat::Anchors] {
        let fixture = Fixture::new(format);
        let spends = fixture.spends();
        let expected = if format.has_anchors() { 9 } else { 7 };
        assert_eq!(spends.len(), expected);
        for (spend, secret) in spends {
            let path = format!("{format:?} {:?}", spend.path);
            let feerate = Feerate::from_perkw(if spend.value < Sat::from_sat(1000) {
                0
            } else {
                1000
            });
            let spent = fixture.commitment.unsigned().output[spend.outpoint.vout as usize].clone();
            let weight = spend_weight(std::slice::from_ref(&spend), &p2wpkh());
            let built = build_spend(vec![spend], p2wpkh(), feerate, BlockHeight(500)).unwrap();
            let tx = built
                .signed(&[sign(&built.sighashes()[0], &secret)])
                .unwrap();
            consensus(&tx, &[spent]).expect(&path);
            let actual = tx.weight().to_wu();
            assert!(actual <= weight && weight <= actual + 4, "{path} {actual}");
            assert_eq!(built.fee(), feerate.fee(weight));
        }
    }
}

#[test]
fn one_penalty_takes_all_revoked_outputs() {
    let fixture = Fixture::new(CommitmentFormat::Anchors);
    let revoked: Vec<Spend> = fixture
        .spends()
        .into_iter()
        .map(|(spend, _)| spend)
        .filter(|spend| {
            matches!(
                spend.path,
                SpendPath::RevokedHtlc { .. } | SpendPath::RevokedToLocal { .. }
            )
        })
        .collect();
    assert_eq!(revoked.len(), 3);
    let spent: Vec<TxOut> = revoked
        .iter()
        .map(|s| fixture.commitment.unsigned().output[s.outpoint.vout as usize].clone())
        .collect();
    let feerate = Feerate::from_perkw(2000);
    let built = build_spend(revoked, p2wpkh(), feerate, BlockHeight(0)).unwrap();
    let secret = fixture.revocation_secret();
    let signatures: Vec<_> = built
        .sighashes()
        .iter()
        .map(|sighash| sign(sighash, &secret))
        .collect();
    consensus(&built.signed(&signatures).unwrap(), &spent).unwrap();
    assert!(matches!(
        built.signed(&signatures[1..]),
        Err(TxError::NoSuchIndex { index: 2, count: 3 })
    ));
}

#[test]
fn a_sweep_that_does_not_pay_is_refused() {
    let fixture = Fixture::new(CommitmentFormat::Anchors);
    let spends = fixture.spends();
    let anchor = spends
        .iter()
        .map(|(spend, _)| spend)
        .find(|spend| spend.value == Sat::from_sat(330))
        .unwrap();
    let build = |spends, feerate| {
        build_spend(
            spends,
            p2wpkh(),
            Feerate::from_perkw(feerate),
            BlockHeight(0),
        )
    };
    assert!(matches!(
        build(vec![anchor.clone()], 253),
        Err(TxError::Uneconomical { .. })
    ));
    assert_eq!(
        build(vec![anchor.clone(), anchor.clone()], 0),
        Err(TxError::SpentTwice(anchor.outpoint))
    );
    assert_eq!(build(vec![], 253), Err(TxError::NothingToSpend));
}

fn closing() -> (ClosingParams, [SecretKey; 2]) {
    let keys = [1, 2].map(|n| SecretKey::from_slice(&[n; 32]).unwrap());
    let params = ClosingParams {
        funding_outpoint: OutPoint::null(),
        funding_amount: Sat::from_sat(100_000),
        local_funding_key: public_key(&keys[0]),
        remote_funding_key: public_key(&keys[1]),
        to_local: Msat::from_msat(60_000_999),
        to_remote: Msat::from_msat(39_999_001),
        local_script: p2wpkh(),
        remote_script: ScriptBuf::new_op_return([1; 8]),
    };
    (params, keys)
}

#[test]
fn a_closing_needs_the_peers_signature_and_then_is_valid() {
    let (mut params, keys) = closing();
    params.remote_script = p2wpkh();
    let fee = closing_fee(
        Feerate::from_perkw(1000),
        [&params.local_script, &params.remote_script],
    );
    let tx = build_legacy_closing(&params, true, fee, Sat::from_sat(546), false).unwrap();
    assert_eq!(tx.unsigned().output.len(), 2);
    // One satoshi is lost to rounding.
    assert_eq!(tx.fee(), fee.saturating_add(Sat::from_sat(1)));
    let ours = sign(&tx.sighash(), &keys[0]);
    assert!(tx.clone().verify(ours).is_err());
    let theirs = sign(&tx.sighash(), &keys[1]);
    let funding = TxOut {
        value: params.funding_amount.into(),
        script_pubkey: tx.funding_script().to_p2wsh(),
    };
    let signed = tx.verify(theirs).unwrap().signed(&ours);
    consensus(&signed, &[funding]).unwrap();
    let weight = closing_weight([&params.local_script, &params.remote_script]);
    assert!(signed.weight().to_wu() <= weight && weight <= signed.weight().to_wu() + 6);
}

#[test]
fn a_legacy_closing_drops_dust_and_takes_the_fee_from_the_opener() {
    let (mut params, _) = closing();
    params.to_remote = Msat::from_msat(545_999);
    let build = |fee, dust, drop| {
        build_legacy_closing(&params, true, Sat::from_sat(fee), Sat::from_sat(dust), drop)
    };
    let tx = build(1000, 546, false).unwrap();
    assert_eq!(tx.unsigned().output.len(), 1);
    assert_eq!(tx.unsigned().output[0].value.to_sat(), 59_000);
    assert!(matches!(
        build(60_001, 546, false),
        Err(TxError::FeeTooHigh { .. })
    ));
    assert!(matches!(build(0, 546, true), Err(TxError::OnlyDust { .. })));
}

#[test]
fn a_simple_closing_gives_op_return_nothing() {
    let (params, _) = closing();
    let fee = Sat::from_sat(500);
    let tx = build_simple_closing(&params, true, fee, 777, ClosingOutputs::Both).unwrap();
    let values: Vec<u64> = tx
        .unsigned()
        .output
        .iter()
        .map(|output| output.value.to_sat())
        .collect();
    assert_eq!(values, [0, 59_500]);
    assert_eq!(tx.unsigned().lock_time.to_consensus_u32(), 777);
    assert_eq!(tx.unsigned().input[0].sequence.0, 0xffff_fffd);
}
