//! What is to be paid, and within which limits.

use std::time::Duration;

use ln_invoice::{Expectations, RouteHint, canonical, decode};
use ln_route::Risk;
use ln_rpc::methods::payments::pay::{PayParams, RouteExclusion};
use ln_rpc::{RpcError, RpcErrorCode};
use ln_types::{FeatureBit, Msat, NodeId, PaymentHash, PaymentSecret};
use tokio::time::Instant;

use crate::node::Node;

/// The most blocks that money may be locked if the caller does not say.
// BOLT 4 §`max_htlc_cltv` Selection: 2016 blocks.
const MAX_DELAY: u16 = 2016;
/// What a year of delay weighs if the caller does not say, in percent of the amount.
const RISK_FACTOR: f64 = 10.0;
/// The most to pay in fees if the caller does not say, in percent of the amount.
const MAX_FEE_PERCENT: f64 = 0.5;
/// Fees that are always fine, if the caller does not say.
const EXEMPT_FEE: Msat = Msat::from_msat(5000);

/// What is to be paid, and within which limits.
#[derive(Debug, Clone)]
pub(super) struct Request {
    /// The invoice's text.
    pub(super) invoice: String,
    pub(super) payment_hash: PaymentHash,
    pub(super) payment_secret: PaymentSecret,
    pub(super) payment_metadata: Option<Vec<u8>>,
    pub(super) payee: NodeId,
    /// What the payee is to get from everybody.
    pub(super) total: Msat,
    /// What the payee is to get from us.
    pub(super) amount: Msat,
    /// When the invoice expires, in seconds since 1970.
    pub(super) expires_at: u64,
    pub(super) min_final_cltv_expiry: u32,
    /// Channels that lead to the payee, as it says.
    pub(super) hints: Vec<Vec<RouteHint>>,
    /// The most to pay in fees.
    pub(super) max_fee: Msat,
    /// The most blocks that money may be locked.
    pub(super) max_delay: u32,
    /// What they weigh against fees.
    pub(super) risk: Risk,
    /// Whether the payee puts parts together.
    pub(super) in_parts: bool,
    /// When to begin no new attempt.
    pub(super) deadline: Instant,
    pub(super) exclude: Vec<RouteExclusion>,
    pub(super) label: Option<String>,
    pub(super) description: Option<String>,
}

impl Request {
    /// Reads and checks the parameters.
    pub(super) fn read(node: &Node, params: PayParams) -> Result<Self, RpcError> {
        let text = canonical(&params.bolt11);
        let wanted = Expectations {
            features: Some(&node.features.invoice),
            description: params.description.as_deref(),
            network: Some(node.config.network),
        };
        let signed = decode(&text, &wanted)
            .map_err(|error| RpcError::invalid_params(format!("Invalid bolt11: {error}")))?;
        let (invoice, payee) = (signed.invoice, signed.payee);
        let total = total(invoice.amount, params.amount_msat)?;
        let amount = params.partial_msat.unwrap_or(total);
        if amount > total {
            return Err(RpcError::invalid_params(format!(
                "partial_msat must be less or equal to total amount {total}"
            )));
        }
        if amount == Msat::ZERO {
            return Err(RpcError::invalid_params("amount must be above 0msat"));
        }
        if params.partial_msat.is_some() && payee == node.id() {
            let text = "partial_msat not supported (yet?) for self-pay";
            return Err(RpcError::invalid_params(text));
        }
        let max_fee = max_fee(&params, amount)?;
        let risk = params.riskfactor.unwrap_or(RISK_FACTOR);
        let max_delay = params.maxdelay.unwrap_or(MAX_DELAY);
        if invoice.min_final_cltv_expiry > u32::from(max_delay) {
            let text = format!(
                "the payee wants {} blocks to take the payment, maxdelay allows {max_delay}",
                invoice.min_final_cltv_expiry
            );
            return Err(RpcError::new(RpcErrorCode::PayRouteTooExpensive, text));
        }
        Ok(Self {
            payment_hash: invoice.payment_hash,
            payment_secret: invoice.payment_secret,
            expires_at: invoice.expires_at(),
            min_final_cltv_expiry: invoice.min_final_cltv_expiry,
            hints: invoice
                .usable_routes(payee)
                .map(<[RouteHint]>::to_vec)
                .collect(),
            max_fee,
            max_delay: max_delay.into(),
            risk: Risk::percent_per_year(risk),
            in_parts: node.config.pays_in_parts && invoice.features.supports(FeatureBit::BasicMpp),
            payment_metadata: invoice.metadata,
            invoice: text,
            payee,
            total,
            amount,
            deadline: Instant::now() + Duration::from_secs(u64::from(params.retry_for)),
            exclude: params.exclude.unwrap_or_default(),
            label: params.label,
            description: params.description,
        })
    }
}

/// The most to pay in fees for an amount.
fn max_fee(params: &PayParams, amount: Msat) -> Result<Msat, RpcError> {
    match (params.maxfee, params.maxfeepercent, params.exemptfee) {
        (Some(most), None, None) => Ok(most),
        (Some(_), _, _) => Err(RpcError::invalid_params(
            "If you specify maxfee, cannot specify maxfeepercent or exemptfee.",
        )),
        (None, percent, exempt) => {
            let part = percent_of(amount, percent.unwrap_or(MAX_FEE_PERCENT));
            Ok(part.max(exempt.unwrap_or(EXEMPT_FEE)))
        }
    }
}

#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a float is cast to the nearest amount there is, and a limit need not be exact to the millisatoshi"
)]
fn percent_of(amount: Msat, percent: f64) -> Msat {
    Msat::from_msat((amount.as_msat() as f64 * percent / 100.0) as u64)
}

/// What the payee is to get: the invoice says it, or the caller.
fn total(asked: Option<Msat>, given: Option<Msat>) -> Result<Msat, RpcError> {
    match (asked, given) {
        (Some(_), Some(_)) => Err(RpcError::invalid_params("msatoshi parameter unnecessary")),
        (None, None) => Err(RpcError::invalid_params("msatoshi parameter required")),
        (Some(amount), None) | (None, Some(amount)) => Ok(amount),
    }
}
