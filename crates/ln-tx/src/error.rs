//! What can be wrong with the inputs of a transaction.

use bitcoin::OutPoint;
use ln_types::{CommitmentNumber, Feerate, Msat, Sat};

/// Why a transaction cannot be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TxError {
    /// The balances and HTLCs add up to more than the channel holds.
    #[error("balances and HTLCs come to {total}, but the funding output holds only {funding}")]
    Overspent {
        /// All balances and HTLCs.
        total: Msat,
        /// The value of the funding output.
        funding: Sat,
    },
    /// More than 48 bits.
    #[error("commitment number {0} does not fit into 48 bits")]
    CommitmentNumberTooLarge(CommitmentNumber),
    /// More HTLC outputs than both sides could ever have offered.
    #[error("{0} HTLCs on one commitment, at most 966 are possible")]
    TooManyHtlcs(usize),
    /// The payer cannot pay a fee.
    #[error("a fee of {fee} cannot be paid from {available}")]
    FeeTooHigh {
        /// The fee.
        fee: Sat,
        /// What is there to pay it from.
        available: Sat,
    },
    /// Every output would be dust.
    #[error("nothing is left for an output once dust of {value} is dropped")]
    OnlyDust {
        /// The largest value that was too small.
        value: Sat,
    },
    /// A transaction needs inputs.
    #[error("there is nothing to spend")]
    NothingToSpend,
    /// A sweep at this feerate would leave less than the dust limit.
    #[error(
        "sweeping {value} at {feerate} leaves less than the dust limit of {dust_limit}: wait for lower fees"
    )]
    Uneconomical {
        /// The value of all inputs.
        value: Sat,
        /// The feerate asked for.
        feerate: Feerate,
        /// The least the output may be.
        dust_limit: Sat,
    },
    /// Two inputs of one transaction spend the same output.
    #[error("{0} is spent twice in one transaction")]
    SpentTwice(OutPoint),
    /// An index beyond a transaction's inputs or outputs, or a signature for another number of inputs.
    #[error("there is no input or output {index}, only {count}")]
    NoSuchIndex {
        /// The index asked for.
        index: usize,
        /// How many there are.
        count: usize,
    },
}

/// Why a counterparty's signatures are not good.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// The signature for the whole transaction.
    #[error("bad signature for transaction {txid}")]
    Transaction {
        /// The transaction that should have been signed.
        txid: bitcoin::Txid,
    },
    /// Not one signature for each HTLC output.
    #[error("{got} HTLC signatures for {expected} HTLC outputs")]
    HtlcCount {
        /// HTLC outputs on the commitment.
        expected: usize,
        /// Signatures that came.
        got: usize,
    },
    /// The signature for one HTLC transaction.
    #[error("bad signature for HTLC output {index} of commitment {commitment}")]
    Htlc {
        /// Its place among the HTLC outputs.
        index: usize,
        /// The commitment.
        commitment: bitcoin::Txid,
    },
}
