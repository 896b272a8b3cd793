//! The ways that a payment is to take, or why there are none.

use ln_gossip::NodeKey;
use ln_invoice::RouteHint;
use ln_route::{Hint, Knowledge, MAX_HOPS, Network, NoRoute, Query, Route, Terms, spread};
use ln_rpc::methods::payments::pay::RouteExclusion;
use ln_rpc::{RpcError, RpcErrorCode};
use ln_types::Msat;

use super::channels::Own;
use super::request::Request;
use crate::node::Node;
use crate::rpc::internal;

/// The most parts at once.
const MAX_PARTS: usize = 32;

/// Ways for what is missing of a payment, for at most so much in fees.
pub(super) async fn ways(
    node: &Node,
    request: &Request,
    own: &Own,
    known: &Knowledge,
    (missing, max_fee): (Msat, Msat),
) -> Result<Vec<Route>, RpcError> {
    if request
        .exclude
        .contains(&RouteExclusion::Node(request.payee))
    {
        return Err(no_route("the payee itself is excluded"));
    }
    let query = Query {
        destination: request.payee.into(),
        amount: missing,
        final_delay: request.min_final_cltv_expiry,
        max_fee,
        max_delay: request.max_delay,
        max_hops: MAX_HOPS,
        risk: request.risk,
    };
    let parts = if request.in_parts { MAX_PARTS } else { 1 };
    let (source, known) = (node.id().into(), known.clone());
    let (usable, hints) = (own.usable.clone(), hints(request));
    let found = node.graph.search(move |graph| {
        let network = Network::new(graph, source)
            .with_own(usable)
            .with_hints(hints);
        spread(&network, &known, &query, parts)
    });
    found
        .await
        .map_err(internal)?
        .map_err(|reason| why_not(request, own, missing, reason))
}

/// What the caller does not want to be used.
pub(crate) fn unwanted(excluded: &[RouteExclusion]) -> Knowledge {
    let mut known = Knowledge::default();
    for excluded in excluded {
        match excluded {
            RouteExclusion::Channel(channel) => known.avoid_channel(*channel),
            RouteExclusion::Node(node) => known.avoid_node((*node).into()),
        }
    }
    known
}

/// What the invoice says of channels that lead to the payee.
fn hints(request: &Request) -> Vec<Hint> {
    let payee = NodeKey::from(request.payee);
    let all = request.hints.iter().flat_map(|hints| {
        let ends = hints.iter().skip(1).map(|hint| hint.node_id.into());
        let ends = ends.chain([payee]);
        hints.iter().zip(ends).map(|(hint, to)| Hint {
            from: hint.node_id.into(),
            to,
            channel: hint.short_channel_id,
            terms: terms(hint),
        })
    });
    all.collect()
}

fn terms(hint: &RouteHint) -> Terms {
    Terms {
        fee_base_msat: hint.fee_base_msat,
        fee_proportional_millionths: hint.fee_proportional_millionths,
        cltv_expiry_delta: hint.cltv_expiry_delta,
        htlc_minimum: Msat::ZERO,
        htlc_maximum: Msat::MAX,
        is_enabled: true,
    }
}

fn no_route(why: &str) -> RpcError {
    let text = format!("Could not find a route: {why}");
    RpcError::new(RpcErrorCode::PayRouteNotFound, text)
}

/// The reason that helps most.
fn why_not(request: &Request, own: &Own, needed: Msat, reason: NoRoute) -> RpcError {
    let payee = request.payee;
    let limit = match reason {
        NoRoute::Fee { .. } => Some("maxfee"),
        NoRoute::Delay { .. } => Some("maxdelay"),
        NoRoute::Unknown(_) | NoRoute::Apart(_) | NoRoute::Amount { .. } => None,
    };
    if let Some(limit) = limit {
        let text = format!("{reason}: raise {limit} if that is worth it to you");
        return RpcError::new(RpcErrorCode::PayRouteTooExpensive, text);
    }
    if let Some(why) = own.why_none_with(payee) {
        let text = format!("no channel with the payee is usable now: {why}; and {reason}");
        return no_route(&text);
    }
    if let Some(why) = own.why_none() {
        return no_route(&format!("{why}; and no channel with the payee {payee}"));
    }
    let is_about_amount = matches!(reason, NoRoute::Amount { .. });
    let spendable = own.spendable();
    no_route(&if !is_about_amount {
        format!("we have no channel with the payee, and {reason}")
    } else if spendable < needed {
        format!(
            "our channels can send {spendable} now (spendable_msat in listpeerchannels), {needed} are needed"
        )
    } else if request.in_parts {
        reason.to_string()
    } else {
        format!("{reason} in one part, and the invoice or disable-mpp allows only one")
    })
}
