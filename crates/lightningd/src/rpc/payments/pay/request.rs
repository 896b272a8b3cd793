//! What is to be paid, and within which limits.

use std::time::Duration;

use ln_invoice::{Expectations, canonical, decode};
use ln_rpc::methods::payments::pay::{PayParams, RouteExclusion};
use ln_rpc::{RpcError, RpcErrorCode};
use ln_types::{FeatureBit, Msat, NodeId, PaymentHash, PaymentSecret};
use tokio::time::Instant;

use crate::node::Node;

/// The most blocks that money may be locked if the caller does not say.
// BOLT 4 §`max_htlc_cltv` Selection: 2016 blocks.
const MAX_DELAY: u16 = 2016;

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
        if params.maxfee.is_some() && (params.maxfeepercent.is_some() || params.exemptfee.is_some())
        {
            return Err(RpcError::invalid_params(
                "If you specify maxfee, cannot specify maxfeepercent or exemptfee.",
            ));
        }
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
            in_parts: invoice.features.supports(FeatureBit::BasicMpp),
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

/// What the payee is to get: the invoice says it, or the caller.
fn total(asked: Option<Msat>, given: Option<Msat>) -> Result<Msat, RpcError> {
    match (asked, given) {
        (Some(_), Some(_)) => Err(RpcError::invalid_params("msatoshi parameter unnecessary")),
        (None, None) => Err(RpcError::invalid_params("msatoshi parameter required")),
        (Some(amount), None) | (None, Some(amount)) => Ok(amount),
    }
}
