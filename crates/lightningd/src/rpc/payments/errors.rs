//! Why a part was not sent or failed, as errors with the members that programs read.

use ln_db::{PaymentFailure, PaymentRow};
use ln_onion::FailureCode;
use ln_rpc::{RpcError, RpcErrorCode};
use ln_types::{NodeId, ShortChannelId};
use serde_json::{Map, Value, json};

use super::entry::response;
use crate::payments::{Conflict, SendError};
use crate::rpc::internal;

/// The name of a failure code for people.
fn name(code: FailureCode) -> String {
    let unknown = || format!("UNKNOWN {}", code.0);
    code.name().map_or_else(unknown, ToOwned::to_owned)
}

/// Why a part was not sent. `first` is where it should have gone first.
pub(super) fn not_sent(
    us: NodeId,
    first: Option<(ShortChannelId, NodeId)>,
    error: SendError,
) -> RpcError {
    let local = |code: FailureCode, first: Option<(ShortChannelId, NodeId)>| {
        let mut data = Map::new();
        data.insert("erring_index".to_owned(), json!(0));
        code_members(&mut data, code);
        data.insert("erring_node".to_owned(), json!(us));
        if let Some((channel, peer)) = first {
            data.insert("erring_channel".to_owned(), json!(channel));
            data.insert("erring_direction".to_owned(), json!(u8::from(us > peer)));
        }
        Value::Object(data)
    };
    let try_other = RpcErrorCode::PayTryOtherRoute;
    match error {
        SendError::Route(text) => RpcError::invalid_params(text),
        SendError::NoChannel(text) => {
            // unknown_next_peer
            RpcError::new(try_other, text).with_data(local(FailureCode(0x400a), None))
        }
        SendError::Refused(refused) => {
            let code = FailureCode(refused.code);
            let text = format!("failed: {} (First peer not ready: {refused})", name(code));
            RpcError::new(try_other, text).with_data(local(code, first))
        }
        SendError::Conflict(conflict) => conflicting(&conflict),
        SendError::Internal(error) => internal(error),
    }
}

fn conflicting(conflict: &Conflict) -> RpcError {
    let code = match conflict {
        Conflict::Amount { .. }
        | Conflict::Destination { .. }
        | Conflict::Used { .. }
        | Conflict::OtherPartsSucceeded => RpcErrorCode::PayRhashAlreadyUsed,
        Conflict::OtherGroup { .. } | Conflict::Mixed { .. } | Conflict::Enough { .. } => {
            RpcErrorCode::PayInProgress
        }
        Conflict::Total { .. } => RpcErrorCode::InvalidParams,
    };
    RpcError::new(code, conflict.to_string())
}

/// Why a part failed.
pub(super) fn failed(us: NodeId, row: PaymentRow) -> RpcError {
    let first = row.route_nodes.first().copied();
    let Some(failure) = row.failure.clone() else {
        return unknown_reason();
    };
    let mut data = match serde_json::to_value(response(row)) {
        Ok(Value::Object(data)) => data,
        Ok(_) | Err(_) => Map::new(),
    };
    let Some(code) = failure.code.map(FailureCode) else {
        let Some(onion) = failure.onion_reply else {
            return unknown_reason();
        };
        data.insert("onionreply".to_owned(), json!(ln_rpc::params::Hex(onion)));
        let text = "Malformed error reply";
        return RpcError::new(RpcErrorCode::PayUnparseableOnion, text)
            .with_data(Value::Object(data));
    };
    where_members(&mut data, us, first, &failure);
    code_members(&mut data, code);
    let (error, text) = if code.has(FailureCode::BADONION) {
        let text = "Malformed error reply".to_owned();
        (RpcErrorCode::PayUnparseableOnion, text)
    } else {
        let error = if failure.destination_permanent {
            RpcErrorCode::PayDestinationPermFail
        } else {
            RpcErrorCode::PayTryOtherRoute
        };
        (
            error,
            format!("failed: {} ({})", name(code), failure.detail),
        )
    };
    RpcError::new(error, text).with_data(Value::Object(data))
}

fn unknown_reason() -> RpcError {
    RpcError::new(
        RpcErrorCode::PayUnspecifiedError,
        "Payment failure reason unknown",
    )
}

fn code_members(data: &mut Map<String, Value>, code: FailureCode) {
    data.insert("failcode".to_owned(), json!(code.0));
    if let Some(name) = code.name() {
        data.insert("failcodename".to_owned(), json!(name));
    }
}

fn where_members(
    data: &mut Map<String, Value>,
    us: NodeId,
    first: Option<NodeId>,
    failure: &PaymentFailure,
) {
    let index = failure.erring_index.unwrap_or(0);
    data.insert("erring_index".to_owned(), json!(index));
    let node = match index {
        0 => Some(us),
        _ => failure.erring_node,
    };
    if let Some(node) = node {
        data.insert("erring_node".to_owned(), json!(node));
    }
    if let Some(channel) = failure.erring_channel {
        // Only of the first channel, which is ours, no direction is kept.
        let ours = first.map_or(0, |peer| u8::from(us > peer));
        let direction = failure.erring_direction.unwrap_or(ours);
        data.insert("erring_channel".to_owned(), json!(channel));
        data.insert("erring_direction".to_owned(), json!(direction));
    }
    if let Some(message) = &failure.message {
        let message = ln_rpc::params::Hex(message.clone());
        data.insert("raw_message".to_owned(), json!(message));
    }
}
