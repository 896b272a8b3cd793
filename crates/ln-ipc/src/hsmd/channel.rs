//! A channel's life: its keys, its parameters and the secrets that revoke its commitments.

use super::{BitcoinSignature, BitcoinTx, HsmHtlc, HsmdBasepoints};
use bitcoin::secp256k1::PublicKey;
use bitcoin::{ScriptBuf, Txid};
use ln_codec::{Decode, Encode};
use ln_keys::PerCommitmentSecret;
use ln_types::{CommitmentNumber, Features, Feerate, Msat, NodeId, Sat};

/// There is a new channel.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdNewChannel {
    /// The peer.
    pub id: NodeId,
    /// Its database id.
    pub dbid: u64,
}

/// Noted.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdNewChannelReply {}

/// Asks for a channel's public keys.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdGetChannelBasepoints {
    /// The peer.
    pub peer_id: NodeId,
    /// The channel's database id.
    pub dbid: u64,
}

/// A channel's public keys.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdGetChannelBasepointsReply {
    /// The basepoints.
    pub basepoints: HsmdBasepoints,
    /// The funding key.
    pub funding_pubkey: PublicKey,
}

/// The parameters of a channel, which never change.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdSetupChannel {
    /// Whether we opened it.
    pub is_outbound: bool,
    /// Its capacity.
    pub channel_value: Sat,
    /// What the opener gave at once.
    pub push_value: Msat,
    /// The funding transaction.
    pub funding_txid: Txid,
    /// The funding output's index.
    pub funding_txout: u16,
    /// The delay we chose: blocks the peer's money waits after its commitment.
    pub local_to_self_delay: u16,
    /// Our upfront shutdown script, or nothing.
    pub local_shutdown_script: ScriptBuf,
    /// The index of its key in our wallet.
    pub local_shutdown_wallet_index: Option<u32>,
    /// The peer's basepoints.
    pub remote_basepoints: HsmdBasepoints,
    /// The peer's funding key.
    pub remote_funding_pubkey: PublicKey,
    /// The delay the peer chose: blocks our own money waits after our commitment.
    pub remote_to_self_delay: u16,
    /// The peer's upfront shutdown script, or nothing.
    pub remote_shutdown_script: ScriptBuf,
    /// The channel type.
    pub channel_type: Features,
}

/// Noted.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdSetupChannelReply {}

/// Asks whether the signer, too, sees a funding output deep in the chain.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdCheckOutpoint {
    /// The funding transaction.
    pub funding_txid: Txid,
    /// The funding output's index.
    pub funding_txout: u16,
}

/// What the signer sees.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdCheckOutpointReply {
    /// It is deep enough.
    pub is_buried: bool,
}

/// A funding output, perhaps a splice's, is now the channel's.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdLockOutpoint {
    /// The funding transaction.
    pub funding_txid: Txid,
    /// The funding output's index.
    pub funding_txout: u16,
}

/// Noted.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdLockOutpointReply {}

/// A channel is over.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdForgetChannel {
    /// The peer.
    pub id: NodeId,
    /// Its database id.
    pub dbid: u64,
}

/// Noted.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdForgetChannelReply {}

/// Asks for one of our per-commitment points.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdGetPerCommitmentPoint {
    /// Of which commitment.
    pub n: CommitmentNumber,
}

/// One of our per-commitment points.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdGetPerCommitmentPointReply {
    /// The point.
    pub per_commitment_point: PublicKey,
    /// Before version 6, what revokes the commitment two before.
    pub old_commitment_secret: Option<PerCommitmentSecret>,
}

/// Shows the signer a new commitment of ours before it may revoke the one before.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdValidateCommitmentTx {
    /// The transaction.
    pub tx: BitcoinTx,
    /// Its HTLCs.
    pub htlcs: Vec<HsmHtlc>,
    /// Its number.
    pub commit_num: CommitmentNumber,
    /// Its feerate.
    pub feerate: Feerate,
    /// The peer's signature of it.
    pub sig: BitcoinSignature,
    /// The peer's signatures of its HTLC transactions.
    pub htlc_sigs: Vec<BitcoinSignature>,
}

/// The commitment is good.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdValidateCommitmentTxReply {
    /// Always nothing.
    pub old_commitment_secret: Option<PerCommitmentSecret>,
    /// The point of the commitment after it.
    pub next_per_commitment_point: PublicKey,
}

/// Asks for the secret that revokes a commitment of ours.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdRevokeCommitmentTx {
    /// Which one.
    pub commit_num: CommitmentNumber,
}

/// The commitment may never be broadcast from now on.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdRevokeCommitmentTxReply {
    /// What revokes it.
    pub old_commitment_secret: PerCommitmentSecret,
    /// The point of the commitment two after it.
    pub next_per_commitment_point: PublicKey,
}

/// Shows the signer what the peer revoked.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdValidateRevocation {
    /// The peer's commitment.
    pub revoke_num: CommitmentNumber,
    /// The secret it revealed.
    pub per_commitment_secret: PerCommitmentSecret,
}

/// Noted.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdValidateRevocationReply {}

/// Asks whether a secret the peer shows is one we have not reached yet: then we lost data.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdCheckFutureSecret {
    /// Of which commitment of ours.
    pub n: CommitmentNumber,
    /// The secret.
    pub commitment_secret: PerCommitmentSecret,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdCheckFutureSecretReply {
    /// It is ours.
    pub correct: bool,
}
