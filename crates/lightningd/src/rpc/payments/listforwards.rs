//! `listforwards`

use std::rc::Rc;
use std::time::Duration;

use ln_db::{ForwardFilter, ForwardRow, ForwardStatus as Kept};
use ln_onion::FailureCode;
use ln_rpc::RpcError;
use ln_rpc::methods::control::wait::ForwardStatus;
use ln_rpc::methods::payments::listforwards::{Forward, Listforwards, ListforwardsResponse};

use crate::node::Node;
use crate::rpc::paging::page;
use crate::rpc::{Context, Handle, internal};

impl Handle for Listforwards {
    async fn handle(
        node: Rc<Node>,
        _: Context,
        params: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        let page = page(params.index, params.start, params.limit)?;
        let filter = ForwardFilter {
            status: params.status.map(kept_status),
            in_channel: params.in_channel,
            out_channel: params.out_channel,
        };
        let forwards = node.db.read(move |txn| {
            let rows = txn.forwards(filter, page)?;
            Ok(rows.into_iter().map(shown_forward).collect())
        });
        Ok(ListforwardsResponse {
            forwards: forwards.await.map_err(internal)?,
        })
    }
}

pub(super) fn kept_status(status: ForwardStatus) -> Kept {
    match status {
        ForwardStatus::Offered => Kept::Offered,
        ForwardStatus::Settled => Kept::Settled,
        ForwardStatus::Failed => Kept::Failed,
        ForwardStatus::LocalFailed => Kept::LocalFailed,
    }
}

/// How a forward stands, as it is shown.
pub(crate) fn shown_forward_status(status: Kept) -> ForwardStatus {
    match status {
        Kept::Offered => ForwardStatus::Offered,
        Kept::Settled => ForwardStatus::Settled,
        Kept::Failed => ForwardStatus::Failed,
        Kept::LocalFailed => ForwardStatus::LocalFailed,
    }
}

fn seconds(nanoseconds: u64) -> f64 {
    Duration::from_nanos(nanoseconds).as_secs_f64()
}

/// A forward as it is listed and told.
pub(crate) fn shown_forward(row: ForwardRow) -> Forward {
    let code = row.failcode.map(FailureCode);
    Forward {
        created_index: row.created_index,
        in_channel: row.in_channel,
        in_htlc_id: Some(row.in_htlc.0),
        in_msat: row.in_amount,
        status: shown_forward_status(row.status),
        received_time: seconds(row.received_time),
        out_channel: row.out_channel,
        out_htlc_id: row.out_htlc.map(|id| id.0),
        updated_index: row.updated_index,
        style: Some("tlv".to_owned()),
        fee_msat: row.fee(),
        out_msat: row.out_amount,
        resolved_time: row.resolved_time.map(seconds),
        failcode: code.map(|code| u32::from(code.0)),
        failreason: code.and_then(|code| code.name().map(str::to_owned)),
    }
}
