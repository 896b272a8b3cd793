//! `wait`

use std::rc::Rc;

use ln_db::{ForwardFilter, MoveAmount, Page, PageIndex, PaymentRow, PaymentStatus as Kept};
use ln_rpc::RpcError;
use ln_rpc::deprecated::WAIT_DETAILS;
use ln_rpc::methods::control::wait::{
    Wait, WaitForward, WaitIndex, WaitInvoice, WaitMove, WaitParams, WaitResponse, WaitSendpay,
    WaitSubsystem,
};
use ln_rpc::methods::payments::sendpay::PaymentStatus;

use crate::node::Node;
use crate::rpc::invoices::changed;
use crate::rpc::shown_forward_status;
use crate::rpc::{Context, Handle, internal};

impl Handle for Wait {
    async fn handle(
        node: Rc<Node>,
        context: Context,
        params: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        let mut changes = node.rpc.watch_indexes();
        let present = index(&node, &params).await?;
        if present >= params.nextvalue {
            return Ok(response(&params, present));
        }
        while index(&node, &params).await? < params.nextvalue {
            changes.changed().await.map_err(internal)?;
        }
        let mut response = response(&params, params.nextvalue);
        match params.subsystem {
            WaitSubsystem::Invoices => {
                response.invoices = invoice(&node, &params).await?;
                let old = context.env.allows(WAIT_DETAILS);
                response.details = response.invoices.clone().filter(|_| old);
            }
            WaitSubsystem::Sendpays => response.sendpays = sendpay(&node, &params).await?,
            WaitSubsystem::Chainmoves => response.chainmoves = chain_move(&node, &params).await?,
            WaitSubsystem::Channelmoves => {
                response.channelmoves = channel_move(&node, &params).await?;
            }
            WaitSubsystem::Forwards => response.forwards = forward(&node, &params).await?,
            WaitSubsystem::Htlcs | WaitSubsystem::Networkevents => {}
        }
        Ok(response)
    }
}

/// The present value of the index.
async fn index(node: &Node, params: &WaitParams) -> Result<u64, RpcError> {
    let name = format!("last_{}_{}_index", params.subsystem, params.indexname);
    let (subsystem, index) = (params.subsystem, params.indexname);
    let value = node.db.read(move |txn| match (subsystem, index) {
        (WaitSubsystem::Chainmoves, WaitIndex::Created) => txn.last_chain_move(),
        (WaitSubsystem::Channelmoves, WaitIndex::Created) => txn.last_channel_move(),
        _ => txn.var(&name),
    });
    value.await.map_err(internal)
}

fn response(params: &WaitParams, value: u64) -> WaitResponse {
    let of = |index| (params.indexname == index).then_some(value);
    WaitResponse {
        subsystem: params.subsystem,
        created: of(WaitIndex::Created),
        updated: of(WaitIndex::Updated),
        deleted: of(WaitIndex::Deleted),
        forwards: None,
        invoices: None,
        sendpays: None,
        htlcs: None,
        chainmoves: None,
        channelmoves: None,
        networkevents: None,
        details: None,
    }
}

/// The page that holds just what has the index waited for; nothing for deletions.
fn page(params: &WaitParams) -> Option<Page> {
    let index = match params.indexname {
        WaitIndex::Created => PageIndex::Created,
        WaitIndex::Updated => PageIndex::Updated,
        WaitIndex::Deleted => return None,
    };
    Some(Page {
        index,
        start: params.nextvalue,
        limit: 1,
    })
}

/// The invoice that changed, unless it changed again meanwhile.
async fn invoice(node: &Node, params: &WaitParams) -> Result<Option<WaitInvoice>, RpcError> {
    let Some(page) = page(params) else {
        return Ok(node.rpc.deleted_invoice(params.nextvalue));
    };
    let rows = node.db.read(move |txn| txn.invoices(page));
    let row = rows.await.map_err(internal)?.into_iter().next();
    let row = row.filter(|row| match page.index {
        PageIndex::Created => row.created_index == page.start,
        PageIndex::Updated => row.updated_index == Some(page.start),
    });
    Ok(row.map(changed))
}

/// The part of a payment that changed, unless it changed again meanwhile.
async fn sendpay(node: &Node, params: &WaitParams) -> Result<Option<WaitSendpay>, RpcError> {
    let Some(page) = page(params) else {
        return Ok(None);
    };
    let rows = node.db.read(move |txn| txn.payments(page));
    let row = rows.await.map_err(internal)?.into_iter().next();
    let row = row.filter(|row| match page.index {
        PageIndex::Created => row.created_index == page.start,
        PageIndex::Updated => row.updated_index == Some(page.start),
    });
    Ok(row.map(|row| part(&row)))
}

/// The forward that changed, unless it changed again meanwhile.
async fn forward(node: &Node, params: &WaitParams) -> Result<Option<WaitForward>, RpcError> {
    let Some(page) = page(params) else {
        return Ok(None);
    };
    let rows = node
        .db
        .read(move |txn| txn.forwards(ForwardFilter::default(), page));
    let row = rows.await.map_err(internal)?.into_iter().next();
    let row = row.filter(|row| match page.index {
        PageIndex::Created => row.created_index == page.start,
        PageIndex::Updated => row.updated_index == Some(page.start),
    });
    Ok(row.map(|row| WaitForward {
        status: Some(shown_forward_status(row.status)),
        in_channel: Some(row.in_channel),
        in_htlc_id: Some(row.in_htlc.0),
        in_msat: Some(row.in_amount),
        out_channel: row.out_channel,
    }))
}

fn moved(account: String, amount: MoveAmount) -> WaitMove {
    WaitMove {
        account,
        credit_msat: amount.credit(),
        debit_msat: amount.debit(),
    }
}

/// The coin that moved.
async fn chain_move(node: &Node, params: &WaitParams) -> Result<Option<WaitMove>, RpcError> {
    let Some(page) = page(params) else {
        return Ok(None);
    };
    let rows = node.db.read(move |txn| txn.chain_moves(page));
    let row = rows.await.map_err(internal)?.into_iter().next();
    let row = row.filter(|row| row.created_index == page.start);
    Ok(row.map(|row| moved(row.account, row.amount)))
}

/// The amount that moved in a channel.
async fn channel_move(node: &Node, params: &WaitParams) -> Result<Option<WaitMove>, RpcError> {
    let Some(page) = page(params) else {
        return Ok(None);
    };
    let rows = node.db.read(move |txn| txn.channel_moves(page));
    let row = rows.await.map_err(internal)?.into_iter().next();
    let row = row.filter(|row| row.created_index == page.start);
    Ok(row.map(|row| moved(row.account, row.amount)))
}

fn part(row: &PaymentRow) -> WaitSendpay {
    WaitSendpay {
        status: Some(match row.status {
            Kept::Pending => PaymentStatus::Pending,
            Kept::Complete => PaymentStatus::Complete,
            Kept::Failed => PaymentStatus::Failed,
        }),
        partid: Some(row.partid),
        groupid: Some(row.groupid),
        payment_hash: Some(row.payment_hash),
    }
}
