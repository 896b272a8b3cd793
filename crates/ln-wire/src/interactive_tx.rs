//! Building a transaction together: BOLT 2 §Interactive Transaction Construction.

use bitcoin::secp256k1::ecdsa;
use bitcoin::{ScriptBuf, Txid, Witness};
use ln_codec::{Decode, Encode, Tlv};
use ln_types::{ChannelId, Feerate, Sat, SignedSat};

/// Adds an input.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct TxAddInput {
    /// The channel.
    pub channel_id: ChannelId,
    /// The sender's number for the input: even from the initiator.
    pub serial_id: u64,
    /// The transaction that has the spent output, whole; empty for the shared input of a splice.
    pub prevtx: Vec<u8>,
    /// The spent output.
    pub prevtx_vout: u32,
    /// The input's `nSequence`.
    pub sequence: u32,
    /// Optional records.
    pub tlvs: TxAddInputTlvs,
}

/// Records of [`TxAddInput`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Tlv)]
pub struct TxAddInputTlvs {
    /// The current funding transaction, in a splice.
    #[tlv(0)]
    pub shared_input_txid: Option<Txid>,
}

/// Adds an output.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[codec(extensible)]
pub struct TxAddOutput {
    /// The channel.
    pub channel_id: ChannelId,
    /// The sender's number for the output.
    pub serial_id: u64,
    /// Its amount.
    pub sats: Sat,
    /// Its `scriptPubKey`.
    pub script: ScriptBuf,
}

/// Takes an input back.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[codec(extensible)]
pub struct TxRemoveInput {
    /// The channel.
    pub channel_id: ChannelId,
    /// The input's number.
    pub serial_id: u64,
}

/// Takes an output back.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[codec(extensible)]
pub struct TxRemoveOutput {
    /// The channel.
    pub channel_id: ChannelId,
    /// The output's number.
    pub serial_id: u64,
}

/// The sender has nothing to add.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[codec(extensible)]
pub struct TxComplete {
    /// The channel.
    pub channel_id: ChannelId,
}

/// The sender's signatures.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct TxSignatures {
    /// The channel.
    pub channel_id: ChannelId,
    /// The finished transaction.
    pub txid: Txid,
    /// Witnesses of the sender's inputs, by `serial_id`.
    pub witnesses: Vec<Witness>,
    /// Optional records.
    pub tlvs: TxSignaturesTlvs,
}

/// Records of [`TxSignatures`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Tlv)]
pub struct TxSignaturesTlvs {
    /// For the shared input of a splice.
    #[tlv(0)]
    pub shared_input_signature: Option<ecdsa::Signature>,
}

/// Asks to replace the transaction with one of a higher feerate.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct TxInitRbf {
    /// The channel.
    pub channel_id: ChannelId,
    /// The new transaction's `nLockTime`.
    pub locktime: u32,
    /// Its feerate.
    pub feerate: Feerate,
    /// Optional records.
    pub tlvs: TxInitRbfTlvs,
}

/// Records of [`TxInitRbf`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Tlv)]
pub struct TxInitRbfTlvs {
    /// What the sender adds to the funding output.
    #[tlv(0)]
    pub funding_output_contribution: Option<SignedSat>,
    /// Whether the receiver may use confirmed inputs only.
    #[tlv(2, flag)]
    pub require_confirmed_inputs: bool,
}

/// Agrees to a replacement.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct TxAckRbf {
    /// The channel.
    pub channel_id: ChannelId,
    /// Optional records.
    pub tlvs: TxAckRbfTlvs,
}

/// Records of [`TxAckRbf`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Tlv)]
pub struct TxAckRbfTlvs {
    /// What the sender adds to the funding output.
    #[tlv(0)]
    pub funding_output_contribution: Option<SignedSat>,
    /// Whether the receiver may use confirmed inputs only.
    #[tlv(2, flag)]
    pub require_confirmed_inputs: bool,
}

/// Gives up the transaction under construction.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[codec(extensible)]
pub struct TxAbort {
    /// The channel.
    pub channel_id: ChannelId,
    /// Why, for people.
    pub data: Vec<u8>,
}
