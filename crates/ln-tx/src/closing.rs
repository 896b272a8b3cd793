//! Closing transactions, agreed on by both sides.

use bitcoin::absolute::LockTime;
use bitcoin::secp256k1::{Message, PublicKey, ecdsa};
use bitcoin::sighash::EcdsaSighashType;
use bitcoin::transaction::Version;
use bitcoin::{OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Txid};
use ln_codec::{Decode, Encode};
use ln_keys::secp;
use ln_types::{Feerate, Msat, Sat};

use crate::script::funding_script;
use crate::sighash::{funding_witness, p2wsh_sighash};
use crate::{CounterSigned, SignatureError, TxError, Verified};

/// Two signatures of 73 bytes and the script of 71 with their lengths, an empty item, the count.
const FUNDING_WITNESS_WEIGHT: u64 = 222;

/// What a closing pays from, and to whom.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ClosingParams {
    /// The funding output.
    pub funding_outpoint: OutPoint,
    /// Its value.
    pub funding_amount: Sat,
    /// Our funding key.
    pub local_funding_key: PublicKey,
    /// The peer's funding key.
    pub remote_funding_key: PublicKey,
    /// Our balance.
    pub to_local: Msat,
    /// The peer's balance.
    pub to_remote: Msat,
    /// Where ours goes.
    pub local_script: ScriptBuf,
    /// Where the peer's goes.
    pub remote_script: ScriptBuf,
}

/// Which outputs a closing of `option_simple_close` has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ClosingOutputs {
    /// The closer's alone.
    CloserOnly,
    /// The closee's alone.
    CloseeOnly,
    /// Both.
    Both,
}

/// A closing transaction, not signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClosingTx {
    tx: Transaction,
    funding_amount: Sat,
    local_funding_key: PublicKey,
    remote_funding_key: PublicKey,
}

/// A closing of `closing_signed`: the opener pays `fee`, outputs below `dust_limit` are dropped, and ours too if `drop_local`.
// BOLT 3 §Legacy Closing Transaction: outputs rounded down, the fee taken from the opener's.
pub fn build_legacy_closing(
    params: &ClosingParams,
    local_is_opener: bool,
    fee: Sat,
    dust_limit: Sat,
    drop_local: bool,
) -> Result<ClosingTx, TxError> {
    let (mut local, mut remote) = params.balances()?;
    let opener = if local_is_opener {
        &mut local
    } else {
        &mut remote
    };
    *opener = pay(*opener, fee)?;
    let mut outputs = Vec::with_capacity(2);
    if local >= dust_limit && !drop_local {
        outputs.push((local, params.local_script.clone()));
    }
    if remote >= dust_limit {
        outputs.push((remote, params.remote_script.clone()));
    }
    if outputs.is_empty() {
        return Err(TxError::OnlyDust {
            value: local.max(remote),
        });
    }
    Ok(params.build(outputs, LockTime::ZERO, Sequence::MAX))
}

/// A closing of `closing_complete` and `closing_sig`: the closer (us if `local_is_closer`) pays `fee`.
// BOLT 3 §Closing Transaction: replaceable, with the closer's locktime; an OP_RETURN output carries nothing.
pub fn build_simple_closing(
    params: &ClosingParams,
    local_is_closer: bool,
    fee: Sat,
    locktime: u32,
    outputs: ClosingOutputs,
) -> Result<ClosingTx, TxError> {
    let (local, remote) = params.balances()?;
    let (closer, closee) = if local_is_closer {
        (
            (local, &params.local_script),
            (remote, &params.remote_script),
        )
    } else {
        (
            (remote, &params.remote_script),
            (local, &params.local_script),
        )
    };
    let output = |value: Sat, script: &ScriptBuf| {
        let value = if script.is_op_return() {
            Sat::ZERO
        } else {
            value
        };
        (value, script.clone())
    };
    let outputs = match outputs {
        ClosingOutputs::CloserOnly => vec![output(pay(closer.0, fee)?, closer.1)],
        // The fee still leaves the closer's balance, with all the rest of it.
        ClosingOutputs::CloseeOnly => vec![output(closee.0, closee.1)],
        ClosingOutputs::Both => vec![
            output(pay(closer.0, fee)?, closer.1),
            output(closee.0, closee.1),
        ],
    };
    Ok(params.build(
        outputs,
        LockTime::from_consensus(locktime),
        Sequence::ENABLE_RBF_NO_LOCKTIME,
    ))
}

/// The weight of a closing with outputs to these scripts, once signed.
pub fn closing_weight<'a>(scripts: impl IntoIterator<Item = &'a ScriptBuf>) -> u64 {
    // Version, locktime, counts and the input: 51 bytes; marker and flag: 2 weight units.
    let fixed = 51_u64
        .saturating_mul(4)
        .saturating_add(2)
        .saturating_add(FUNDING_WITNESS_WEIGHT);
    scripts.into_iter().fold(fixed, |weight, script| {
        let length = u64::try_from(script.len()).unwrap_or(u64::MAX);
        weight.saturating_add(length.saturating_add(9).saturating_mul(4))
    })
}

/// The fee of a closing with outputs to these scripts.
pub fn closing_fee<'a>(feerate: Feerate, scripts: impl IntoIterator<Item = &'a ScriptBuf>) -> Sat {
    feerate.fee(closing_weight(scripts))
}

fn pay(balance: Sat, fee: Sat) -> Result<Sat, TxError> {
    balance.checked_sub(fee).ok_or(TxError::FeeTooHigh {
        fee,
        available: balance,
    })
}

impl ClosingParams {
    /// Both balances in whole satoshi, no more than the channel holds.
    fn balances(&self) -> Result<(Sat, Sat), TxError> {
        let total = self.to_local.saturating_add(self.to_remote);
        if total > self.funding_amount.to_msat_saturating() {
            return Err(TxError::Overspent {
                total,
                funding: self.funding_amount,
            });
        }
        Ok((self.to_local.to_sat_floor(), self.to_remote.to_sat_floor()))
    }

    fn build(
        &self,
        mut outputs: Vec<(Sat, ScriptBuf)>,
        lock_time: LockTime,
        sequence: Sequence,
    ) -> ClosingTx {
        // BOLT 3 §Transaction Output Ordering: by value, then script.
        outputs.sort_by(|a, b| (a.0, a.1.as_bytes()).cmp(&(b.0, b.1.as_bytes())));
        let output = outputs
            .into_iter()
            .map(|(value, script_pubkey)| TxOut {
                value: value.into(),
                script_pubkey,
            })
            .collect();
        ClosingTx {
            tx: Transaction {
                version: Version::TWO,
                lock_time,
                input: vec![TxIn {
                    previous_output: self.funding_outpoint,
                    sequence,
                    ..TxIn::default()
                }],
                output,
            },
            funding_amount: self.funding_amount,
            local_funding_key: self.local_funding_key,
            remote_funding_key: self.remote_funding_key,
        }
    }
}

impl CounterSigned for ClosingTx {
    type Signatures = ecdsa::Signature;
}

impl ClosingTx {
    /// The unsigned transaction.
    pub fn unsigned(&self) -> &Transaction {
        &self.tx
    }

    /// Its id, which signatures do not change.
    pub fn txid(&self) -> Txid {
        self.tx.compute_txid()
    }

    /// What the network gets.
    pub fn fee(&self) -> Sat {
        let out: Sat = self
            .tx
            .output
            .iter()
            .map(|output| Sat::from(output.value))
            .sum();
        self.funding_amount.saturating_sub(out)
    }

    /// The funding output's witness script.
    pub fn funding_script(&self) -> ScriptBuf {
        funding_script(&self.local_funding_key, &self.remote_funding_key)
    }

    /// What both sides sign.
    pub fn sighash(&self) -> Message {
        p2wsh_sighash(
            &self.tx,
            0,
            &self.funding_script(),
            self.funding_amount,
            EcdsaSighashType::All,
        )
        .expect("a closing has one input")
    }

    /// Checks the peer's signature.
    pub fn verify(self, signature: ecdsa::Signature) -> Result<Verified<Self>, SignatureError> {
        secp()
            .verify_ecdsa(&self.sighash(), &signature, &self.remote_funding_key)
            .map_err(|_| SignatureError::Transaction { txid: self.txid() })?;
        Ok(Verified::new(self, signature))
    }
}

impl Verified<ClosingTx> {
    /// The transaction ready to broadcast, once we signed too.
    pub fn signed(&self, local: &ecdsa::Signature) -> Transaction {
        let mut tx = self.tx.clone();
        for input in &mut tx.input {
            input.witness = funding_witness(
                (&self.local_funding_key, local),
                (&self.remote_funding_key, self.signatures()),
            );
        }
        tx
    }
}
