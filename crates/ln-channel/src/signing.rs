//! What the machine asks its signer, with the errors it understands.

use bitcoin::secp256k1::PublicKey;
use ln_codec::Encode;
use ln_keys::PerCommitmentSecret;
use ln_signer::{AnnouncementSignatures, SignerError};
use ln_types::CommitmentNumber;
use ln_wire::{ChannelAnnouncement, PeerMessage};

use crate::{ChannelError, Env};

/// A signer that does not sign is no fault of the peer's.
#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
pub(crate) fn failed(error: SignerError) -> ChannelError {
    ChannelError::Signer(error.to_string())
}

/// The point of our commitment `number`.
pub(crate) fn point(env: &Env<'_>, number: CommitmentNumber) -> Result<PublicKey, ChannelError> {
    env.signer.per_commitment_point(number).map_err(failed)
}

/// Whether a secret is the one of our commitment `number`.
pub(crate) fn is_our_secret(
    env: &Env<'_>,
    number: CommitmentNumber,
    secret: &[u8; 32],
) -> Result<bool, ChannelError> {
    env.signer
        .check_future_secret(number, &PerCommitmentSecret(*secret))
        .map_err(failed)
}

/// Our signatures of an announcement.
pub(crate) fn sign_announcement(
    env: &Env<'_>,
    announcement: &ChannelAnnouncement,
) -> Result<AnnouncementSignatures, ChannelError> {
    let bytes = PeerMessage::from(announcement.clone()).to_bytes();
    env.signer.sign_channel_announcement(&bytes).map_err(failed)
}
