//! `sendpay`

use ln_types::{
    Msat, NodeId, PaymentHash, PaymentPreimage, PaymentSecret, ShortChannelId, ShortChannelIdDir,
};

use crate::RpcError;
use crate::methods::rpc_method;
use crate::params::{FromParam, Hex, ParamEnv, Secret32, Token, rpc_params};
use crate::shape::{Described, Shape, rpc_enum, rpc_object};

rpc_method! {
    /// Sends one part of a payment by a given route and answers once it is under way.
    ///
    /// `waitsendpay` waits for what becomes of it.
    pub struct Sendpay = "sendpay" (SendpayParams) -> SendpayResponse {
        category: Payments,
        since: "",
    }
}

rpc_params! {
    /// The parameters of `sendpay`.
    pub struct SendpayParams {
        /// The hops, from our peer to the destination.
        route: Vec<RouteHop>,
        /// What identifies the payment.
        payment_hash: PaymentHash,
        /// Our name for it.
        label: Option<String>,
        /// What the destination gets from all parts.
        amount_msat formerly "msatoshi": Option<Msat>,
        /// The invoice, to be kept with the payment.
        bolt11: Option<String>,
        /// The secret of the invoice.
        payment_secret: Option<PaymentSecret>,
        /// The part's number; others than 0 only in payments of several parts.
        partid: u64 = 0_u64,
        /// The invoice request this is for.
        localinvreqid: Option<Secret32>,
        /// The attempt it belongs to; a new one if left out.
        groupid: Option<u64>,
        /// What the invoice has for the payee.
        payment_metadata: Option<Hex>,
        /// The description, if the invoice has only its hash.
        description: Option<String>,
        /// Use the oldest form of payloads.
        dev_legacy_hop: Option<bool>,
    }
}

rpc_object! {
    /// The answer to `sendpay` and `waitsendpay`.
    pub struct SendpayResponse {
        /// Its number in the order parts were made.
        created_index: u64,
        /// Its number in the order parts changed.
        updated_index: Option<u64>,
        /// The same as `created_index`, as older versions said it.
        id: u64,
        /// The attempt it belongs to.
        groupid: Option<u64>,
        /// What identifies the payment.
        payment_hash: PaymentHash,
        /// How it stands.
        status: PaymentStatus,
        /// What the destination gets.
        amount_msat: Option<Msat>,
        /// Who gets it.
        destination: Option<NodeId>,
        /// When it was made, in seconds since 1970.
        created_at: u64,
        /// When it ended, in seconds since 1970.
        completed_at: Option<u64>,
        /// What it costs us with fees.
        amount_sent_msat: Msat,
        /// Our name for it.
        label: Option<String>,
        /// The part's number.
        partid: Option<u64>,
        /// The BOLT 11 invoice.
        bolt11: Option<String>,
        /// The BOLT 12 invoice.
        bolt12: Option<String>,
        /// What to do next, for people.
        message: Option<String>,
        /// The proof of payment.
        payment_preimage: Option<PaymentPreimage>,
    }
}

rpc_enum! {
    /// How a payment stands.
    pub enum PaymentStatus ("should be an invoice status") {
        /// Under way.
        Pending = "pending",
        /// It failed.
        Failed = "failed",
        /// It succeeded.
        Complete = "complete",
    }
}

/// One hop of a route, as `getroutes` or as older route finders name its members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RouteHop {
    /// The channel to take.
    pub short_channel_id: ShortChannelId,
    /// The node it leads to.
    pub node_id: NodeId,
    /// What that node gets.
    pub amount_msat: Msat,
    /// The blocks left at that node, counted from now.
    pub delay: u32,
}

impl Described for RouteHop {
    fn shape() -> Shape {
        Shape::Map(Box::new(Shape::Any))
    }
}

impl FromParam for RouteHop {
    fn from_param(name: &str, token: Token<'_>, env: ParamEnv) -> Result<Self, RpcError> {
        let either = |new: &str, old: &str| {
            token
                .member(new)
                .or_else(|| token.member(old))
                .ok_or_else(|| {
                    env.bad_token(name, token, &format!("must have either {new} or {old}"))
                })
        };
        let channel = either("short_channel_id_dir", "channel")?;
        let text = channel.text();
        let short_channel_id = text
            .parse::<ShortChannelIdDir>()
            .map(|directed| directed.scid)
            .or_else(|_| text.parse())
            .map_err(|_| env.bad_token(name, channel, "bad short_channel_id"))?;
        let node = either("node_id_out", "id")?;
        let amount = either("amount_out_msat", "amount_msat")?;
        let delay = either("cltv_out", "delay")?;
        let bad = |token: Token<'_>, what: &str| env.bad_token(name, token, what);
        Ok(Self {
            short_channel_id,
            node_id: NodeId::from_param(name, node, env).map_err(|_| bad(node, "bad node_id"))?,
            amount_msat: Msat::from_param(name, amount, env)
                .map_err(|_| bad(amount, "bad amount"))?,
            delay: u32::from_param(name, delay, env)
                .map_err(|_| bad(delay, "bad cltv_out/delay"))?,
        })
    }

    fn not_an_array(name: &str, token: Token<'_>, env: ParamEnv) -> RpcError {
        env.bad_token(name, token, "must be an array")
    }
}
