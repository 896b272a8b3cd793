//! `sendpay`

use std::rc::Rc;

use ln_db::PaymentStatus;
use ln_onion::RouteHop;
use ln_rpc::RpcError;
use ln_rpc::methods::payments::sendpay::{Sendpay, SendpayParams, SendpayResponse};
use ln_types::{CltvExpiry, Msat};

use super::entry::response;
use super::errors::{failed, not_sent};
use crate::node::Node;
use crate::payments::{NewPart, SelfPayment, Sent, pay_ourselves, send_checked};
use crate::rpc::{Context, Handle};

impl Handle for Sendpay {
    async fn handle(
        node: Rc<Node>,
        _: Context,
        params: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        let (us, groupid) = (node.id(), params.groupid);
        let total = total(&params)?;
        let Some(first) = params.route.first() else {
            return to_ourselves(&node, params, total).await;
        };
        let first = (first.short_channel_id, first.node_id);
        let part = part(&node, params, total);
        match send_checked(&node, part, groupid).await {
            Ok(Sent::Pending(row) | Sent::Complete(row)) => Ok(response(row)),
            Err(error) => Err(not_sent(us, Some(first), error)),
        }
    }
}

/// An empty route leads to ourselves.
async fn to_ourselves(
    node: &Rc<Node>,
    params: SendpayParams,
    amount: Msat,
) -> Result<SendpayResponse, RpcError> {
    let payment = SelfPayment {
        payment_hash: params.payment_hash,
        amount,
        payment_secret: params.payment_secret,
        label: params.label,
        bolt11: params.bolt11.as_deref().map(ln_invoice::canonical),
        description: params.description,
        // Core Lightning asks nobody when a node sends to itself by an empty route.
        is_judged: false,
    };
    match pay_ourselves(node, payment, params.groupid).await {
        Ok(row) if row.status == PaymentStatus::Failed => Err(failed(node.id(), row)),
        Ok(row) => Ok(response(row)),
        Err(error) => Err(not_sent(node.id(), None, error)),
    }
}

/// What all parts bring.
fn total(params: &SendpayParams) -> Result<Msat, RpcError> {
    let refuse = |text: String| Err(RpcError::invalid_params(text));
    let in_parts = params.partid != 0;
    if in_parts && params.amount_msat.is_none() {
        return refuse("Must specify msatoshi with partid".to_owned());
    }
    let Some(arrives) = params.route.last().map(|hop| hop.amount_msat) else {
        return match params.amount_msat {
            None => refuse("Self-payment requires amount_msat".to_owned()),
            Some(_) if in_parts => {
                refuse("Self-payment does not allow (non-zero) partid".to_owned())
            }
            Some(amount) => Ok(amount),
        };
    };
    let total = params.amount_msat.unwrap_or(arrives);
    if !in_parts && total != arrives {
        return refuse(format!(
            "Do not specify msatoshi ({total}) without partid: if you do, it must be exactly the final amount ({arrives})"
        ));
    }
    if arrives > total {
        return refuse(format!(
            "Final amount {arrives} is greater than {total}, despite MPP"
        ));
    }
    if in_parts && params.payment_secret.is_none() {
        return refuse("partid requires payment_secret".to_owned());
    }
    Ok(total)
}

fn part(node: &Node, params: SendpayParams, total: Msat) -> NewPart {
    let base = super::first_expiry_base(node);
    let route = params.route.into_iter().map(|hop| RouteHop {
        node_id: hop.node_id.public_key(),
        short_channel_id: hop.short_channel_id,
        amount: hop.amount_msat,
        cltv_expiry: CltvExpiry(base.saturating_add(hop.delay)),
    });
    NewPart {
        payment_hash: params.payment_hash,
        partid: params.partid,
        groupid: 0,
        route: route.collect(),
        payment_secret: params.payment_secret,
        payment_metadata: params.payment_metadata.map(|metadata| metadata.0),
        total,
        label: params.label,
        bolt11: params.bolt11.as_deref().map(ln_invoice::canonical),
        description: params.description,
    }
}
