//! Sending a part at most once.

use std::rc::Rc;

use anyhow::anyhow;
use ln_db::{PaymentRow, PaymentStatus};
use ln_types::{Msat, PaymentHash};

use super::claims::{Claim, Claimed, PartFacts};
use super::outgoing::{NewPart, SendError, send_part};
use super::progress;
use crate::node::Node;

/// A part that was asked to be sent.
#[derive(Debug, Clone)]
pub(crate) enum Sent {
    /// It is pending: durable and on its way, now or before.
    Pending(PaymentRow),
    /// It was paid before.
    Complete(PaymentRow),
}

/// A part's place, and the part itself if it is there already.
pub(super) enum Place {
    Ours(Claim),
    Theirs(Sent),
}

/// Sends a part unless it was sent before or what was done for its payment forbids it. Without `groupid` it begins a new attempt.
pub(crate) async fn send_checked(
    node: &Rc<Node>,
    mut part: NewPart,
    groupid: Option<u64>,
) -> Result<Sent, SendError> {
    let last = part.route.last();
    let mut facts = PartFacts {
        partid: part.partid,
        groupid: 0,
        amount: last.map_or(Msat::ZERO, |hop| hop.amount),
        total: part.total,
        destination: last.map(|hop| hop.node_id.into()),
    };
    let claim = match place(node, part.payment_hash, &mut facts, groupid).await? {
        Place::Ours(claim) => claim,
        Place::Theirs(sent) => return Ok(sent),
    };
    part.groupid = facts.groupid;
    // The claim is held until the outcome is durable, even if nobody waits for it any more.
    let sending = Rc::clone(node);
    let task = tokio::task::spawn_local(async move {
        let sent = send_part(&sending, part).await;
        drop(claim);
        sent
    });
    let row = task
        .await
        .map_err(|error| anyhow!("sending a part was interrupted: {error}"))??;
    node.rpc.index_changed();
    Ok(Sent::Pending(row))
}

/// Finds the place of a part: claimed first, checked then.
pub(super) async fn place(
    node: &Rc<Node>,
    hash: PaymentHash,
    facts: &mut PartFacts,
    groupid: Option<u64>,
) -> Result<Place, SendError> {
    loop {
        facts.groupid = match groupid {
            Some(groupid) => groupid,
            None => {
                let last = node.db.read(move |txn| txn.last_payment_group(&hash));
                last.await.map_err(anyhow::Error::from)?.saturating_add(1)
            }
        };
        let (claim, starting) = match node.payments.claims.claim(hash, *facts) {
            Claimed::Free(claim, starting) => (claim, starting),
            Claimed::Taken(over) => {
                drop(over.await);
                continue;
            }
        };
        let rows = node.db.read(move |txn| txn.payments_by_hash(&hash));
        let rows = rows.await.map_err(anyhow::Error::from)?;
        if groupid.is_none() && rows.iter().any(|row| row.groupid >= facts.groupid) {
            // Somebody began this attempt meanwhile: ours is the next one.
            continue;
        }
        return Ok(
            match progress::check(&rows, &starting, hash, facts)?.cloned() {
                None => Place::Ours(claim),
                Some(row) if row.status == PaymentStatus::Complete => {
                    Place::Theirs(Sent::Complete(row))
                }
                Some(row) => Place::Theirs(Sent::Pending(row)),
            },
        );
    }
}
