//! `decode`

use ln_types::{Features, Msat, NodeId, PaymentHash, PaymentSecret, ShortChannelId};

use crate::methods::rpc_method;
use crate::params::{Hex, rpc_params};
use crate::shape::{rpc_enum, rpc_object};

rpc_method! {
    /// Shows what is in an invoice and whether it is valid.
    pub struct Decode = "decode" (DecodeParams) -> DecodeResponse {
        category: Invoices,
        since: "v23.05",
    }
}

rpc_params! {
    /// The parameters of `decode`.
    pub struct DecodeParams {
        /// The invoice.
        string: String,
    }
}

rpc_object! {
    /// The answer to `decode`: the members that this kind of text has.
    pub struct DecodeResponse {
        /// What it is.
        kind as "type": DecodedType,
        /// Whether it can be used as it is.
        valid: bool,
        /// The prefix of the network: `bc`, `tb`, `bcrt`…
        currency: Option<String>,
        /// When it was made, in seconds since 1970.
        created_at: Option<u64>,
        /// After how many seconds it expires.
        expiry: Option<u64>,
        /// Who is to be paid.
        payee: Option<NodeId>,
        /// What is to be paid, unless the payer chooses.
        amount_msat: Option<Msat>,
        /// What identifies the payment.
        payment_hash: Option<PaymentHash>,
        /// The payee's signature, in DER.
        signature: Option<Hex>,
        /// What the payer reads.
        description: Option<String>,
        /// The hash of what the payer reads elsewhere.
        description_hash: Option<PaymentHash>,
        /// How many blocks the payee needs to claim.
        min_final_cltv_expiry: Option<u32>,
        /// What only the payer knows.
        payment_secret: Option<PaymentSecret>,
        /// The features paying it needs.
        features: Option<Features>,
        /// What the payer is to hand to the payee.
        payment_metadata: Option<Hex>,
        /// On-chain addresses.
        fallbacks: Option<Vec<FallbackEntry>>,
        /// Hints how to reach the payee.
        routes: Option<Vec<Vec<RouteHint>>>,
        /// Fields we don't know.
        extra: Option<Vec<UnknownField>>,
    }

    /// An on-chain address.
    pub struct FallbackEntry {
        /// What kind of address.
        kind as "type": FallbackType,
        /// The address.
        addr: Option<String>,
        /// Its script.
        hex: Hex,
    }

    /// One channel on the way to the payee.
    pub struct RouteHint {
        /// The node it begins at.
        pubkey: NodeId,
        /// The channel.
        short_channel_id: ShortChannelId,
        /// What that node takes for each payment.
        fee_base_msat: Msat,
        /// What it takes besides, in millionths of the amount.
        fee_proportional_millionths: u32,
        /// How many blocks it wants between the HTLCs.
        cltv_expiry_delta: u32,
    }

    /// A field we don't know.
    pub struct UnknownField {
        /// Its letter.
        tag: String,
        /// Its data in the letters of bech32.
        data: String,
    }
}

rpc_enum! {
    /// What can be decoded.
    pub enum DecodedType ("should be a type of text") {
        /// An offer.
        Bolt12Offer = "bolt12 offer",
        /// A BOLT 12 invoice.
        Bolt12Invoice = "bolt12 invoice",
        /// A request for an invoice.
        Bolt12InvoiceRequest = "bolt12 invoice_request",
        /// A BOLT 11 invoice.
        Bolt11Invoice = "bolt11 invoice",
        /// A permission to use this interface.
        Rune = "rune",
        /// The file for emergencies.
        EmergencyRecover = "emergency recover",
        /// A proof of payment.
        Bolt12PayerProof = "bolt12 payer_proof",
    }

    /// Kinds of on-chain addresses.
    pub enum FallbackType ("should be a type of address") {
        /// To the hash of a key.
        P2pkh = "P2PKH",
        /// To the hash of a script.
        P2sh = "P2SH",
        /// Segwit, to the hash of a key.
        P2wpkh = "P2WPKH",
        /// Segwit, to the hash of a script.
        P2wsh = "P2WSH",
        /// Taproot.
        P2tr = "P2TR",
    }
}
