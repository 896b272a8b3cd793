//! `pay`

use ln_types::{Msat, NodeId, PaymentHash, PaymentPreimage, ShortChannelIdDir};

use crate::RpcError;
use crate::methods::payments::sendpay::PaymentStatus;
use crate::methods::rpc_method;
use crate::params::{FromParam, ParamEnv, Secret32, Token, rpc_params};
use crate::shape::{Described, Shape, rpc_object};

rpc_method! {
    /// Pays an invoice, in as many parts and attempts as it takes.
    pub struct Pay = "pay" (PayParams) -> PayResponse {
        category: Payments,
        since: "",
        deprecated: "v26.06" .. "v27.03",
    }
}

rpc_params! {
    /// The parameters of `pay`.
    pub struct PayParams {
        /// The invoice.
        bolt11 | "invstring": String,
        /// What to pay, if the invoice leaves it to the payer.
        amount_msat formerly "msatoshi": Option<Msat>,
        /// Our name for it.
        label: Option<String>,
        /// How much a block of delay weighs against fees; 10 if left out.
        riskfactor: Option<f64>,
        /// The most to pay in fees, in percent of the amount; 0.5 if left out.
        maxfeepercent: Option<f64>,
        /// For how many seconds to begin new attempts.
        retry_for: u16 = 60_u16,
        /// The most blocks the money may be locked.
        maxdelay: Option<u16>,
        /// Fees below this are always fine.
        exemptfee: Option<Msat>,
        /// The invoice request this is for.
        localinvreqid: Option<Secret32>,
        /// Channels and nodes to avoid.
        exclude: Option<Vec<RouteExclusion>>,
        /// The most to pay in fees; not together with `maxfeepercent` or `exemptfee`.
        maxfee: Option<Msat>,
        /// The description, if the invoice has only its hash.
        description: Option<String>,
        /// Pay only so much, as others pay the rest.
        partial_msat: Option<Msat>,
        /// Whether to hide the destination by asking for more delay than needed.
        dev_use_shadow: Option<bool>,
    }
}

rpc_object! {
    /// The answer to `pay`.
    pub struct PayResponse {
        /// The proof of payment.
        payment_preimage: PaymentPreimage,
        /// Who was paid.
        destination: Option<NodeId>,
        /// What identifies the payment.
        payment_hash: PaymentHash,
        /// When it began, in seconds since 1970.
        created_at: f64,
        /// In how many parts.
        parts: u32,
        /// What the destination got.
        amount_msat: Msat,
        /// What it cost us with fees.
        amount_sent_msat: Msat,
        /// Not all parts have ended yet.
        warning_partial_completion: Option<String>,
        /// That it succeeded.
        status: PaymentStatus,
    }
}

/// Something that a route must not use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RouteExclusion {
    /// One direction of a channel.
    Channel(ShortChannelIdDir),
    /// A node.
    Node(NodeId),
}

impl Described for RouteExclusion {
    fn shape() -> Shape {
        Shape::OneOf(vec![ShortChannelIdDir::shape(), NodeId::shape()])
    }
}

impl FromParam for RouteExclusion {
    fn from_param(_name: &str, token: Token<'_>, env: ParamEnv) -> Result<Self, RpcError> {
        let text = token.text();
        text.parse()
            .map(Self::Channel)
            .or_else(|_| text.parse().map(Self::Node))
            .map_err(|_| {
                env.bad_token(
                    "exclude",
                    token,
                    "should be short_channel_id_dir or node_id",
                )
            })
    }
}
