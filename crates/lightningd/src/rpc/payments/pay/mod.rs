//! `pay`
//!
//! [`request`] is what is asked for, [`channels`] what we have to send it by, [`ways`] finds how it gets to the payee in one part or several,
//! [`run`] sends the parts and waits for them, [`learn`] draws its conclusions from those that fail, [`answer`] tells what came of it.

mod answer;
mod channels;
mod learn;
mod request;
mod run;
mod ways;

pub(crate) use channels::Own;
pub(crate) use ways::unwanted;

use std::cell::Cell;
use std::rc::Rc;

use ln_rpc::RpcError;
use ln_rpc::methods::payments::pay::{Pay, PayParams, PayResponse};
use tokio::sync::watch;

use super::preapproveinvoice::preapprove;
use crate::node::Node;
use crate::payments::Paying;
use crate::rpc::{Context, Handle, internal};
use request::Request;

impl Handle for Pay {
    async fn handle(
        node: Rc<Node>,
        _: Context,
        params: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        pay_invoice(&node, params).await
    }
}

/// Pays an invoice within the limits that are given.
pub(super) async fn pay_invoice(
    node: &Rc<Node>,
    params: PayParams,
) -> Result<PayResponse, RpcError> {
    let request = Request::read(node, params)?;
    preapprove(node, &request.invoice).await?;
    let mut answer = join(node, request).answer;
    let answer = answer.wait_for(Option::is_some).await.map_err(internal)?;
    answer
        .clone()
        .unwrap_or_else(|| Err(internal("pay gave no answer")))
}

/// Pays, or joins those who wait for the very same payment: one hash is paid by one task.
fn join(node: &Rc<Node>, request: Request) -> Paying {
    let hash = request.payment_hash;
    let mut all = node.payments.paying.borrow_mut();
    let alive = |paying: &&Paying| paying.answer.has_changed().is_ok();
    if let Some(paying) = all.get(&hash).filter(alive) {
        return paying.clone();
    }
    let (sender, answer) = watch::channel(None);
    let groupid = Rc::new(Cell::new(0));
    let paying = Paying { answer, groupid };
    all.insert(hash, paying.clone());
    drop(all);
    let (node, groupid) = (Rc::clone(node), Rc::clone(&paying.groupid));
    tokio::task::spawn_local(async move {
        let answer = run::pay(&node, &request, &groupid).await;
        node.payments.paying.borrow_mut().remove(&hash);
        sender.send_replace(Some(answer));
    });
    paying
}
