//! HTLC-success and HTLC-timeout transactions.

use bitcoin::absolute::LockTime;
use bitcoin::secp256k1::{Message, ecdsa};
use bitcoin::sighash::EcdsaSighashType;
use bitcoin::transaction::Version;
use bitcoin::{OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Txid, Witness};
use ln_types::{Feerate, PaymentPreimage, Sat};

use crate::commitment::HtlcOutput;
use crate::fee::htlc_fee;
use crate::script::to_local_script;
use crate::sighash::{p2wsh_sighash, witness_signature};
use crate::{CommitmentFormat, CommitmentParams, HtlcSpec};

/// The transaction by which a commitment's holder takes an HTLC output: after its expiry if the holder offered it, with the preimage
/// if the holder received it. Not signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HtlcTx {
    tx: Transaction,
    htlc: HtlcSpec,
    format: CommitmentFormat,
    /// The script and the value of the HTLC output it spends.
    spent_script: ScriptBuf,
    spent_value: Sat,
    /// The witness script of its own output.
    output_script: ScriptBuf,
}

impl HtlcTx {
    // BOLT 3 §HTLC-Timeout and HTLC-Success Transactions: one input, one output as `to_local`; only the timeout has a locktime.
    pub(crate) fn build(
        params: &CommitmentParams,
        feerate: Feerate,
        commitment: Txid,
        output: &HtlcOutput<'_>,
    ) -> Self {
        let htlc = *output.htlc;
        let spent_value = htlc.amount.to_sat_floor();
        let fee = htlc_fee(params.format, feerate, htlc.offered_by_holder);
        let output_script = to_local_script(
            &params.keys.revocation_key,
            params.to_self_delay,
            &params.keys.to_local_delayed_key,
        );
        let lock_time = if htlc.offered_by_holder {
            LockTime::from_consensus(htlc.cltv_expiry.0)
        } else {
            LockTime::ZERO
        };
        let tx = Transaction {
            version: Version::TWO,
            lock_time,
            input: vec![TxIn {
                previous_output: OutPoint::new(commitment, output.vout),
                sequence: Sequence(u32::from(params.format.has_anchors())),
                ..TxIn::default()
            }],
            output: vec![TxOut {
                // Untrimmed, so the amount is at least the fee.
                value: spent_value.saturating_sub(fee).into(),
                script_pubkey: output_script.to_p2wsh(),
            }],
        };
        Self {
            tx,
            htlc,
            format: params.format,
            spent_script: output.witness_script.clone(),
            spent_value,
            output_script,
        }
    }

    /// The unsigned transaction.
    pub fn unsigned(&self) -> &Transaction {
        &self.tx
    }

    /// The HTLC it takes.
    pub fn htlc(&self) -> &HtlcSpec {
        &self.htlc
    }

    /// The witness script of the HTLC output it spends.
    pub fn spent_script(&self) -> &ScriptBuf {
        &self.spent_script
    }

    /// The value of the HTLC output it spends.
    pub fn spent_value(&self) -> Sat {
        self.spent_value
    }

    /// The witness script of its own output, delayed and revocable.
    pub fn output_script(&self) -> &ScriptBuf {
        &self.output_script
    }

    /// How the side that does not hold the commitment signs it.
    // BOLT 3 §HTLC-Timeout and HTLC-Success Transactions: with anchors, so that the holder can add inputs and outputs for the fee.
    pub fn counterparty_sighash_type(&self) -> EcdsaSighashType {
        match self.format {
            CommitmentFormat::StaticRemotekey => EcdsaSighashType::All,
            CommitmentFormat::Anchors => EcdsaSighashType::SinglePlusAnyoneCanPay,
        }
    }

    /// What the side that does not hold the commitment signs.
    pub fn counterparty_sighash(&self) -> Message {
        self.sighash(self.counterparty_sighash_type())
    }

    /// What the holder signs when it adds nothing to the transaction.
    pub fn holder_sighash(&self) -> Message {
        self.sighash(EcdsaSighashType::All)
    }

    fn sighash(&self, kind: EcdsaSighashType) -> Message {
        p2wsh_sighash(&self.tx, 0, &self.spent_script, self.spent_value, kind)
            .expect("an HTLC transaction has one input")
    }

    /// The witness of its input; a preimage for success, none for timeout.
    pub fn witness(
        &self,
        counterparty: &ecdsa::Signature,
        holder: &ecdsa::Signature,
        preimage: Option<&PaymentPreimage>,
    ) -> Witness {
        let mut witness = Witness::new();
        witness.push([]);
        witness.push(witness_signature(
            counterparty,
            self.counterparty_sighash_type(),
        ));
        witness.push(witness_signature(holder, EcdsaSighashType::All));
        witness.push(preimage.map_or(&[][..], |preimage| &preimage.0[..]));
        witness.push(&self.spent_script);
        witness
    }

    /// The signed transaction, without anything added for the fee.
    pub fn signed(
        &self,
        counterparty: &ecdsa::Signature,
        holder: &ecdsa::Signature,
        preimage: Option<&PaymentPreimage>,
    ) -> Transaction {
        let mut tx = self.tx.clone();
        for input in &mut tx.input {
            input.witness = self.witness(counterparty, holder, preimage);
        }
        tx
    }
}
