//! `preapproveinvoice`

use std::rc::Rc;

use ln_codec::WireString;
use ln_invoice::canonical;
use ln_ipc::hsmd::{HsmdPreapproveInvoice, HsmdPreapproveInvoiceCheck};
use ln_rpc::methods::Nothing;
use ln_rpc::methods::payments::preapproveinvoice::Preapproveinvoice;
use ln_rpc::{RpcError, RpcErrorCode};

use crate::hsm::hsm_reply;
use crate::node::Node;
use crate::rpc::{Context, Handle, internal};

impl Handle for Preapproveinvoice {
    async fn handle(
        node: Rc<Node>,
        _: Context,
        params: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        preapprove(&node, &canonical(&params.bolt11)).await?;
        Ok(Nothing {})
    }

    async fn check(node: Rc<Node>, _: Context, params: Self::Params) -> Result<(), RpcError> {
        judge(ask(&node, &canonical(&params.bolt11), true).await)
    }
}

/// Asks the signer whether it will let us pay an invoice.
pub(super) async fn preapprove(node: &Node, invoice: &str) -> Result<(), RpcError> {
    judge(ask(node, invoice, false).await)
}

fn judge(approved: anyhow::Result<bool>) -> Result<(), RpcError> {
    if !approved.map_err(internal)? {
        let code = RpcErrorCode::PayInvoicePreapprovalDeclined;
        return Err(RpcError::new(code, "invoice was declined"));
    }
    Ok(())
}

/// `check_only` says that nothing will be paid. An old signer can't be asked then.
async fn ask(node: &Node, invoice: &str, check_only: bool) -> anyhow::Result<bool> {
    let invstring = WireString(invoice.to_owned());
    if node.hsm.identity.checks_approval {
        let request = HsmdPreapproveInvoiceCheck {
            invstring,
            check_only,
        };
        let reply = hsm_reply!(node.hsm.request(request).await, PreapproveInvoiceCheckReply)?;
        return Ok(reply.approved);
    }
    if check_only {
        let text = "hsmd too old to check preapprove";
        node.log.debug(&node.origin, text);
        return Ok(true);
    }
    let request = HsmdPreapproveInvoice { invstring };
    let reply = hsm_reply!(node.hsm.request(request).await, PreapproveInvoiceReply)?;
    Ok(reply.approved)
}
