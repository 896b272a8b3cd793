//! What the daemons of one channel want signed. hsmd knows their channel from the connection.

use super::{BitcoinSignature, BitcoinTx, HsmHtlc};
use bitcoin::ScriptBuf;
use bitcoin::secp256k1::{PublicKey, SecretKey};
use ln_codec::{Decode, Encode};
use ln_types::{CommitmentNumber, Feerate, NodeId};

/// lightningd wants our own commitment signed, to broadcast it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdSignCommitmentTx {
    /// The peer.
    pub peer_id: NodeId,
    /// The channel's database id.
    pub channel_dbid: u64,
    /// The commitment.
    pub tx: BitcoinTx,
    /// The peer's funding key.
    pub remote_funding_key: PublicKey,
    /// Its number.
    pub commit_num: CommitmentNumber,
}

/// The signature.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdSignCommitmentTxReply {
    /// By our funding key.
    pub sig: BitcoinSignature,
}

/// One signature of a transaction.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdSignTxReply {
    /// By the key asked for.
    pub sig: BitcoinSignature,
}

/// Asks to sign the peer's commitment.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdSignRemoteCommitmentTx {
    /// The commitment.
    pub tx: BitcoinTx,
    /// The peer's funding key.
    pub remote_funding_key: PublicKey,
    /// The peer's per-commitment point for it.
    pub remote_per_commit: PublicKey,
    /// Whether our output's key is our plain payment basepoint.
    pub option_static_remotekey: bool,
    /// Its number.
    pub commit_num: CommitmentNumber,
    /// Its HTLCs.
    pub htlcs: Vec<HsmHtlc>,
    /// Its feerate.
    pub feerate: Feerate,
}

/// Asks to sign an HTLC transaction of the peer's commitment.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdSignRemoteHtlcTx {
    /// The transaction.
    pub tx: BitcoinTx,
    /// The script of the HTLC output it spends.
    pub wscript: ScriptBuf,
    /// The peer's per-commitment point for that commitment.
    pub remote_per_commit_point: PublicKey,
    /// Whether the peer may add inputs and outputs.
    pub option_anchor_outputs: bool,
}

/// Asks to sign a closing transaction.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdSignMutualCloseTx {
    /// The transaction.
    pub tx: BitcoinTx,
    /// The peer's funding key.
    pub remote_funding_key: PublicKey,
}

/// Asks to sign a splice's spend of the funding output.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdSignSpliceTx {
    /// The transaction.
    pub tx: BitcoinTx,
    /// The peer's funding key.
    pub remote_funding_key: PublicKey,
    /// The input that spends it.
    pub input_index: u32,
}

/// Asks to sign the spend of a delayed output of our own commitment.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdSignDelayedPaymentToUs {
    /// The commitment's number.
    pub commit_num: CommitmentNumber,
    /// The spending transaction.
    pub tx: BitcoinTx,
    /// The output's script.
    pub wscript: ScriptBuf,
}

/// Asks to sign the spend of an HTLC output of the peer's commitment.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdSignRemoteHtlcToUs {
    /// The peer's point for it.
    pub remote_per_commitment_point: PublicKey,
    /// The spending transaction.
    pub tx: BitcoinTx,
    /// The output's script.
    pub wscript: ScriptBuf,
    /// Whether only one input and output are signed.
    pub option_anchor_outputs: bool,
}

/// Asks to sign the spend of an output of a commitment the peer had revoked.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdSignPenaltyToUs {
    /// The secret the peer revealed.
    pub revocation_secret: SecretKey,
    /// The spending transaction.
    pub tx: BitcoinTx,
    /// The output's script.
    pub wscript: ScriptBuf,
}
