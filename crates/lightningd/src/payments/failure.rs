//! Reading why a part failed.

use ln_codec::Decode as _;
use ln_db::{DbError, PaymentFailure, PaymentRow, Txn};
use ln_onion::{FailureCode, FailureMessage, SharedSecret, open_failure};
use ln_types::PaymentHash;

/// Marks a part failed, in the transaction in which its HTLC's failure is kept.
pub(crate) fn fail_in(
    txn: &mut Txn<'_>,
    hash: &PaymentHash,
    part: (u64, u64),
    failure: &Result<Vec<u8>, ([u8; 32], u16)>,
    now: u64,
) -> Result<(), DbError> {
    let Some(row) = txn.payment(hash, part)? else {
        return Ok(());
    };
    let read = match failure {
        Ok(reason) => read(&row, reason),
        Err((_, code)) => at_hop(
            &row,
            0,
            FailureCode(*code),
            "our peer could not read the onion".to_owned(),
        ),
    };
    txn.fail_payment(hash, part, &read, now)
}

/// Opens the encrypted reason with the route's secrets.
fn read(row: &PaymentRow, reason: &[u8]) -> PaymentFailure {
    let secrets: Vec<SharedSecret> = row
        .path_secrets
        .iter()
        .map(|secret| SharedSecret(*secret))
        .collect();
    let opened = open_failure(&secrets, reason, None);
    let Some((hop, message)) = opened.failure else {
        return PaymentFailure {
            onion_reply: Some(reason.to_vec()),
            destination_permanent: false,
            erring_index: None,
            code: None,
            erring_node: None,
            erring_channel: None,
            erring_direction: None,
            detail: "Malformed error reply".to_owned(),
        };
    };
    match FailureMessage::from_bytes(&message) {
        Ok(failure) => at_hop(row, hop + 1, failure.code(), "reply from remote".to_owned()),
        Err(_) => {
            let code = message.first_chunk().map_or(FailureCode(0), |bytes| {
                FailureCode(u16::from_be_bytes(*bytes))
            });
            at_hop(
                row,
                hop + 1,
                code,
                "reply from remote that can't be read".to_owned(),
            )
        }
    }
}

/// The failure of the node `index` hops away: 0 is us (about our peer's malformed answer), 1 our peer, ...
fn at_hop(row: &PaymentRow, index: usize, code: FailureCode, detail: String) -> PaymentFailure {
    let last = row.route_nodes.len();
    let node = index.max(1) - 1;
    let from_destination = index >= last;
    // A failing node blames its outgoing channel; the destination has none, so its incoming one is named.
    let channel = if from_destination {
        row.route_channels.last()
    } else {
        row.route_channels.get(index)
    };
    PaymentFailure {
        onion_reply: None,
        destination_permanent: from_destination && code.has(FailureCode::PERM),
        erring_index: u32::try_from(index).ok(),
        code: Some(code.0),
        erring_node: row.route_nodes.get(node).copied(),
        erring_channel: channel.copied(),
        erring_direction: None,
        detail: match code.name() {
            Some(name) => format!("{name}: {detail}"),
            None => detail,
        },
    }
}
