//! Proof that the other side has signed.

use std::ops::Deref;

use bitcoin::Transaction;
use bitcoin::secp256k1::{Message, ecdsa};
use bitcoin::sighash::EcdsaSighashType;
use ln_codec::{Decode, Encode};
use ln_keys::secp;

use crate::SignatureError;
use crate::commitment::CommitmentTx;
use crate::sighash::{funding_witness, p2wsh_sighash};

/// A transaction of the channel that needs the other side's signatures.
pub trait CounterSigned {
    /// What the other side gives.
    type Signatures;
}

/// A transaction whose signatures by the other side were checked. Nothing else can make one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified<T: CounterSigned> {
    value: T,
    signatures: T::Signatures,
}

/// What `commitment_signed` brings.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct CommitmentSignatures {
    /// For the commitment.
    pub commitment: ecdsa::Signature,
    /// For each HTLC output, in their order.
    pub htlcs: Vec<ecdsa::Signature>,
}

impl<T: CounterSigned> Verified<T> {
    pub(crate) fn new(value: T, signatures: T::Signatures) -> Self {
        Self { value, signatures }
    }

    /// The checked signatures.
    pub fn signatures(&self) -> &T::Signatures {
        &self.signatures
    }

    /// The transaction without the proof.
    pub fn into_inner(self) -> T {
        self.value
    }
}

impl<T: CounterSigned> Deref for Verified<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

impl CounterSigned for CommitmentTx {
    type Signatures = CommitmentSignatures;
}

impl CommitmentTx {
    /// What both sides sign of the commitment itself.
    pub fn sighash(&self) -> Message {
        p2wsh_sighash(
            self.unsigned(),
            0,
            &self.funding_script(),
            self.params().funding_amount,
            EcdsaSighashType::All,
        )
        .expect("a commitment has one input")
    }

    /// Checks the other side's signatures.
    // BOLT 2 §Committing Updates So Far: `commitment_signed`: one signature per HTLC output in output order, each valid for its HTLC transaction.
    pub fn verify(
        self,
        signatures: CommitmentSignatures,
    ) -> Result<Verified<Self>, SignatureError> {
        let expected = self.htlcs().count();
        if signatures.htlcs.len() != expected {
            return Err(SignatureError::HtlcCount {
                expected,
                got: signatures.htlcs.len(),
            });
        }
        let funding_key = self.params().other_funding_key;
        secp()
            .verify_ecdsa(&self.sighash(), &signatures.commitment, &funding_key)
            .map_err(|_| SignatureError::Transaction { txid: self.txid() })?;
        let htlc_key = self.params().keys.remote_htlc_key;
        for (index, (htlc, signature)) in self.htlc_txs().zip(&signatures.htlcs).enumerate() {
            secp()
                .verify_ecdsa(&htlc.counterparty_sighash(), signature, &htlc_key)
                .map_err(|_| SignatureError::Htlc {
                    index,
                    commitment: self.txid(),
                })?;
        }
        Ok(Verified::new(self, signatures))
    }
}

impl Verified<CommitmentTx> {
    /// The transaction ready to broadcast, once the holder signed too.
    pub fn signed(&self, holder: &ecdsa::Signature) -> Transaction {
        let params = self.value.params();
        let mut tx = self.value.unsigned().clone();
        for input in &mut tx.input {
            input.witness = funding_witness(
                (&params.holder_funding_key, holder),
                (&params.other_funding_key, &self.signatures.commitment),
            );
        }
        tx
    }
}
