//! What a channel machine asks its signer.

use std::fmt;

use bitcoin::secp256k1::{PublicKey, ecdsa};
use bitcoin::{OutPoint, ScriptBuf, Transaction, TxOut};
use ln_keys::{Basepoints, PerCommitmentSecret};
use ln_tx::{CommitmentSignatures, CommitmentTx, Verified};
use ln_types::{CommitmentNumber, Features, Msat, Sat};

use crate::SignerError;

/// The secret that a key and a point share.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SharedSecret(pub [u8; 32]);

impl fmt::Debug for SharedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedSecret(..)")
    }
}

/// What revokes a commitment of ours, and the point that goes with it in `revoke_and_ack`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revocation {
    /// The secret of the commitment revoked.
    pub secret: PerCommitmentSecret,
    /// The point of the commitment two after it.
    pub next_point: PublicKey,
}

/// The two signatures under a `channel_announcement`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnnouncementSignatures {
    /// By the node's key.
    pub node: ecdsa::Signature,
    /// By the funding key.
    pub bitcoin: ecdsa::Signature,
}

/// What never changes in a channel, for signers that check what they sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelSetup {
    /// Whether we opened it.
    pub is_outbound: bool,
    /// Its capacity.
    pub channel_value: Sat,
    /// What the opener gave at once.
    pub push_value: Msat,
    /// The funding output.
    pub funding: OutPoint,
    /// The delay we chose: blocks the peer's money waits after its commitment.
    pub local_to_self_delay: u16,
    /// Our upfront shutdown script, or nothing.
    pub local_shutdown_script: ScriptBuf,
    /// The index of its key in our wallet.
    pub local_shutdown_wallet_index: Option<u32>,
    /// The peer's keys.
    pub remote_basepoints: Basepoints,
    /// The delay the peer chose: blocks our own money waits after our commitment.
    pub remote_to_self_delay: u16,
    /// The peer's upfront shutdown script, or nothing.
    pub remote_shutdown_script: ScriptBuf,
    /// The channel type.
    pub channel_type: Features,
}

/// The signer of one channel, as its daemon sees it. Every call answers at once or fails.
///
/// Our own commitment is not signed here: only lightningd may ask for that, when it broadcasts it.
pub trait Signer {
    /// Our public keys in the channel.
    fn basepoints(&self) -> &Basepoints;

    /// Tells the channel's parameters, once, before any commitment is signed.
    fn setup_channel(&self, setup: &ChannelSetup) -> Result<(), SignerError>;

    /// The `per_commitment_point` of our commitment `number`.
    fn per_commitment_point(&self, number: CommitmentNumber) -> Result<PublicKey, SignerError>;

    /// Shows the signer a new commitment of ours with the peer's signatures, before the one before is revoked.
    fn validate_commitment(&self, commitment: &Verified<CommitmentTx>) -> Result<(), SignerError>;

    /// Releases the secret that revokes our commitment `number`. It must be durable that its successor replaced it.
    fn revoke(&self, number: CommitmentNumber) -> Result<Revocation, SignerError>;

    /// Shows the signer the secret with which the peer revoked its commitment `number`.
    fn validate_revocation(
        &self,
        number: CommitmentNumber,
        secret: &PerCommitmentSecret,
    ) -> Result<(), SignerError>;

    /// Whether `secret`, which a peer claims to have from us, really revokes our commitment `number`: then we have lost data.
    fn check_future_secret(
        &self,
        number: CommitmentNumber,
        secret: &PerCommitmentSecret,
    ) -> Result<bool, SignerError>;

    /// Signs a commitment the peer holds, and its HTLC transactions: what `commitment_signed` carries.
    fn sign_remote_commitment(
        &self,
        commitment: &CommitmentTx,
    ) -> Result<CommitmentSignatures, SignerError>;

    /// Signs a closing transaction.
    fn sign_mutual_close(
        &self,
        tx: &Transaction,
        funding_amount: Sat,
        remote_funding_key: &PublicKey,
    ) -> Result<ecdsa::Signature, SignerError>;

    /// Signs input `index` of a splice, which spends the funding output. `spent` has an output for each input.
    fn sign_splice(
        &self,
        tx: &Transaction,
        index: usize,
        spent: &[TxOut],
        remote_funding_key: &PublicKey,
    ) -> Result<ecdsa::Signature, SignerError>;

    /// Signs an encoded `channel_announcement`, whose four signatures may be anything.
    fn sign_channel_announcement(
        &self,
        announcement: &[u8],
    ) -> Result<AnnouncementSignatures, SignerError>;

    /// Fills the signature into an encoded `channel_update`.
    fn sign_channel_update(&self, update: &[u8]) -> Result<Vec<u8>, SignerError>;

    /// The secrets that the node's key shares with each point.
    fn ecdh(&self, points: &[PublicKey]) -> Result<Vec<SharedSecret>, SignerError>;
}
