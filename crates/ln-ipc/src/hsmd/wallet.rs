//! What the wallet wants signed, and checks of its keys.

use super::{HsmUtxo, WirePsbt};
use bitcoin::ScriptBuf;
use bitcoin::secp256k1::PublicKey;
use ln_codec::{Decode, Encode};
use ln_types::NodeId;

/// Asks to sign the wallet's inputs of a transaction.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdSignWithdrawal {
    /// The coins that are ours.
    pub inputs: Vec<HsmUtxo>,
    /// The transaction.
    pub psbt: WirePsbt,
}

/// The transaction with our signatures.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdSignWithdrawalReply {
    /// The transaction.
    pub psbt: WirePsbt,
}

/// Asks for the p2wpkh script of a peer's commitment's output to us.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdGetOutputScriptpubkey {
    /// The channel's database id.
    pub channel_dbid: u64,
    /// The peer.
    pub peer_id: NodeId,
    /// Set for channels older than option_static_remotekey.
    pub commitment_point: Option<PublicKey>,
}

/// The script.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdGetOutputScriptpubkeyReply {
    /// p2wpkh.
    pub script: ScriptBuf,
}

/// Asks hsmd to derive the same wallet key as lightningd did.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdCheckPubkey {
    /// The key's index.
    pub index: u32,
    /// What lightningd got.
    pub pubkey: PublicKey,
}

/// The keys are equal.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdCheckPubkeyReply {
    /// Always true: else hsmd ends.
    pub ok: bool,
}

/// The same for a mnemonic's wallet.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdCheckBip86Pubkey {
    /// The key's index.
    pub index: u32,
    /// What lightningd got.
    pub pubkey: PublicKey,
}

/// The keys are equal.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdCheckBip86PubkeyReply {
    /// Always true: else hsmd ends.
    pub ok: bool,
}
