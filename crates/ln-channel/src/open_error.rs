//! What can be wrong with the opening of a channel.

use ln_types::{Feerate, Msat, Sat};

use crate::{ErrorClass, PeerResponse};

/// A rule of the opening that the peer breaks, or a term we do not accept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another chain.
    #[error("open_channel is for an unknown chain")]
    UnknownChain,
    /// The peer uses another temporary id than the proposal's.
    #[error("temporary_channel_id is not that of open_channel")]
    WrongTemporaryId,
    /// `funding_signed` for another channel.
    #[error("channel_id is not that of the funding output")]
    WrongChannelId,
    /// A funding amount that cannot be.
    #[error("funding of {funding} is not between {min} and {max}")]
    FundingOutOfRange {
        /// The amount.
        funding: Sat,
        /// The least.
        min: Sat,
        /// The most.
        max: Sat,
    },
    /// More pushed than there is.
    #[error("push of {push} is above the funding of {funding}")]
    PushTooLarge {
        /// What is pushed.
        push: Msat,
        /// The funding amount.
        funding: Sat,
    },
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
    /// The opener cannot pay for the first commitment.
    #[error("the opener has {balance}, the first commitment costs {needed}")]
    CannotPayFee {
        /// What the opener has.
        balance: Msat,
        /// What fee and anchors cost.
        needed: Msat,
    },
    /// Neither side would reach the reserve.
    #[error("neither side would have more than the reserve of {reserve}")]
    BothBelowReserve {
        /// The reserve.
        reserve: Sat,
    },
    /// A dust limit that cannot be relayed, or is far too high.
    #[error("dust_limit_satoshis {dust_limit} is not between {min} and {max}")]
    DustLimitOutOfRange {
        /// The dust limit.
        dust_limit: Sat,
        /// The least.
        min: Sat,
        /// The most.
        max: Sat,
    },
    /// A reserve below a dust limit.
    #[error("channel_reserve_satoshis {reserve} is below the dust limit {dust_limit}")]
    ReserveBelowDust {
        /// The reserve.
        reserve: Sat,
        /// The dust limit.
        dust_limit: Sat,
    },
    /// A reserve that would leave too little to use.
    #[error("channel_reserve_satoshis {reserve} is above our limit of {max}")]
    ReserveTooLarge {
        /// The reserve.
        reserve: Sat,
        /// The most.
        max: Sat,
    },
    /// A delay we do not bear.
    #[error("to_self_delay {delay} is above our limit of {max}")]
    DelayTooLong {
        /// The delay.
        delay: u16,
        /// The most.
        max: u16,
    },
    /// No HTLC at all, or more than fit.
    #[error("max_accepted_htlcs {count} is not between 1 and 483")]
    HtlcCountOutOfRange {
        /// The number.
        count: u16,
    },
    /// An HTLC minimum that leaves nothing to send.
    #[error("htlc_minimum_msat {minimum} is above the channel's amount")]
    HtlcMinimumTooLarge {
        /// The minimum.
        minimum: Msat,
    },
    /// The channel could not carry what we want of one.
    #[error("channel could carry {capacity} only, below our minimum of {min}")]
    TooSmall {
        /// What it could carry.
        capacity: Msat,
        /// The least.
        min: Sat,
    },
    /// More confirmations than we wait for.
    #[error("minimum_depth {depth} is above our limit of {max}")]
    DepthTooLarge {
        /// The depth.
        depth: u32,
        /// The most.
        max: u32,
    },
    /// No channel type.
    #[error("channel_type is missing")]
    NoChannelType,
    /// A channel type we can't run, or did not negotiate.
    #[error("channel_type {channel_type} is not one we accept")]
    BadChannelType {
        /// The bits, in hex.
        channel_type: String,
    },
    /// An `upfront_shutdown_script` that is not allowed.
    #[error("upfront_shutdown_script is not of an allowed form")]
    BadShutdownScript,
    /// The peer's signature of our first commitment is wrong.
    #[error("signature of the first commitment is wrong or has a high s")]
    BadSignature,
    /// A funding output that another channel uses.
    #[error("funding output is not usable: {why}")]
    BadFundingOutput {
        /// Why.
        why: &'static str,
    },
    /// Our own side does not want it.
    #[error("{0}")]
    Rejected(String),
}

impl OpenError {
    /// Who is at fault.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::WrongTemporaryId
            | Self::WrongChannelId
            | Self::PushTooLarge { .. }
            | Self::ReserveBelowDust { .. }
            | Self::NoChannelType
            | Self::BadSignature
            | Self::BadFundingOutput { .. } => ErrorClass::PeerViolation,
            Self::UnknownChain
            | Self::FundingOutOfRange { .. }
            | Self::FeerateOutOfRange { .. }
            | Self::CannotPayFee { .. }
            | Self::BothBelowReserve { .. }
            | Self::DustLimitOutOfRange { .. }
            | Self::ReserveTooLarge { .. }
            | Self::DelayTooLong { .. }
            | Self::HtlcCountOutOfRange { .. }
            | Self::HtlcMinimumTooLarge { .. }
            | Self::TooSmall { .. }
            | Self::DepthTooLarge { .. }
            | Self::BadChannelType { .. }
            | Self::BadShutdownScript => ErrorClass::PeerIncompatible,
            Self::Rejected(_) => ErrorClass::Refused,
        }
    }

    /// What the peer gets to hear: the opening always ends with an `error`, for there is no channel yet to come back to.
    pub fn response(&self) -> PeerResponse {
        PeerResponse::FailChannel
    }
}
