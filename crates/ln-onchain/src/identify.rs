//! Which transaction has spent the funding output.

use bitcoin::Transaction;
use bitcoin::secp256k1::PublicKey;
use ln_codec::{Decode, Encode};
use ln_keys::PerCommitmentSecret;
use ln_tx::build_commitment;
use ln_tx::script::to_remote_script_pubkey;
use ln_types::CommitmentNumber;

use crate::{Channel, TxKind};

/// What spent the funding output.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum FundingSpend {
    /// A closing both agreed on.
    MutualClose,
    /// Our newest commitment.
    Ours {
        /// Its number.
        number: CommitmentNumber,
    },
    /// A commitment of ours that we had revoked: the peer may take everything.
    OursRevoked {
        /// Its number.
        number: CommitmentNumber,
    },
    /// A commitment of the peer's that it has not revoked.
    Theirs {
        /// Its number.
        number: CommitmentNumber,
        /// Its point.
        per_commitment_point: PublicKey,
    },
    /// A commitment that the peer had revoked.
    TheirsRevoked {
        /// Its number.
        number: CommitmentNumber,
        /// What it was revoked with.
        per_commitment_secret: PerCommitmentSecret,
    },
    /// A commitment newer than all we know: our state is old.
    TheirsUnknown {
        /// Its number.
        number: CommitmentNumber,
    },
    /// Neither a closing nor a commitment.
    Unknown,
}

impl FundingSpend {
    /// What the log calls it.
    pub const fn kind(&self) -> TxKind {
        match self {
            Self::MutualClose => TxKind::MutualClose,
            Self::Ours { .. } | Self::OursRevoked { .. } => TxKind::OurUnilateral,
            Self::Theirs { .. } => TxKind::TheirUnilateral,
            Self::TheirsRevoked { .. } => TxKind::TheirRevokedUnilateral,
            Self::TheirsUnknown { .. } | Self::Unknown => TxKind::UnknownUnilateral,
        }
    }

    /// The commitment's number, if it is one.
    pub const fn number(&self) -> Option<CommitmentNumber> {
        match self {
            Self::Ours { number }
            | Self::OursRevoked { number }
            | Self::Theirs { number, .. }
            | Self::TheirsRevoked { number, .. }
            | Self::TheirsUnknown { number } => Some(*number),
            Self::MutualClose | Self::Unknown => None,
        }
    }

    /// The sentence for `listpeerchannels`.
    pub const fn billboard(&self) -> &'static str {
        match self {
            Self::MutualClose => "Tracking mutual close transaction",
            Self::Ours { .. } => "Tracking our own unilateral close",
            Self::OursRevoked { .. } => {
                "ERROR: an old commitment of ours was broadcast, the peer may take all funds!"
            }
            Self::Theirs { .. } => "Tracking their unilateral close",
            Self::TheirsRevoked { .. } => "Tracking their illegal close: taking all funds",
            Self::TheirsUnknown { .. } => "ERROR: Unknown commitment, recovering our funds!",
            Self::Unknown => "ERROR: FUNDS LOST.  Unknown commitment!",
        }
    }
}

/// Tells what the transaction is that spends the channel's funding output.
// BOLT 5 §Requirements: each kind of transaction has its own handling; what fits none is told to the user.
pub fn identify(channel: &Channel, tx: &Transaction) -> FundingSpend {
    let Some(number) = channel.obscuring_factor().reveal(tx) else {
        return if is_mutual_close(channel, tx) {
            FundingSpend::MutualClose
        } else {
            FundingSpend::Unknown
        };
    };
    if let Some(ours) = &channel.our_commitment
        && let Ok(built) =
            build_commitment(&channel.our_params(ours.per_commitment_point), &ours.spec)
        && built.txid() == tx.compute_txid()
    {
        return FundingSpend::Ours { number };
    }
    // Both sides count alike; what pays the peer's `to_remote` script was made for us to broadcast.
    let to_them = to_remote_script_pubkey(&channel.remote.payment, channel.format);
    if tx
        .output
        .iter()
        .any(|output| output.script_pubkey == to_them)
    {
        return FundingSpend::OursRevoked { number };
    }
    if let Some(theirs) = channel
        .their_commitments
        .iter()
        .find(|theirs| theirs.number == number)
    {
        return FundingSpend::Theirs {
            number,
            per_commitment_point: theirs.per_commitment_point,
        };
    }
    match channel.remote_secrets.secret(number) {
        Some(per_commitment_secret) => FundingSpend::TheirsRevoked {
            number,
            per_commitment_secret,
        },
        None => FundingSpend::TheirsUnknown { number },
    }
}

/// Whether all outputs pay the scripts both sides named for closing.
fn is_mutual_close(channel: &Channel, tx: &Transaction) -> bool {
    let known = |script| {
        Some(script) == channel.local_script.as_ref()
            || Some(script) == channel.remote_script.as_ref()
    };
    !tx.output.is_empty()
        && tx.output.len() <= 2
        && tx.output.iter().all(|output| known(&output.script_pubkey))
}
