//! What the node's key signs, and what it is asked about.

use super::{RecoverableSignature, Secret};
use bitcoin::hashes::sha256;
use bitcoin::secp256k1::{PublicKey, ecdsa, schnorr};
use ln_codec::{Decode, Encode, WireString};
use ln_types::{BlockHeight, Msat, NodeId, PaymentHash};

/// Asks for the secret the node's key shares with a point.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdEcdhReq {
    /// The point.
    pub point: PublicKey,
}

/// The shared secret: SHA256 of the product.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdEcdhResp {
    /// The secret.
    pub ss: Secret,
}

/// A channel daemon wants its `channel_announcement` signed.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdCannouncementSigReq {
    /// The message, with room for the signatures.
    pub ca: Vec<u8>,
}

/// The two signatures.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdCannouncementSigReply {
    /// By the node's key.
    pub node_signature: ecdsa::Signature,
    /// By the funding key.
    pub bitcoin_signature: ecdsa::Signature,
}

/// lightningd wants some channel's `channel_announcement` signed.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdSignAnyCannouncementReq {
    /// The message, with room for the signatures.
    pub ca: Vec<u8>,
    /// The peer.
    pub peer_id: NodeId,
    /// The channel's database id.
    pub channel_dbid: u64,
}

/// The two signatures.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdSignAnyCannouncementReply {
    /// By the node's key.
    pub node_signature: ecdsa::Signature,
    /// By the funding key.
    pub bitcoin_signature: ecdsa::Signature,
}

/// Asks for a signed `channel_update`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdCupdateSigReq {
    /// The message, with room for the signature.
    pub cu: Vec<u8>,
}

/// The `channel_update` with its signature.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdCupdateSigReply {
    /// The message.
    pub cu: Vec<u8>,
}

/// Asks to sign our `node_announcement`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdNodeAnnouncementSigReq {
    /// The message, with room for the signature.
    pub announcement: Vec<u8>,
}

/// The signature.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdNodeAnnouncementSigReply {
    /// By the node's key.
    pub signature: ecdsa::Signature,
}

/// Asks to sign a BOLT 11 invoice.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdSignInvoice {
    /// The data part, one five-bit group per byte.
    pub u5bytes: Vec<u8>,
    /// The human-readable part.
    pub hrp: Vec<u8>,
}

/// The signature.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdSignInvoiceReply {
    /// By the node's key.
    pub sig: RecoverableSignature,
}

/// Asks whether an invoice may be paid.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdPreapproveInvoice {
    /// The invoice.
    pub invstring: WireString,
}

/// Whether it may.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdPreapproveInvoiceReply {
    /// It may.
    pub approved: bool,
}

/// Asks whether a payment without invoice may be made.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdPreapproveKeysend {
    /// To whom.
    pub destination: NodeId,
    /// Its hash.
    pub payment_hash: PaymentHash,
    /// How much.
    pub amount_msat: Msat,
}

/// Whether it may.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdPreapproveKeysendReply {
    /// It may.
    pub approved: bool,
}

/// Asks whether an invoice may be paid.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdPreapproveInvoiceCheck {
    /// The invoice.
    pub invstring: WireString,
    /// Only asking: it will not be paid now.
    pub check_only: bool,
}

/// Whether it may.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdPreapproveInvoiceCheckReply {
    /// It may.
    pub approved: bool,
}

/// Asks whether a payment without invoice may be made.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdPreapproveKeysendCheck {
    /// To whom.
    pub destination: NodeId,
    /// Its hash.
    pub payment_hash: PaymentHash,
    /// How much.
    pub amount_msat: Msat,
    /// Only asking: it will not be made now.
    pub check_only: bool,
}

/// Whether it may.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdPreapproveKeysendCheckReply {
    /// It may.
    pub approved: bool,
}

/// `signmessage`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdSignMessage {
    /// The text.
    pub msg: Vec<u8>,
}

/// The signature.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdSignMessageReply {
    /// By the node's key.
    pub sig: RecoverableSignature,
}

/// `signmessagewithkey`: signs a text by an address's key.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdBip137SignMessage {
    /// The text.
    pub msg: Vec<u8>,
    /// The address's index.
    pub key_index: u32,
}

/// The signature.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdBip137SignMessageReply {
    /// By the address's key.
    pub sig: RecoverableSignature,
}

/// Asks to sign a BOLT 12 message, the old way.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdSignBolt12 {
    /// Its name.
    pub messagename: WireString,
    /// The signature field's name.
    pub fieldname: WireString,
    /// The root of its fields.
    pub merkleroot: sha256::Hash,
    /// If not empty, sign by the old payer key with this tweak.
    pub publictweak: Vec<u8>,
}

/// The signature.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdSignBolt12Reply {
    /// By the key asked for.
    pub sig: schnorr::Signature,
}

/// Asks to sign a BOLT 12 message (`hsmd_sign_bolt12_2`).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdSignBolt12Two {
    /// Its name.
    pub messagename: WireString,
    /// The signature field's name.
    pub fieldname: WireString,
    /// The root of its fields.
    pub merkleroot: sha256::Hash,
    /// Name of the derived secret that goes into the tweak.
    pub info: Vec<u8>,
    /// If not empty, sign by the node key tweaked by the derived secret and this.
    pub publictweak: Vec<u8>,
}

/// The signature.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdSignBolt12TwoReply {
    /// By the key asked for.
    pub sig: schnorr::Signature,
}

/// Asks to sign the terms of a liquidity lease.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdSignOptionWillFundOffer {
    /// The opener's funding key.
    pub funding_pubkey: PublicKey,
    /// When the lease ends.
    pub blockheight: BlockHeight,
    /// The most we will charge to forward, fixed part.
    pub channel_fee_base_max_msat: u32,
    /// The same, proportional part, in thousandths.
    pub channel_fee_proportional_basis_max: u16,
}

/// The signature.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdSignOptionWillFundOfferReply {
    /// By the node's key.
    pub rsig: ecdsa::Signature,
}

/// `makesecret`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdDeriveSecret {
    /// The secret's name.
    pub info: Vec<u8>,
}

/// The secret.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HsmdDeriveSecretReply {
    /// 32 bytes.
    pub secret: Secret,
}
