//! Commitment transactions.

use bitcoin::secp256k1::PublicKey;
use bitcoin::transaction::Version;
use bitcoin::{OutPoint, ScriptBuf, Transaction, TxIn, TxOut, Txid};
use ln_codec::{Decode, Encode};
use ln_types::{CltvExpiry, CommitmentNumber, Feerate, HtlcId, Msat, PaymentHash, Sat};

use crate::fee::{ANCHOR_VALUE, commitment_weight, is_trimmed, opener_cost};
use crate::htlc::HtlcTx;
use crate::script::{
    anchor_script, funding_script, offered_htlc_script, received_htlc_script, to_local_script,
    to_remote_script, to_remote_script_pubkey,
};
use crate::{CommitmentFormat, CommitmentKeys, ObscuringFactor, TxError};

/// Each side may offer 483.
const MAX_HTLCS: usize = 966;

/// What stays the same, or nearly, from one commitment of a holder to the next.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct CommitmentParams {
    /// The output that the commitment spends.
    pub funding_outpoint: OutPoint,
    /// Its value.
    pub funding_amount: Sat,
    /// The holder's funding key.
    pub holder_funding_key: PublicKey,
    /// The other side's funding key.
    pub other_funding_key: PublicKey,
    /// The `dust_limit_satoshis` of the holder.
    pub dust_limit: Sat,
    /// The `to_self_delay` that the other side imposes on the holder.
    pub to_self_delay: u16,
    /// The keys of this commitment.
    pub keys: CommitmentKeys,
    /// Hides the commitment number.
    pub obscuring_factor: ObscuringFactor,
    /// How the outputs look.
    pub format: CommitmentFormat,
    /// Whether the holder opened the channel, and so pays the fee.
    pub holder_is_opener: bool,
}

/// What changes with every commitment.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct CommitmentSpec {
    /// The number, from 0.
    pub number: CommitmentNumber,
    /// The feerate.
    pub feerate: Feerate,
    /// The holder's balance, before fee and anchors and without HTLCs.
    pub to_holder: Msat,
    /// The other side's balance, likewise.
    pub to_other: Msat,
    /// The HTLCs.
    pub htlcs: Vec<HtlcSpec>,
}

/// An HTLC on a commitment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct HtlcSpec {
    /// Whether the commitment's holder offered it.
    pub offered_by_holder: bool,
    /// Its id among those of its offerer.
    pub id: HtlcId,
    /// Its amount.
    pub amount: Msat,
    /// The hash it is locked to.
    pub payment_hash: PaymentHash,
    /// The height at which it times out.
    pub cltv_expiry: CltvExpiry,
}

/// What an output of a commitment is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommitmentOutput {
    /// The holder's balance, delayed and revocable.
    ToLocal {
        /// Its witness script.
        witness_script: ScriptBuf,
    },
    /// The other side's balance.
    ToRemote {
        /// Its witness script; none without anchors.
        witness_script: Option<ScriptBuf>,
    },
    /// The holder's anchor.
    LocalAnchor {
        /// Its witness script.
        witness_script: ScriptBuf,
    },
    /// The other side's anchor.
    RemoteAnchor {
        /// Its witness script.
        witness_script: ScriptBuf,
    },
    /// An HTLC.
    Htlc {
        /// The HTLC.
        htlc: HtlcSpec,
        /// Its witness script.
        witness_script: ScriptBuf,
    },
}

/// An HTLC and where it is on the commitment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HtlcOutput<'a> {
    /// The index of the output.
    pub vout: u32,
    /// The HTLC.
    pub htlc: &'a HtlcSpec,
    /// The output's witness script.
    pub witness_script: &'a ScriptBuf,
}

/// A commitment transaction, not signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitmentTx {
    params: CommitmentParams,
    number: CommitmentNumber,
    feerate: Feerate,
    tx: Transaction,
    txid: Txid,
    outputs: Vec<CommitmentOutput>,
    trimmed: Vec<HtlcSpec>,
}

/// An output before sorting.
struct Draft {
    value: Sat,
    script_pubkey: ScriptBuf,
    cltv_expiry: CltvExpiry,
    output: CommitmentOutput,
}

impl Draft {
    fn p2wsh(value: Sat, witness_script: &ScriptBuf, output: CommitmentOutput) -> Self {
        Self {
            value,
            script_pubkey: witness_script.to_p2wsh(),
            cltv_expiry: CltvExpiry(0),
            output,
        }
    }
}

/// Builds the commitment transaction that the holder of `params` can broadcast.
///
/// An opener who cannot afford the fee pays with all it has: refusing such a state is the channel's task.
// BOLT 3 §Commitment Transaction Construction: trim, subtract the opener's cost, add the outputs, sort.
pub fn build_commitment(
    params: &CommitmentParams,
    spec: &CommitmentSpec,
) -> Result<CommitmentTx, TxError> {
    check(params, spec)?;
    let (lock_time, sequence) = params
        .obscuring_factor
        .hide(spec.number)
        .ok_or(TxError::CommitmentNumberTooLarge(spec.number))?;
    let (trimmed, untrimmed): (Vec<HtlcSpec>, Vec<HtlcSpec>) =
        spec.htlcs.iter().partition(|htlc| {
            is_trimmed(
                params.format,
                spec.feerate,
                params.dust_limit,
                htlc.offered_by_holder,
                htlc.amount,
            )
        });
    let mut drafts = htlc_drafts(params, &untrimmed);
    balance_drafts(params, spec, &mut drafts);
    // BOLT 3 §Transaction Output Ordering: by value, then script, then cltv_expiry.
    drafts.sort_by(|a, b| {
        (a.value, a.script_pubkey.as_bytes(), a.cltv_expiry).cmp(&(
            b.value,
            b.script_pubkey.as_bytes(),
            b.cltv_expiry,
        ))
    });
    let mut outputs = Vec::with_capacity(drafts.len());
    let mut tx_outputs = Vec::with_capacity(drafts.len());
    for draft in drafts {
        tx_outputs.push(TxOut {
            value: draft.value.into(),
            script_pubkey: draft.script_pubkey,
        });
        outputs.push(draft.output);
    }
    let tx = Transaction {
        version: Version::TWO,
        lock_time,
        input: vec![TxIn {
            previous_output: params.funding_outpoint,
            sequence,
            ..TxIn::default()
        }],
        output: tx_outputs,
    };
    Ok(CommitmentTx {
        params: params.clone(),
        number: spec.number,
        feerate: spec.feerate,
        txid: tx.compute_txid(),
        tx,
        outputs,
        trimmed,
    })
}

fn check(params: &CommitmentParams, spec: &CommitmentSpec) -> Result<(), TxError> {
    if spec.htlcs.len() > MAX_HTLCS {
        return Err(TxError::TooManyHtlcs(spec.htlcs.len()));
    }
    let in_htlcs: Msat = spec.htlcs.iter().map(|htlc| htlc.amount).sum();
    let total = spec
        .to_holder
        .saturating_add(spec.to_other)
        .saturating_add(in_htlcs);
    if total > params.funding_amount.to_msat_saturating() {
        return Err(TxError::Overspent {
            total,
            funding: params.funding_amount,
        });
    }
    Ok(())
}

fn htlc_drafts(params: &CommitmentParams, untrimmed: &[HtlcSpec]) -> Vec<Draft> {
    let draft = |htlc: &HtlcSpec| {
        let witness_script = if htlc.offered_by_holder {
            offered_htlc_script(&params.keys, &htlc.payment_hash, params.format)
        } else {
            received_htlc_script(
                &params.keys,
                &htlc.payment_hash,
                htlc.cltv_expiry,
                params.format,
            )
        };
        Draft {
            value: htlc.amount.to_sat_floor(),
            script_pubkey: witness_script.to_p2wsh(),
            cltv_expiry: htlc.cltv_expiry,
            output: CommitmentOutput::Htlc {
                htlc: *htlc,
                witness_script,
            },
        }
    };
    let mut drafts = Vec::with_capacity(untrimmed.len().saturating_add(4));
    drafts.extend(untrimmed.iter().map(draft));
    drafts
}

/// Adds the balances and anchors to the HTLC outputs.
fn balance_drafts(params: &CommitmentParams, spec: &CommitmentSpec, drafts: &mut Vec<Draft>) {
    let untrimmed = drafts.len();
    let cost = opener_cost(params.format, spec.feerate, untrimmed).to_msat_saturating();
    // BOLT 3 §Fee Payment: fee and anchors come from the opener's balance.
    let (to_holder, to_other) = if params.holder_is_opener {
        (spec.to_holder.saturating_sub(cost), spec.to_other)
    } else {
        (spec.to_holder, spec.to_other.saturating_sub(cost))
    };
    let (to_local, to_remote) = (to_holder.to_sat_floor(), to_other.to_sat_floor());
    // BOLT 3 §Trimmed Outputs: an output below the holder's dust limit is left out, never one of exactly the limit.
    let has_local = to_local >= params.dust_limit && !to_local.is_zero();
    let has_remote = to_remote >= params.dust_limit && !to_remote.is_zero();
    let keys = &params.keys;
    if has_local {
        let witness_script = to_local_script(
            &keys.revocation_key,
            params.to_self_delay,
            &keys.to_local_delayed_key,
        );
        drafts.push(Draft::p2wsh(
            to_local,
            &witness_script.clone(),
            CommitmentOutput::ToLocal { witness_script },
        ));
    }
    if has_remote {
        let payment_key = &keys.to_remote_payment_key;
        let witness_script = params
            .format
            .has_anchors()
            .then(|| to_remote_script(payment_key));
        drafts.push(Draft {
            value: to_remote,
            script_pubkey: to_remote_script_pubkey(payment_key, params.format),
            cltv_expiry: CltvExpiry(0),
            output: CommitmentOutput::ToRemote { witness_script },
        });
    }
    if !params.format.has_anchors() {
        return;
    }
    // BOLT 3 §`to_local_anchor` and `to_remote_anchor` Output (option_anchors): a side without an output has an anchor only if
    // there are HTLCs.
    if has_local || untrimmed > 0 {
        let witness_script = anchor_script(&params.holder_funding_key);
        drafts.push(Draft::p2wsh(
            ANCHOR_VALUE,
            &witness_script.clone(),
            CommitmentOutput::LocalAnchor { witness_script },
        ));
    }
    if has_remote || untrimmed > 0 {
        let witness_script = anchor_script(&params.other_funding_key);
        drafts.push(Draft::p2wsh(
            ANCHOR_VALUE,
            &witness_script.clone(),
            CommitmentOutput::RemoteAnchor { witness_script },
        ));
    }
}

impl CommitmentTx {
    /// The unsigned transaction, to sign or to look at.
    pub fn unsigned(&self) -> &Transaction {
        &self.tx
    }

    /// Its id, which signatures do not change.
    pub fn txid(&self) -> Txid {
        self.txid
    }

    /// What it was built from.
    pub fn params(&self) -> &CommitmentParams {
        &self.params
    }

    /// Its number.
    pub fn number(&self) -> CommitmentNumber {
        self.number
    }

    /// The feerate it was built with.
    pub fn feerate(&self) -> Feerate {
        self.feerate
    }

    /// What each output is, in the order of the transaction.
    pub fn outputs(&self) -> &[CommitmentOutput] {
        &self.outputs
    }

    /// The HTLCs without an output.
    pub fn trimmed(&self) -> &[HtlcSpec] {
        &self.trimmed
    }

    /// The HTLC outputs, in the order of the transaction, which is that of the HTLC signatures.
    pub fn htlcs(&self) -> impl Iterator<Item = HtlcOutput<'_>> {
        (0_u32..).zip(&self.outputs).filter_map(|(vout, output)| {
            let CommitmentOutput::Htlc {
                htlc,
                witness_script,
            } = output
            else {
                return None;
            };
            Some(HtlcOutput {
                vout,
                htlc,
                witness_script,
            })
        })
    }

    /// The HTLC transactions, in the same order.
    pub fn htlc_txs(&self) -> impl Iterator<Item = HtlcTx> {
        self.htlcs()
            .map(|output| HtlcTx::build(&self.params, self.feerate, self.txid, &output))
    }

    /// The index of the first output of a kind.
    pub fn find(&self, is_wanted: impl Fn(&CommitmentOutput) -> bool) -> Option<u32> {
        (0_u32..)
            .zip(&self.outputs)
            .find_map(|(vout, output)| is_wanted(output).then_some(vout))
    }

    /// What the network gets for it: the funding amount less all outputs.
    pub fn fee(&self) -> Sat {
        let out: Sat = self
            .tx
            .output
            .iter()
            .map(|output| Sat::from(output.value))
            .sum();
        self.params.funding_amount.saturating_sub(out)
    }

    /// The weight it will have when signed, in the BOLT's reckoning.
    pub fn expected_weight(&self) -> u64 {
        commitment_weight(self.params.format, self.htlcs().count())
    }

    /// The funding output's witness script, which both sides sign.
    pub fn funding_script(&self) -> ScriptBuf {
        funding_script(
            &self.params.holder_funding_key,
            &self.params.other_funding_key,
        )
    }
}
