//! Taking outputs of a channel's transactions: sweeps, HTLC claims and penalties.

use bitcoin::absolute::LockTime;
use bitcoin::secp256k1::{Message, PublicKey, ecdsa};
use bitcoin::sighash::EcdsaSighashType;
use bitcoin::transaction::Version;
use bitcoin::{OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Witness};
use ln_codec::{Decode, Encode};
use ln_types::{BlockHeight, CltvExpiry, Feerate, PaymentPreimage, Sat};

use crate::dust::dust_limit;
use crate::sighash::{p2wpkh_sighash, p2wsh_sighash, witness_signature};
use crate::{CommitmentFormat, TxError};

/// A signature with its sighash type, at most, and its length.
const SIGNATURE_WEIGHT: u64 = 73;

/// The branch of an output's script that we take, and what it needs beside one signature.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum SpendPath {
    /// Our delayed output, of our commitment or of our HTLC transaction.
    ToLocalDelayed {
        /// The output's witness script.
        witness_script: ScriptBuf,
        /// How many blocks it has to wait.
        to_self_delay: u16,
    },
    /// Our balance on the peer's commitment, with anchors.
    ToRemote {
        /// The output's witness script.
        witness_script: ScriptBuf,
    },
    /// Our balance on the peer's commitment, without anchors.
    ToRemoteP2wpkh {
        /// Our payment basepoint.
        key: PublicKey,
    },
    /// Our anchor, on either commitment.
    Anchor {
        /// The output's witness script.
        witness_script: ScriptBuf,
    },
    /// An HTLC that the peer offered on its own commitment, with its preimage.
    HtlcPreimage {
        /// The output's witness script.
        witness_script: ScriptBuf,
        /// What the peer wants to know.
        preimage: PaymentPreimage,
        /// Whether it has to wait for one confirmation.
        format: CommitmentFormat,
    },
    /// An HTLC that we offered, on the peer's commitment, after its expiry.
    HtlcTimeout {
        /// The output's witness script.
        witness_script: ScriptBuf,
        /// From which height on.
        cltv_expiry: CltvExpiry,
        /// Whether it has to wait for one confirmation.
        format: CommitmentFormat,
    },
    /// The delayed output of a revoked commitment or of an HTLC transaction of one.
    RevokedToLocal {
        /// The output's witness script.
        witness_script: ScriptBuf,
    },
    /// An HTLC output of a revoked commitment.
    RevokedHtlc {
        /// The output's witness script.
        witness_script: ScriptBuf,
        /// The key it is revoked with.
        revocation_key: PublicKey,
    },
}

/// An output we take.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Spend {
    /// The output.
    pub outpoint: OutPoint,
    /// Its value.
    pub value: Sat,
    /// How.
    pub path: SpendPath,
}

/// A transaction that takes outputs, not signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpendTx {
    tx: Transaction,
    spends: Vec<Spend>,
}

impl SpendPath {
    /// The script the signature commits to; none for P2WPKH.
    pub fn witness_script(&self) -> Option<&ScriptBuf> {
        match self {
            Self::ToRemoteP2wpkh { .. } => None,
            Self::ToLocalDelayed { witness_script, .. }
            | Self::ToRemote { witness_script }
            | Self::Anchor { witness_script }
            | Self::HtlcPreimage { witness_script, .. }
            | Self::HtlcTimeout { witness_script, .. }
            | Self::RevokedToLocal { witness_script }
            | Self::RevokedHtlc { witness_script, .. } => Some(witness_script),
        }
    }

    /// The input's sequence: the relative delay the script demands, else replaceable.
    pub fn sequence(&self) -> Sequence {
        let one_confirmation = |format: &CommitmentFormat| match format {
            CommitmentFormat::StaticRemotekey => Sequence::ENABLE_RBF_NO_LOCKTIME,
            CommitmentFormat::Anchors => Sequence::from_height(1),
        };
        match self {
            Self::ToLocalDelayed { to_self_delay, .. } => Sequence::from_height(*to_self_delay),
            Self::ToRemote { .. } => Sequence::from_height(1),
            Self::HtlcPreimage { format, .. } | Self::HtlcTimeout { format, .. } => {
                one_confirmation(format)
            }
            Self::ToRemoteP2wpkh { .. }
            | Self::Anchor { .. }
            | Self::RevokedToLocal { .. }
            | Self::RevokedHtlc { .. } => Sequence::ENABLE_RBF_NO_LOCKTIME,
        }
    }

    /// The least locktime the script demands.
    pub fn lock_height(&self) -> Option<CltvExpiry> {
        if let Self::HtlcTimeout { cltv_expiry, .. } = self {
            Some(*cltv_expiry)
        } else {
            None
        }
    }

    /// The item of the witness that picks the branch, if the branch has one.
    fn selector(&self) -> Option<Vec<u8>> {
        match self {
            Self::ToRemote { .. } | Self::Anchor { .. } => None,
            Self::ToLocalDelayed { .. } | Self::HtlcTimeout { .. } => Some(Vec::new()),
            Self::ToRemoteP2wpkh { key } => Some(key.serialize().to_vec()),
            Self::HtlcPreimage { preimage, .. } => Some(preimage.0.to_vec()),
            Self::RevokedToLocal { .. } => Some(vec![1]),
            Self::RevokedHtlc { revocation_key, .. } => Some(revocation_key.serialize().to_vec()),
        }
    }

    /// The weight of the input's witness, at most.
    pub fn witness_weight(&self) -> u64 {
        let item = |length: usize| {
            let prefix = if length < 253 { 1 } else { 3 };
            u64::try_from(length)
                .unwrap_or(u64::MAX)
                .saturating_add(prefix)
        };
        let selector = self.selector().map_or(0, |bytes| item(bytes.len()));
        let script = self.witness_script().map_or(0, |script| item(script.len()));
        // The count of items is one byte.
        SIGNATURE_WEIGHT
            .saturating_add(1)
            .saturating_add(selector)
            .saturating_add(script)
    }

    /// The input's witness.
    pub fn witness(&self, signature: &ecdsa::Signature) -> Witness {
        let mut witness = Witness::new();
        witness.push(witness_signature(signature, EcdsaSighashType::All));
        if let Some(selector) = self.selector() {
            witness.push(selector);
        }
        if let Some(script) = self.witness_script() {
            witness.push(script);
        }
        witness
    }
}

impl Spend {
    /// The weight of the input with its witness, at most.
    pub fn input_weight(&self) -> u64 {
        // Outpoint, empty script and sequence: 41 bytes.
        self.path.witness_weight().saturating_add(164)
    }

    /// The input, unsigned.
    pub fn input(&self) -> TxIn {
        TxIn {
            previous_output: self.outpoint,
            sequence: self.path.sequence(),
            ..TxIn::default()
        }
    }

    /// What is signed when this is input `index` of `tx`.
    pub fn sighash(&self, tx: &Transaction, index: usize) -> Result<Message, TxError> {
        match &self.path {
            SpendPath::ToRemoteP2wpkh { key } => p2wpkh_sighash(tx, index, key, self.value),
            path @ (SpendPath::ToLocalDelayed { .. }
            | SpendPath::ToRemote { .. }
            | SpendPath::Anchor { .. }
            | SpendPath::HtlcPreimage { .. }
            | SpendPath::HtlcTimeout { .. }
            | SpendPath::RevokedToLocal { .. }
            | SpendPath::RevokedHtlc { .. }) => {
                let script = path.witness_script().expect("all but P2WPKH have one");
                p2wsh_sighash(tx, index, script, self.value, EcdsaSighashType::All)
            }
        }
    }
}

/// The weight of a signed transaction that takes `spends` to one output.
pub fn spend_weight(spends: &[Spend], destination: &ScriptBuf) -> u64 {
    let output = u64::try_from(destination.len())
        .unwrap_or(u64::MAX)
        .saturating_add(9)
        .saturating_mul(4);
    // Version, locktime, output count; marker and flag; one or three bytes for the input count.
    let inputs_count = if spends.len() < 253 { 4 } else { 12 };
    spends
        .iter()
        .fold(38_u64.saturating_add(inputs_count), |weight, spend| {
            weight.saturating_add(spend.input_weight())
        })
        .saturating_add(output)
}

/// Builds the transaction that takes `spends` to `destination` at `feerate`, no earlier than `not_before`.
// BOLT 5 §Penalty Transactions Weight Calculation: outputs may be taken one by one or together.
pub fn build_spend(
    spends: Vec<Spend>,
    destination: ScriptBuf,
    feerate: Feerate,
    not_before: BlockHeight,
) -> Result<SpendTx, TxError> {
    let fee = feerate.fee(spend_weight(&spends, &destination));
    let value: Sat = spends.iter().map(|spend| spend.value).sum();
    let dust_limit = dust_limit(&destination);
    if !spends.is_empty() && value < fee.saturating_add(dust_limit) {
        return Err(TxError::Uneconomical {
            value,
            feerate,
            dust_limit,
        });
    }
    build_spend_with_fee(spends, destination, fee, not_before)
}

/// As [`build_spend`] with the fee itself.
pub fn build_spend_with_fee(
    spends: Vec<Spend>,
    destination: ScriptBuf,
    fee: Sat,
    not_before: BlockHeight,
) -> Result<SpendTx, TxError> {
    if spends.is_empty() {
        return Err(TxError::NothingToSpend);
    }
    let mut outpoints: Vec<OutPoint> = spends.iter().map(|spend| spend.outpoint).collect();
    outpoints.sort_unstable();
    if let Some(pair) = outpoints
        .windows(2)
        .find(|pair| pair.first() == pair.last())
    {
        let twice = pair.first().copied().unwrap_or_default();
        return Err(TxError::SpentTwice(twice));
    }
    let total: Sat = spends.iter().map(|spend| spend.value).sum();
    let value = total.checked_sub(fee).ok_or(TxError::FeeTooHigh {
        fee,
        available: total,
    })?;
    if value < dust_limit(&destination) {
        return Err(TxError::OnlyDust { value: total });
    }
    let height = spends
        .iter()
        .filter_map(|spend| spend.path.lock_height())
        .map(|expiry| expiry.0)
        .max()
        .unwrap_or(0)
        .max(not_before.0);
    let tx = Transaction {
        version: Version::TWO,
        lock_time: LockTime::from_consensus(height),
        input: spends.iter().map(Spend::input).collect(),
        output: vec![TxOut {
            value: value.into(),
            script_pubkey: destination,
        }],
    };
    Ok(SpendTx { tx, spends })
}

impl SpendTx {
    /// The unsigned transaction.
    pub fn unsigned(&self) -> &Transaction {
        &self.tx
    }

    /// What it takes, in the order of the inputs.
    pub fn spends(&self) -> &[Spend] {
        &self.spends
    }

    /// What the network gets.
    pub fn fee(&self) -> Sat {
        let spent: Sat = self.spends.iter().map(|spend| spend.value).sum();
        let out: Sat = self
            .tx
            .output
            .iter()
            .map(|output| Sat::from(output.value))
            .sum();
        spent.saturating_sub(out)
    }

    /// What is signed, one digest per input.
    pub fn sighashes(&self) -> Vec<Message> {
        self.spends
            .iter()
            .enumerate()
            .map(|(index, spend)| {
                spend
                    .sighash(&self.tx, index)
                    .expect("there is an input for each spend")
            })
            .collect()
    }

    /// The signed transaction; one signature per input, in their order.
    pub fn signed(&self, signatures: &[ecdsa::Signature]) -> Result<Transaction, TxError> {
        if signatures.len() != self.spends.len() {
            return Err(TxError::NoSuchIndex {
                index: signatures.len(),
                count: self.spends.len(),
            });
        }
        let mut tx = self.tx.clone();
        for ((input, spend), signature) in tx.input.iter_mut().zip(&self.spends).zip(signatures) {
            input.witness = spend.path.witness(signature);
        }
        Ok(tx)
    }
}
