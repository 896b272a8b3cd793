//! Reading why a part failed.

use ln_db::{DbError, PaymentFailure, PaymentRow, Txn};
use ln_onion::{FailureCode, FailureMessage, SharedSecret, open_failure};
use ln_types::{NodeId, PaymentHash};

/// Marks a part failed, in the transaction in which its HTLC's failure is kept. Returns how it stands.
pub(crate) fn fail_in(
    txn: &mut Txn<'_>,
    hash: &PaymentHash,
    part: (u64, u64),
    failure: &Result<Vec<u8>, ([u8; 32], u16)>,
    now: u64,
) -> Result<Option<PaymentRow>, DbError> {
    let Some(row) = txn.payment(hash, part)? else {
        return Ok(None);
    };
    let read = match failure {
        Ok(reason) => read(&row, reason),
        Err((_, code)) => unreadable_by_peer(&row, FailureCode(*code)),
    };
    txn.fail_payment(hash, part, &read, now)
}

/// Marks a part failed whose HTLC came back on chain. Returns how it stands.
pub(crate) fn fail_on_chain_in(
    txn: &mut Txn<'_>,
    hash: &PaymentHash,
    part: (u64, u64),
    our_id: NodeId,
    why: &str,
    now: u64,
) -> Result<Option<PaymentRow>, DbError> {
    let Some(row) = txn.payment(hash, part)? else {
        return Ok(None);
    };
    let code = FailureMessage::PermanentChannelFailure {}.code();
    let failure = PaymentFailure {
        erring_node: Some(our_id),
        ..at_hop(&row, 0, code, why.to_owned())
    };
    txn.fail_payment(hash, part, &failure, now)
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
            message: None,
            detail: "Malformed error reply".to_owned(),
        };
    };
    let code = message
        .first_chunk()
        .map_or(0, |bytes| u16::from_be_bytes(*bytes));
    PaymentFailure {
        message: Some(message),
        ..at_hop(
            row,
            hop + 1,
            FailureCode(code),
            "reply from remote".to_owned(),
        )
    }
}

/// Our peer says that it can't read the onion: the channel to it is to blame, whoever comes after.
fn unreadable_by_peer(row: &PaymentRow, code: FailureCode) -> PaymentFailure {
    PaymentFailure {
        erring_node: row.route_nodes.first().copied(),
        erring_channel: row.route_channels.first().copied(),
        erring_direction: None,
        ..at_hop(row, 1, code, "local failure".to_owned())
    }
}

/// The failure that the node `index` hops away reports: 0 is us, 1 our peer, ...
fn at_hop(row: &PaymentRow, index: usize, code: FailureCode, detail: String) -> PaymentFailure {
    let from_destination = index >= row.route_nodes.len();
    // A failing node blames its outgoing channel; the destination has none, so its incoming one is named.
    let channel = if from_destination {
        row.route_channels.len().saturating_sub(1)
    } else {
        index
    };
    // BOLT 4 §Failure Messages: with BADONION a node reports what the node after it said.
    let node = if code.has(FailureCode::BADONION) && !from_destination {
        index
    } else {
        index.saturating_sub(1)
    };
    PaymentFailure {
        onion_reply: None,
        destination_permanent: from_destination && code.has(FailureCode::PERM),
        erring_index: u32::try_from(index).ok(),
        code: Some(code.0),
        erring_node: row.route_nodes.get(node).copied(),
        erring_channel: row.route_channels.get(channel).copied(),
        erring_direction: direction(row, channel),
        message: None,
        detail,
    }
}

/// In which direction a route takes its channel number `channel`. `None` for the first: who we are is not kept with the payment.
fn direction(row: &PaymentRow, channel: usize) -> Option<u8> {
    let from = row.route_nodes.get(channel.checked_sub(1)?)?;
    let to = row.route_nodes.get(channel)?;
    Some(u8::from(from > to))
}

#[cfg(test)]
mod tests {
    use ln_codec::Encode as _;
    use ln_onion::{FAILURE_LENGTH, create_failure_packet, wrap_failure_packet};

    use super::*;
    use crate::payments::sample::{node, row};

    /// The failure that the hop with this index (0 is our peer) sends back.
    fn from_hop(hop: usize, failure: &FailureMessage) -> PaymentFailure {
        let row = row(1, 0, 1);
        let secrets: Vec<_> = row.path_secrets.iter().copied().map(SharedSecret).collect();
        let mut packet = create_failure_packet(&secrets[hop], &failure.to_bytes(), FAILURE_LENGTH);
        for secret in secrets[..=hop].iter().rev() {
            wrap_failure_packet(secret, &mut packet);
        }
        read(&row, &packet)
    }

    #[test]
    fn a_hop_on_the_way_blames_the_channel_after_it() {
        let failure = FailureMessage::UnknownNextPeer {};
        let read = from_hop(0, &failure);
        assert_eq!(read.code, Some(0x400a));
        assert!(!read.destination_permanent);
        assert_eq!(
            (read.erring_index, read.erring_node),
            (Some(1), Some(node(1)))
        );
        assert_eq!(
            read.erring_channel,
            row(1, 0, 1).route_channels.get(1).copied()
        );
        assert_eq!(read.erring_direction, Some(u8::from(node(1) > node(2))));
        assert_eq!(read.message, Some(failure.to_bytes()));
        assert_eq!(read.detail, "reply from remote");
    }

    #[test]
    fn a_hop_speaks_for_the_next_one_that_can_not_read_its_onion() {
        let failure = FailureMessage::InvalidOnionHmac {
            sha256_of_onion: [0; 32],
        };
        let read = from_hop(1, &failure);
        assert_eq!(
            (read.erring_index, read.erring_node),
            (Some(2), Some(node(3)))
        );
    }

    #[test]
    fn the_destination_is_final() {
        let read = from_hop(2, &FailureMessage::UnknownNextPeer {});
        assert!(read.destination_permanent);
        assert_eq!(
            (read.erring_index, read.erring_node),
            (Some(3), Some(node(3)))
        );
        assert_eq!(
            read.erring_channel,
            row(1, 0, 1).route_channels.last().copied()
        );
        let read = from_hop(2, &FailureMessage::TemporaryNodeFailure {});
        assert!(!read.destination_permanent);
    }

    #[test]
    fn what_nobody_on_the_route_wrote_is_kept_as_it_is() {
        let failure = read(&row(1, 0, 1), &[9; 292]);
        assert_eq!(failure.onion_reply, Some(vec![9; 292]));
        assert_eq!((failure.code, failure.erring_node), (None, None));
        let short = read(&row(1, 0, 1), &[]);
        assert_eq!(short.onion_reply, Some(Vec::new()));
    }

    #[test]
    fn a_peer_that_can_not_read_the_onion_is_to_blame_itself() {
        let failure = unreadable_by_peer(&row(1, 0, 1), FailureCode(0xc005));
        assert_eq!(
            (failure.erring_index, failure.erring_node),
            (Some(1), Some(node(1)))
        );
        assert_eq!(
            failure.erring_channel,
            row(1, 0, 1).route_channels.first().copied()
        );
    }
}
