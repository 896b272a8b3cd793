//! Why something was not signed.

use ln_keys::KeyError;
use ln_types::CommitmentNumber;

/// Why something was not signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignerError {
    /// There is no such input.
    #[error("bad input {index} of {count}")]
    NoSuchInput {
        /// The input asked for.
        index: usize,
        /// How many there are.
        count: usize,
    },
    /// The transaction may have one input only.
    #[error("the transaction has {count} inputs: it must have exactly one")]
    InputCount {
        /// How many it has.
        count: usize,
    },
    /// A commitment pays somebody.
    #[error("the transaction has no outputs")]
    NoOutputs,
    /// What is spent must be known to sign it.
    #[error("the psbt does not tell which output input {index} spends")]
    UnknownSpent {
        /// The input.
        index: usize,
    },
    /// Commitments are numbered with 48 bits.
    #[error("there is no commitment number {0}: the last is 2^48 - 1")]
    NoSuchCommitment(CommitmentNumber),
    /// The message to sign is too short.
    #[error("the {what} has {length} bytes: too short")]
    TooShort {
        /// What it should be.
        what: &'static str,
        /// Its length.
        length: usize,
    },
    /// hsmd's messages hold no more than 65535 bytes of it.
    #[error("the {what} has {length} bytes: at most 65535 can be signed")]
    TooLong {
        /// What it is.
        what: &'static str,
        /// Its length.
        length: usize,
    },
    /// The message to sign is another one.
    #[error("not a {what}: its type is {number}")]
    WrongMessage {
        /// What it should be.
        what: &'static str,
        /// Its type.
        number: u16,
    },
    /// The commitment's other side does not have our funding key.
    #[error("the commitment is not of a channel with our funding key")]
    ForeignChannel,
    /// The PSBT's input cannot be signed.
    #[error("input {index} cannot be signed: {reason}")]
    Unsignable {
        /// The input.
        index: usize,
        /// Why.
        reason: String,
    },
    /// A key could not be derived.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The signer is another process and did not answer as it should.
    #[error("the signer did not answer: {0}")]
    Unavailable(String),
}
