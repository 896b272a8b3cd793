//! `preapproveinvoice`

use std::rc::Rc;

use ln_codec::WireString;
use ln_invoice::canonical;
use ln_ipc::hsmd::HsmdPreapproveInvoiceCheck;
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
}

/// Asks the signer whether it will let us pay an invoice.
pub(super) async fn preapprove(node: &Node, invoice: &str) -> Result<(), RpcError> {
    let request = HsmdPreapproveInvoiceCheck {
        invstring: WireString(invoice.to_owned()),
        check_only: false,
    };
    if !ask(node, request).await.map_err(internal)? {
        let code = RpcErrorCode::PayInvoicePreapprovalDeclined;
        return Err(RpcError::new(code, "invoice was declined"));
    }
    Ok(())
}

async fn ask(node: &Node, request: HsmdPreapproveInvoiceCheck) -> anyhow::Result<bool> {
    let reply = hsm_reply!(node.hsm.request(request).await, PreapproveInvoiceCheckReply)?;
    Ok(reply.approved)
}
