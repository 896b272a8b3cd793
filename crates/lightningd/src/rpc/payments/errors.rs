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
pub(crate) fn failed(us: NodeId, row: PaymentRow) -> RpcError {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channels::OfferError;
    use crate::payments::sample::{node, row};

    fn failure(code: Option<u16>) -> PaymentFailure {
        PaymentFailure {
            onion_reply: None,
            destination_permanent: false,
            erring_index: Some(1),
            code,
            erring_node: Some(node(1)),
            erring_channel: Some(ShortChannelId::from_u64(2)),
            erring_direction: Some(1),
            message: Some(vec![0x10, 0x07]),
            detail: "reply from remote".to_owned(),
        }
    }

    fn error(failure: Option<PaymentFailure>) -> (RpcError, Value) {
        let row = PaymentRow {
            status: ln_db::PaymentStatus::Failed,
            failure,
            ..row(5, 1, 2)
        };
        let mut error = failed(node(9), row);
        let data = error.data.take().map(|data| *data).unwrap_or_default();
        (error, data)
    }

    #[test]
    fn a_failure_names_code_node_and_channel() {
        let (error, data) = error(Some(failure(Some(0x1007))));
        assert_eq!(error.code, RpcErrorCode::PayTryOtherRoute);
        let text = "failed: WIRE_TEMPORARY_CHANNEL_FAILURE (reply from remote)";
        assert_eq!(error.message, text);
        assert_eq!(data["failcode"], 0x1007);
        assert_eq!(data["failcodename"], "WIRE_TEMPORARY_CHANNEL_FAILURE");
        assert_eq!(data["erring_index"], 1);
        assert_eq!(data["erring_node"], json!(node(1)));
        assert_eq!(data["erring_channel"], "0x0x2");
        assert_eq!(data["erring_direction"], 1);
        assert_eq!(data["raw_message"], "1007");
        assert_eq!(
            (&data["id"], &data["status"]),
            (&json!(5), &json!("failed"))
        );
    }

    #[test]
    fn each_failure_has_its_code() {
        let permanent = PaymentFailure {
            destination_permanent: true,
            ..failure(Some(0x400f))
        };
        let code = RpcErrorCode::PayDestinationPermFail;
        assert_eq!(error(Some(permanent)).0.code, code);
        let (unknown, data) = error(Some(failure(Some(0x1fff))));
        assert_eq!(unknown.message, "failed: UNKNOWN 8191 (reply from remote)");
        assert_eq!(data.get("failcodename"), None);
        let (bad, data) = error(Some(failure(Some(0xc005))));
        assert_eq!(bad.code, RpcErrorCode::PayUnparseableOnion);
        assert_eq!(data["failcode"], 0xc005);
        let garbage = PaymentFailure {
            onion_reply: Some(vec![0xab]),
            ..failure(None)
        };
        let (garbage, data) = error(Some(garbage));
        assert_eq!(garbage.code, RpcErrorCode::PayUnparseableOnion);
        assert_eq!(data["onionreply"], "ab");
        assert_eq!(error(None).0.code, RpcErrorCode::PayUnspecifiedError);
    }

    #[test]
    fn what_was_not_sent_is_our_own_failure() {
        let refused = SendError::Refused(OfferError {
            text: "no room".to_owned(),
            code: 0x1007,
        });
        let first = (ShortChannelId::from_u64(1), node(1));
        let error = not_sent(node(9), Some(first), refused);
        assert_eq!(error.code, RpcErrorCode::PayTryOtherRoute);
        let data = error.data.unwrap();
        assert_eq!(data["erring_index"], 0);
        assert_eq!(data["erring_node"], json!(node(9)));
        assert_eq!(data["erring_direction"], u8::from(node(9) > node(1)));
    }
}
