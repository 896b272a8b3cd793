//! `invoice`

use ln_types::{PaymentHash, PaymentPreimage, PaymentSecret, ShortChannelId};
use serde_json::Value;

use crate::RpcError;
use crate::methods::rpc_method;
use crate::params::{FromParam, Label, MsatOrAny, ParamEnv, Token, rpc_params};
use crate::shape::{Described, Shape, rpc_object};

rpc_method! {
    /// Makes an invoice that others can pay.
    ///
    /// The label names it for us and must be new; the description is what the payer reads. Without public channels the invoice
    /// carries hints how to reach us over private ones; a `warning_` member tells when it is unlikely that the payment arrives.
    pub struct Invoice = "invoice" (InvoiceParams) -> InvoiceResponse {
        category: Invoices,
        since: "",
    }
}

rpc_params! {
    /// The parameters of `invoice`.
    pub struct InvoiceParams {
        /// What is to be paid, or `any` to let the payer choose.
        amount_msat formerly "msatoshi": MsatOrAny,
        /// Our name for the invoice: no other invoice may have it.
        label: Label,
        /// What the payer is told.
        description: String,
        /// After how many seconds it can't be paid any more; a week if left out.
        expiry: u64 = 604_800_u64,
        /// On-chain addresses for payers that find no way.
        fallbacks: Option<Vec<String>>,
        /// The preimage, instead of a random one: must never be used twice.
        preimage: Option<PaymentPreimage>,
        /// Which private channels may be told: all, none, or these.
        exposeprivatechannels: Option<ExposePrivateChannels>,
        /// The least number of blocks between the end of the payment and our time to claim it.
        cltv: Option<u32>,
        /// Put only a hash of the description into the invoice.
        deschashonly: Option<bool>,
        /// Route hints to use as they are.
        dev_routes as "dev-routes": Option<Value>,
    }
}

rpc_object! {
    /// The answer to `invoice`.
    pub struct InvoiceResponse {
        /// The invoice to hand out.
        bolt11: String,
        /// What identifies the payment.
        payment_hash: PaymentHash,
        /// What only the payer knows, against probing.
        payment_secret: PaymentSecret,
        /// When it expires, in seconds since 1970.
        expires_at: u64,
        /// Its number in the order invoices were made.
        created_index: u64,
        /// Our channels can't receive that much, even if their peers are online.
        warning_capacity: Option<String>,
        /// The channels that could receive it are offline.
        warning_offline: Option<String>,
        /// The channels that could receive it lead to nodes that nobody else can reach.
        warning_deadends: Option<String>,
        /// Only private channels could receive it, and they were not to be told.
        warning_private_unused: Option<String>,
        /// The payment can only arrive in several parts.
        warning_mpp: Option<String>,
    }
}

/// Which private channels an invoice may name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExposePrivateChannels {
    /// None, even where no public channel can receive.
    Never,
    /// Any of them.
    All,
    /// These.
    Only(Vec<ShortChannelId>),
}

impl Described for ExposePrivateChannels {
    fn shape() -> Shape {
        let scid = Shape::Scalar("short_channel_id");
        Shape::OneOf(vec![
            Shape::Scalar("boolean"),
            Shape::Array(Box::new(scid.clone())),
            scid,
        ])
    }
}

impl FromParam for ExposePrivateChannels {
    fn from_param(name: &str, token: Token<'_>, env: ParamEnv) -> Result<Self, RpcError> {
        match token.raw() {
            "true" => return Ok(Self::All),
            "false" => return Ok(Self::Never),
            _ => {}
        }
        let Some(items) = token.array() else {
            return ShortChannelId::from_param(name, token, env).map(|scid| Self::Only(vec![scid]));
        };
        items
            .into_iter()
            .map(|item| {
                item.text()
                    .parse()
                    .map_err(|_| env.bad_token(name, item, "should be a short channel id"))
            })
            .collect::<Result<_, _>>()
            .map(Self::Only)
    }
}
