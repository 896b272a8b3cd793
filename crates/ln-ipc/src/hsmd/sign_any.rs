//! What lightningd wants signed for any channel, on onchaind's behalf.

use super::{BitcoinTx, HsmUtxo, WirePsbt};
use bitcoin::ScriptBuf;
use bitcoin::secp256k1::{PublicKey, SecretKey};
use ln_codec::{Decode, Encode};
use ln_types::{CommitmentNumber, NodeId};

/// A delayed output of our own commitment.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdSignAnyDelayedPaymentToUs {
    /// The commitment's number.
    pub commit_num: CommitmentNumber,
    /// The spending transaction.
    pub tx: BitcoinTx,
    /// The output's script.
    pub wscript: ScriptBuf,
    /// The input that spends it.
    pub input: u32,
    /// The peer.
    pub peer_id: NodeId,
    /// The channel's database id.
    pub channel_dbid: u64,
}

/// An HTLC output of the peer's commitment.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdSignAnyRemoteHtlcToUs {
    /// The peer's point for it.
    pub remote_per_commitment_point: PublicKey,
    /// The spending transaction.
    pub tx: BitcoinTx,
    /// The output's script.
    pub wscript: ScriptBuf,
    /// Whether only one input and output are signed.
    pub option_anchor_outputs: bool,
    /// The input that spends it.
    pub input: u32,
    /// The peer.
    pub peer_id: NodeId,
    /// The channel's database id.
    pub channel_dbid: u64,
}

/// An output of a commitment the peer had revoked.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdSignAnyPenaltyToUs {
    /// The secret the peer revealed.
    pub revocation_secret: SecretKey,
    /// The spending transaction.
    pub tx: BitcoinTx,
    /// The output's script.
    pub wscript: ScriptBuf,
    /// The input that spends it.
    pub input: u32,
    /// The peer.
    pub peer_id: NodeId,
    /// The channel's database id.
    pub channel_dbid: u64,
}

/// An HTLC output of our own commitment.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdSignAnyLocalHtlcTx {
    /// The commitment's number.
    pub commit_num: CommitmentNumber,
    /// The HTLC transaction.
    pub tx: BitcoinTx,
    /// The output's script.
    pub wscript: ScriptBuf,
    /// Whether only one input and output are signed.
    pub option_anchor_outputs: bool,
    /// The input that spends it.
    pub input: u32,
    /// The peer.
    pub peer_id: NodeId,
    /// The channel's database id.
    pub channel_dbid: u64,
}

/// The spend of an anchor, with coins of the wallet's that pay the fee.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdSignAnchorspend {
    /// The peer.
    pub peer_id: NodeId,
    /// The channel's database id.
    pub channel_dbid: u64,
    /// The wallet's coins.
    pub inputs: Vec<HsmUtxo>,
    /// The transaction.
    pub psbt: WirePsbt,
}

/// The transaction with our signatures.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdSignAnchorspendReply {
    /// The transaction.
    pub psbt: WirePsbt,
}

/// An HTLC transaction already signed, to which coins of the wallet's were added.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdSignHtlcTxMingle {
    /// The peer.
    pub peer_id: NodeId,
    /// The channel's database id.
    pub channel_dbid: u64,
    /// The wallet's coins.
    pub inputs: Vec<HsmUtxo>,
    /// The transaction.
    pub psbt: WirePsbt,
}

/// The transaction with our signatures.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdSignHtlcTxMingleReply {
    /// The transaction.
    pub psbt: WirePsbt,
}
