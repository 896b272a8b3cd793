//! Closing: BOLT 2 §Closing Initiation: `shutdown`, §Closing Negotiation: `closing_complete` and `closing_sig`, §Legacy Closing
//! Negotiation: `closing_signed`.

use bitcoin::secp256k1::ecdsa;
use bitcoin::{ScriptBuf, Txid};
use ln_codec::{Decode, Encode, Tlv};
use ln_types::{ChannelId, Sat};

/// Starts a mutual close: no HTLC is added any more.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Shutdown {
    /// The channel.
    pub channel_id: ChannelId,
    /// Where the sender wants its coins.
    pub scriptpubkey: ScriptBuf,
    /// Optional records.
    pub tlvs: ShutdownTlvs,
}

/// Records of [`Shutdown`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Tlv)]
pub struct ShutdownTlvs {
    /// Core Lightning's extension: the funding output that was paid by mistake instead of the agreed one.
    #[tlv(100)]
    pub wrong_funding: Option<WrongFunding>,
}

/// The funding output that was paid by mistake.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct WrongFunding {
    /// The transaction.
    pub txid: Txid,
    /// Its output.
    pub outnum: u32,
}

/// The closer's offer of closing transactions.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ClosingComplete {
    /// The channel.
    pub channel_id: ChannelId,
    /// Where the sender of this message wants its coins.
    pub closer_scriptpubkey: ScriptBuf,
    /// Where the other side wants its coins.
    pub closee_scriptpubkey: ScriptBuf,
    /// The fee, paid by the closer.
    pub fee_satoshis: Sat,
    /// The transaction's `nLockTime`.
    pub locktime: u32,
    /// The signatures.
    pub tlvs: ClosingTlvs,
}

/// The closee's answer to [`ClosingComplete`].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ClosingSig {
    /// The channel.
    pub channel_id: ChannelId,
    /// As in the offer.
    pub closer_scriptpubkey: ScriptBuf,
    /// As in the offer.
    pub closee_scriptpubkey: ScriptBuf,
    /// As in the offer.
    pub fee_satoshis: Sat,
    /// As in the offer.
    pub locktime: u32,
    /// The signature of the chosen transaction.
    pub tlvs: ClosingTlvs,
}

/// Records of [`ClosingComplete`] and [`ClosingSig`]: signatures of up to three variants of the transaction.
#[derive(Debug, Clone, PartialEq, Eq, Default, Tlv)]
pub struct ClosingTlvs {
    /// Of the transaction that pays the closer alone.
    #[tlv(1)]
    pub closer_output_only: Option<ecdsa::Signature>,
    /// Of the transaction that pays the closee alone.
    #[tlv(2)]
    pub closee_output_only: Option<ecdsa::Signature>,
    /// Of the transaction that pays both.
    #[tlv(3)]
    pub closer_and_closee_outputs: Option<ecdsa::Signature>,
}

/// One step of the legacy fee negotiation.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ClosingSigned {
    /// The channel.
    pub channel_id: ChannelId,
    /// The proposed fee.
    pub fee_satoshis: Sat,
    /// Of the closing transaction with that fee.
    pub signature: ecdsa::Signature,
    /// Optional records.
    pub tlvs: ClosingSignedTlvs,
}

/// Records of [`ClosingSigned`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Tlv)]
pub struct ClosingSignedTlvs {
    /// What the sender would accept.
    #[tlv(1)]
    pub fee_range: Option<FeeRange>,
}

/// Fees that a side of the legacy negotiation accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct FeeRange {
    /// The least.
    pub min_fee_satoshis: Sat,
    /// The most.
    pub max_fee_satoshis: Sat,
}
