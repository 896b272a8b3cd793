//! What we ask to be put on chain, and the transactions that do it.

use bitcoin::secp256k1::{Message, PublicKey, ecdsa};
use bitcoin::sighash::EcdsaSighashType;
use bitcoin::{OutPoint, ScriptBuf, Transaction, TxIn, TxOut};
use ln_codec::{Decode, Encode};
use ln_keys::PerCommitmentSecret;
use ln_tx::{
    CommitmentFormat, HtlcTx, Spend, SpendPath, SpendTx, TxError, build_spend, p2wsh_sighash,
    witness_signature,
};
use ln_types::{BlockHeight, CommitmentNumber, Feerate, PaymentPreimage, Sat};

use crate::{HtlcStub, OutputKind, TxKind};

/// An output to be taken.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Claim {
    /// The output.
    pub outpoint: OutPoint,
    /// Its value.
    pub value: Sat,
    /// What the output belongs to.
    pub spent_tx: TxKind,
    /// What the output is.
    pub spent_output: OutputKind,
    /// The block its transaction is in.
    pub spent_height: BlockHeight,
    /// What the transaction that takes it is called.
    pub kind: TxKind,
    /// The first block that can contain that transaction.
    pub first_block: BlockHeight,
    /// The block by which it must be confirmed, or somebody else may take the output; none when there is no hurry.
    pub deadline: Option<BlockHeight>,
    /// The HTLC it resolves.
    pub htlc: Option<HtlcStub>,
    /// How it is taken.
    pub method: ClaimMethod,
}

/// How an output is taken.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum ClaimMethod {
    /// By a transaction of our own making, which pays its fee from the output.
    Sweep {
        /// The branch of the script.
        path: SpendPath,
        /// The key.
        key: ClaimKey,
    },
    /// By the HTLC transaction both sides signed. With anchors somebody must add inputs for the fee.
    HtlcTx(HtlcClaim),
}

/// Which of the channel's keys signs; hsmd has a request for each.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum ClaimKey {
    /// Our delayed payment key of our commitment (`sign_any_delayed_payment_to_us`).
    Delayed {
        /// The commitment.
        number: CommitmentNumber,
    },
    /// Our HTLC key of the peer's commitment (`sign_any_remote_htlc_to_us`).
    RemoteHtlc {
        /// The commitment's point.
        per_commitment_point: PublicKey,
    },
    /// The revocation key of the peer's commitment (`sign_any_penalty_to_us`).
    Penalty {
        /// What the commitment was revoked with.
        per_commitment_secret: PerCommitmentSecret,
    },
}

/// An HTLC transaction of our commitment, with the peer's signature (`sign_any_local_htlc_tx`).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HtlcClaim {
    /// The commitment.
    pub number: CommitmentNumber,
    /// The transaction, unsigned.
    pub tx: Transaction,
    /// The witness script of the output it spends.
    pub witness_script: ScriptBuf,
    /// The witness script of its own output.
    pub output_script: ScriptBuf,
    /// The peer's signature.
    pub counterparty: ecdsa::Signature,
    /// Tells how the peer signed.
    pub format: CommitmentFormat,
    /// What fulfils the HTLC; none to time it out.
    pub preimage: Option<PaymentPreimage>,
}

impl Claim {
    /// The transaction that takes the output to `destination`; none for an HTLC transaction.
    pub fn sweep(
        &self,
        destination: ScriptBuf,
        feerate: Feerate,
    ) -> Option<Result<SpendTx, TxError>> {
        let ClaimMethod::Sweep { path, .. } = &self.method else {
            return None;
        };
        let spend = Spend {
            outpoint: self.outpoint,
            value: self.value,
            path: path.clone(),
        };
        // A locktime of the block before the first possible one changes nothing, and makes fee sniping useless.
        let not_before = BlockHeight(self.first_block.0.saturating_sub(1));
        Some(build_spend(vec![spend], destination, feerate, not_before))
    }

    /// How many blocks are left to confirm it, at least 1; none when there is no hurry.
    pub fn blocks_left(&self, tip: BlockHeight) -> Option<u32> {
        self.deadline
            .map(|deadline| deadline.0.saturating_sub(tip.0).max(1))
    }
}

impl HtlcClaim {
    pub(crate) fn new(
        number: CommitmentNumber,
        format: CommitmentFormat,
        tx: &HtlcTx,
        counterparty: ecdsa::Signature,
        preimage: Option<PaymentPreimage>,
    ) -> Self {
        Self {
            number,
            tx: tx.unsigned().clone(),
            witness_script: tx.spent_script().clone(),
            output_script: tx.output_script().clone(),
            counterparty,
            format,
            preimage,
        }
    }

    /// The transaction with inputs and outputs added for the fee; the HTLC stays input and output 0.
    // BOLT 5 §Generation of HTLC Transactions: with anchors it must be combined with inputs that pay the fee.
    pub fn with_fee(&self, inputs: Vec<TxIn>, change: Option<TxOut>) -> Transaction {
        let mut tx = self.tx.clone();
        tx.input.extend(inputs);
        tx.output.extend(change);
        tx
    }

    /// What we sign of `tx`, which is this transaction with or without additions.
    pub fn sighash(&self, tx: &Transaction, value: Sat) -> Result<Message, TxError> {
        p2wsh_sighash(tx, 0, &self.witness_script, value, EcdsaSighashType::All)
    }

    /// Puts the witness of the HTLC's input into `tx`.
    pub fn finish(&self, tx: &mut Transaction, ours: &ecdsa::Signature) {
        let kind = match self.format {
            CommitmentFormat::StaticRemotekey => EcdsaSighashType::All,
            CommitmentFormat::Anchors => EcdsaSighashType::SinglePlusAnyoneCanPay,
        };
        if let Some(input) = tx.input.first_mut() {
            input.witness.clear();
            input.witness.push([]);
            input
                .witness
                .push(witness_signature(&self.counterparty, kind));
            input
                .witness
                .push(witness_signature(ours, EcdsaSighashType::All));
            input.witness.push(
                self.preimage
                    .as_ref()
                    .map_or(&[][..], |preimage| &preimage.0[..]),
            );
            input.witness.push(&self.witness_script);
        }
    }

    /// The weight of the signed transaction without additions.
    pub fn weight(&self) -> u64 {
        // Two signatures, an empty item, the preimage and the script, with their lengths and the count.
        let script = u64::try_from(self.witness_script.len()).unwrap_or(u64::MAX);
        let preimage = if self.preimage.is_some() { 33 } else { 1 };
        self.tx
            .weight()
            .to_wu()
            .saturating_add(2)
            .saturating_add(1)
            .saturating_add(1)
            .saturating_add(2 * 74)
            .saturating_add(preimage)
            .saturating_add(script)
            .saturating_add(1)
    }
}
