//! What can go wrong with a channel, who is at fault, and what we do about it.

use ln_types::{
    BlockHeight, ChannelId, CltvExpiry, CommitmentNumber, Feerate, HtlcId, Msat, PaymentHash, Sat,
    ShortChannelId,
};

/// A rule that a message or a command breaks.
///
/// [`ChannelError::class`] says who is at fault, [`ChannelError::response`] what the peer gets to hear.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChannelError {
    // Any time.
    /// A message that has no place here.
    #[error("{message} is out of place: {why}")]
    OutOfPlace {
        /// The message's name.
        message: &'static str,
        /// What we are waiting for instead.
        why: &'static str,
    },
    /// A feature we do not have.
    #[error("{message} is not supported here")]
    Unsupported {
        /// The message's name.
        message: &'static str,
    },
    /// A message about another channel.
    #[error("message about channel {got} on channel {expected}")]
    WrongChannel {
        /// This channel.
        expected: ChannelId,
        /// The message's.
        got: ChannelId,
    },
    /// The peer failed the channel.
    #[error("peer failed the channel: {text}")]
    PeerError {
        /// Its words, printable.
        text: String,
    },
    /// There is no usable connection.
    #[error("the peer is not connected or the channel not reestablished")]
    Offline,
    /// A command before both sides sent `channel_ready`.
    #[error("the channel is not ready yet")]
    NotReady,
    /// A command after `shutdown`.
    #[error("the channel is shutting down")]
    ShuttingDown,
    /// The signer failed.
    #[error("signer failed: {0}")]
    Signer(String),

    // HTLCs.
    /// BOLT 2: ids count up from zero.
    #[error("update_add_htlc has id {got}, {expected} is next")]
    UnexpectedHtlcId {
        /// The next id.
        expected: HtlcId,
        /// The message's.
        got: HtlcId,
    },
    /// An HTLC of nothing, or below the receiver's minimum.
    #[error("htlc of {amount} is below the minimum of {minimum}")]
    BelowMinimum {
        /// The HTLC's amount.
        amount: Msat,
        /// The receiver's `htlc_minimum_msat`, or 1.
        minimum: Msat,
    },
    /// An expiry that would be a time.
    #[error("cltv_expiry {expiry} is not a block height: it must be below 500000000")]
    ExpiryIsATime {
        /// The HTLC's expiry.
        expiry: CltvExpiry,
    },
    /// An HTLC we are asked to offer that is over already.
    #[error("cltv_expiry {expiry} is not above the present height {height}")]
    Expired {
        /// The HTLC's expiry.
        expiry: CltvExpiry,
        /// The best block.
        height: BlockHeight,
    },
    /// Over `max_accepted_htlcs`.
    #[error("{count} htlcs are over the limit of {limit}")]
    TooManyHtlcs {
        /// How many there would be.
        count: usize,
        /// The limit.
        limit: u16,
    },
    /// Over `max_htlc_value_in_flight_msat`.
    #[error("{in_flight} in flight are over the limit of {limit}")]
    TooMuchInFlight {
        /// What there would be.
        in_flight: Msat,
        /// The limit.
        limit: Msat,
    },
    /// The offerer would go below its reserve, or its balance below zero.
    #[error("{balance} cannot pay for the htlc and keep {needed} for reserve and fees")]
    BelowReserve {
        /// What the offerer would have left.
        balance: Msat,
        /// What it must keep.
        needed: Msat,
    },
    /// The opener could not pay the fee of a commitment with this HTLC.
    #[error("the opener has {balance} left for a commitment that needs {needed}")]
    OpenerCannotPayFee {
        /// What the opener would have left.
        balance: Msat,
        /// Its reserve, the fee and the anchors.
        needed: Msat,
    },
    /// Over `max-dust-htlc-exposure-msat`.
    #[error("{exposure} in htlcs too small for the chain are over the limit of {limit}")]
    DustExposure {
        /// What there would be.
        exposure: Msat,
        /// The limit.
        limit: Msat,
    },
    /// A resolution of an HTLC that does not exist.
    #[error("there is no htlc {id}")]
    UnknownHtlc {
        /// The id.
        id: HtlcId,
    },
    /// A resolution before the HTLC was irrevocably committed.
    #[error("htlc {id} is not committed yet ({state})")]
    HtlcNotCommitted {
        /// The id.
        id: HtlcId,
        /// Its state.
        state: &'static str,
    },
    /// A second resolution.
    #[error("htlc {id} was resolved already ({state})")]
    HtlcAlreadyResolved {
        /// The id.
        id: HtlcId,
        /// Its state.
        state: &'static str,
    },
    /// A preimage of something else.
    #[error("preimage of htlc {id} does not hash to {payment_hash}")]
    WrongPreimage {
        /// The id.
        id: HtlcId,
        /// What it must hash to.
        payment_hash: PaymentHash,
    },
    /// A malformed failure without `BADONION`.
    #[error(
        "update_fail_malformed_htlc for htlc {id}: failure code {failure_code:#06x} lacks BADONION"
    )]
    NotBadOnion {
        /// The id.
        id: HtlcId,
        /// The code.
        failure_code: u16,
    },

    // Feerates.
    /// Only the opener sets the feerate.
    #[error("update_fee from the side that does not pay the fee")]
    FeeFromNonOpener,
    /// A feerate out of bounds.
    #[error("feerate {feerate} is not between {min} and {max}")]
    FeerateOutOfRange {
        /// The feerate.
        feerate: Feerate,
        /// The least we bear.
        min: Feerate,
        /// The most we bear.
        max: Feerate,
    },

    // The dance.
    /// Empty `commitment_signed` twice in a row.
    #[error("commitment_signed without any change, again")]
    EmptyCommitment,
    /// As many HTLC signatures as untrimmed HTLCs.
    #[error("commitment_signed has {got} htlc signatures, {expected} htlcs are on the commitment")]
    WrongSignatureCount {
        /// HTLCs on our commitment.
        expected: usize,
        /// Signatures in the message.
        got: usize,
    },
    /// A wrong signature of our commitment.
    #[error("signature of commitment {number} is wrong or has a high s")]
    BadCommitmentSignature {
        /// The commitment.
        number: CommitmentNumber,
    },
    /// A wrong signature of one of our HTLC transactions.
    #[error("signature {index} of the htlcs of commitment {number} is wrong or has a high s")]
    BadHtlcSignature {
        /// The commitment.
        number: CommitmentNumber,
        /// Which signature, from 0.
        index: usize,
    },
    /// `commitment_signed` for another funding transaction.
    #[error("commitment_signed is for funding transaction {got}")]
    WrongFundingTxid {
        /// The message's.
        got: bitcoin::Txid,
    },
    /// Nothing to revoke.
    #[error("revoke_and_ack when none was due")]
    UnexpectedRevoke,
    /// A secret that is not of the commitment's point.
    #[error("secret of commitment {number} does not generate its per_commitment_point")]
    WrongSecret {
        /// The commitment.
        number: CommitmentNumber,
    },
    /// A secret that does not fit the earlier ones.
    #[error("secret of commitment {number} is not of the same chain as the earlier ones")]
    SecretOutOfChain {
        /// The commitment.
        number: CommitmentNumber,
    },
    /// A commitment that cannot be built.
    #[error("balances of the commitment do not add up")]
    Overdrawn,

    // Reestablish.
    /// `next_commitment_number` is none we could go on from.
    #[error("channel_reestablish wants commitment {got} next, {expected} is next")]
    BadNextCommitment {
        /// The next we would sign.
        expected: CommitmentNumber,
        /// The message's.
        got: CommitmentNumber,
    },
    /// `next_revocation_number` is none we could go on from.
    #[error("channel_reestablish wants revocation {got} next, {expected} is next")]
    BadNextRevocation {
        /// The next we would send.
        expected: CommitmentNumber,
        /// The message's.
        got: CommitmentNumber,
    },
    /// A wrong `your_last_per_commitment_secret`.
    #[error("channel_reestablish has a wrong secret for commitment {number}")]
    BadLastSecret {
        /// The commitment.
        number: CommitmentNumber,
    },

    /// A wrong signature of the channel's announcement.
    #[error("announcement_signatures for {scid} has a wrong signature")]
    BadAnnouncementSignature {
        /// The place.
        scid: ShortChannelId,
    },

    // Shutdown and closing.
    /// A script that is not allowed.
    #[error("shutdown scriptpubkey is not of an allowed form")]
    BadShutdownScript,
    /// Another script than the one fixed at opening or told before.
    #[error("shutdown scriptpubkey is not the one told before")]
    ShutdownScriptChanged,
    /// A closing fee out of the agreed range.
    #[error("closing fee {fee} is not between {min} and {max}")]
    ClosingFeeOutOfRange {
        /// The fee.
        fee: Sat,
        /// The least.
        min: Sat,
        /// The most.
        max: Sat,
    },
    /// The two fee ranges have nothing in common.
    #[error(
        "peer's closing fee range {min}-{max} has nothing in common with ours of {our_min}-{our_max}"
    )]
    ClosingFeeNoOverlap {
        /// The peer's least.
        min: Sat,
        /// The peer's most.
        max: Sat,
        /// Our least.
        our_min: Sat,
        /// Our most.
        our_max: Sat,
    },
    /// A fee that does not move the negotiation on.
    #[error("closing fee {fee} is not between the last two proposals")]
    ClosingFeeNoProgress {
        /// The fee.
        fee: Sat,
    },
    /// A wrong signature of the closing transaction.
    #[error("signature of the closing transaction with fee {fee} is wrong or has a high s")]
    BadClosingSignature {
        /// The fee.
        fee: Sat,
    },
    /// The opener cannot pay the closing fee.
    #[error("the opener cannot pay a closing fee of {fee}")]
    ClosingFeeUnaffordable {
        /// The fee.
        fee: Sat,
    },

    // Opening.
    /// See [`crate::OpenError`].
    #[error(transparent)]
    Open(#[from] crate::OpenError),
}

/// Who is at fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorClass {
    /// The peer broke a rule.
    PeerViolation,
    /// The peer wants something we do not.
    PeerIncompatible,
    /// Our caller asked for something impossible.
    Refused,
    /// Try again later.
    Unavailable,
    /// Our own fault.
    Bug,
}

/// What the peer gets to hear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeerResponse {
    /// Nothing.
    Ignore,
    /// A `warning`; the connection stays.
    Warn,
    /// A `warning`, then the connection is closed; the channel lives on from its durable state.
    WarnAndDisconnect,
    /// An `error`; the channel goes on chain.
    FailChannel,
    /// Nothing, but the channel goes on chain: the peer wants it so.
    CloseUnilaterally,
}

impl ChannelError {
    /// Who is at fault.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::OutOfPlace { .. }
            | Self::WrongChannel { .. }
            | Self::PeerError { .. }
            | Self::UnexpectedHtlcId { .. }
            | Self::WrongPreimage { .. }
            | Self::NotBadOnion { .. }
            | Self::FeeFromNonOpener
            | Self::EmptyCommitment
            | Self::WrongSignatureCount { .. }
            | Self::BadCommitmentSignature { .. }
            | Self::BadHtlcSignature { .. }
            | Self::WrongFundingTxid { .. }
            | Self::UnexpectedRevoke
            | Self::WrongSecret { .. }
            | Self::SecretOutOfChain { .. }
            | Self::Overdrawn
            | Self::BadNextCommitment { .. }
            | Self::BadNextRevocation { .. }
            | Self::BadLastSecret { .. }
            | Self::BadAnnouncementSignature { .. }
            | Self::BadShutdownScript
            | Self::ShutdownScriptChanged
            | Self::ClosingFeeNoProgress { .. }
            | Self::BadClosingSignature { .. }
            | Self::ClosingFeeUnaffordable { .. } => ErrorClass::PeerViolation,
            Self::Unsupported { .. }
            | Self::FeerateOutOfRange { .. }
            | Self::ClosingFeeOutOfRange { .. }
            | Self::ClosingFeeNoOverlap { .. } => ErrorClass::PeerIncompatible,
            Self::ShuttingDown
            | Self::BelowMinimum { .. }
            | Self::ExpiryIsATime { .. }
            | Self::Expired { .. }
            | Self::TooManyHtlcs { .. }
            | Self::TooMuchInFlight { .. }
            | Self::BelowReserve { .. }
            | Self::OpenerCannotPayFee { .. }
            | Self::DustExposure { .. }
            | Self::UnknownHtlc { .. }
            | Self::HtlcNotCommitted { .. }
            | Self::HtlcAlreadyResolved { .. } => ErrorClass::Refused,
            Self::Offline | Self::NotReady | Self::Signer(_) => ErrorClass::Unavailable,
            Self::Open(error) => error.class(),
        }
    }

    /// What the peer gets to hear when one of its messages caused this.
    ///
    /// Where the BOLTs leave the choice we warn and hang up: the peer may come back in its senses, and a channel failed for a
    /// misunderstanding costs both sides money. An `error` is for what the BOLTs demand it for, or what proves that the two states
    /// cannot be brought together again.
    pub fn response(&self) -> PeerResponse {
        match self {
            Self::Unsupported { .. } => PeerResponse::Warn,
            Self::PeerError { .. } => PeerResponse::CloseUnilaterally,
            Self::WrongSecret { .. }
            | Self::SecretOutOfChain { .. }
            | Self::BadNextCommitment { .. }
            | Self::BadNextRevocation { .. }
            | Self::BadLastSecret { .. } => PeerResponse::FailChannel,
            Self::Open(error) => error.response(),
            Self::OutOfPlace { .. }
            | Self::WrongChannel { .. }
            | Self::Offline
            | Self::NotReady
            | Self::ShuttingDown
            | Self::Signer(_)
            | Self::UnexpectedHtlcId { .. }
            | Self::BelowMinimum { .. }
            | Self::ExpiryIsATime { .. }
            | Self::Expired { .. }
            | Self::TooManyHtlcs { .. }
            | Self::TooMuchInFlight { .. }
            | Self::BelowReserve { .. }
            | Self::OpenerCannotPayFee { .. }
            | Self::DustExposure { .. }
            | Self::UnknownHtlc { .. }
            | Self::HtlcNotCommitted { .. }
            | Self::HtlcAlreadyResolved { .. }
            | Self::WrongPreimage { .. }
            | Self::NotBadOnion { .. }
            | Self::FeeFromNonOpener
            | Self::FeerateOutOfRange { .. }
            | Self::EmptyCommitment
            | Self::WrongSignatureCount { .. }
            | Self::BadCommitmentSignature { .. }
            | Self::BadHtlcSignature { .. }
            | Self::WrongFundingTxid { .. }
            | Self::UnexpectedRevoke
            | Self::Overdrawn
            | Self::BadAnnouncementSignature { .. }
            | Self::BadShutdownScript
            | Self::ShutdownScriptChanged
            | Self::ClosingFeeOutOfRange { .. }
            | Self::ClosingFeeNoOverlap { .. }
            | Self::ClosingFeeNoProgress { .. }
            | Self::BadClosingSignature { .. }
            | Self::ClosingFeeUnaffordable { .. } => PeerResponse::WarnAndDisconnect,
        }
    }
}
