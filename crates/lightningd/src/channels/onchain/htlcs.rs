//! What the chain decides about HTLCs of a closed channel.

use std::rc::Rc;

use ln_db::{DbError, ForwardRow, HtlcDirection, HtlcRow, PaymentRow};
use ln_ipc::onchaind::OnchaindHtlc;
use ln_onchain::HtlcStub;
use ln_onion::FailureMessage;
use ln_types::{CltvExpiry, HtlcId, PaymentPreimage, Side};

use crate::channels::Channel;
use crate::clock;
use crate::node::Node;
use crate::payments::{self, ForwardEnd};

/// So many blocks before an incoming HTLC expires what became of the outgoing one counts no more.
const LAST_BLOCKS: u32 = 3;

/// The HTLCs that may be on the commitment. A revoked one may hold any the channel ever had.
pub(super) async fn for_onchaind(
    node: &Rc<Node>,
    channel: &Channel,
    revoked: bool,
) -> Result<Vec<OnchaindHtlc>, DbError> {
    let rows: Vec<HtlcRow> = if revoked {
        let dbid = channel.dbid;
        node.db.read(move |txn| txn.all_htlcs_of(dbid)).await?
    } else {
        channel.htlcs.borrow().values().cloned().collect()
    };
    Ok(rows
        .iter()
        .map(|row| OnchaindHtlc {
            offerer: match row.direction {
                HtlcDirection::Incoming => Side::Remote,
                HtlcDirection::Outgoing => Side::Local,
            },
            id: row.id,
            amount: row.amount,
            payment_hash: row.payment_hash,
            cltv_expiry: row.cltv_expiry,
            awaited: is_awaited(row),
            incoming_expiry: incoming_expiry(node, row),
        })
        .collect())
}

/// Whether somebody still waits for the outcome of an HTLC we offered.
fn is_awaited(row: &HtlcRow) -> bool {
    row.direction == HtlcDirection::Outgoing && !row.removed && row.is_open()
}

/// When the HTLC times out that this one forwards.
pub(super) fn incoming_expiry(node: &Node, row: &HtlcRow) -> Option<CltvExpiry> {
    let (channel, id) = row.origin?;
    let channel = node.channels.get(channel)?;
    let htlcs = channel.htlcs.borrow();
    htlcs
        .get(&(HtlcDirection::Incoming, id))
        .map(|htlc| htlc.cltv_expiry)
}

/// The preimages of HTLCs the peer offered, as far as we decided to take them.
pub(super) fn preimages(channel: &Channel) -> Vec<PaymentPreimage> {
    let htlcs = channel.htlcs.borrow();
    htlcs
        .values()
        .filter(|htlc| htlc.direction == HtlcDirection::Incoming)
        .filter_map(|htlc| htlc.preimage)
        .collect()
}

/// An HTLC we offered, while its outcome is not known.
fn awaited(channel: &Channel, id: HtlcId) -> Option<HtlcRow> {
    let htlcs = channel.htlcs.borrow();
    let row = htlcs.get(&(HtlcDirection::Outgoing, id))?;
    is_awaited(row).then(|| row.clone())
}

/// The chain shows the preimage of an HTLC we offered: the payment is complete, or the HTLC it was forwarded for can be fulfilled. Durable first.
pub(super) async fn fulfilled(
    node: &Rc<Node>,
    channel: &Rc<Channel>,
    stub: &HtlcStub,
    preimage: PaymentPreimage,
) -> Result<(), DbError> {
    // A preimage counts whatever else was decided before: an HTLC that was failed upstream is lost, a forward not yet failed is not.
    let known = channel
        .htlcs
        .borrow()
        .get(&(HtlcDirection::Outgoing, stub.id))
        .filter(|row| row.preimage.is_none() && row.payment_hash == stub.payment_hash)
        .cloned();
    let Some(mut row) = known else { return Ok(()) };
    let late = !is_awaited(&row);
    row.preimage = Some(preimage);
    channel.change(|kept| {
        kept.out_payments_fulfilled += 1;
        kept.out_fulfilled = kept.out_fulfilled.saturating_add(row.amount);
    });
    let (dbid, id, now) = (channel.dbid, row.id, clock::now());
    let payment = row.payment.map(|part| (row.payment_hash, part));
    let forward = ForwardEnd::paid(node, &row, preimage);
    let (kept, kept_forward) = (channel.row().clone(), forward.clone());
    let (ended, forwarded) = node
        .db
        .write(move |txn| {
            txn.set_htlc_preimage(dbid, HtlcDirection::Outgoing, id, &preimage)?;
            txn.put_channel(&kept)?;
            let forward = kept_forward.map_or(Ok(None), |end| end.keep(txn))?;
            let ended = payment.map_or(Ok(None), |(hash, part)| {
                txn.complete_payment(&hash, part, &preimage, now)
            })?;
            Ok((ended, forward))
        })
        .await?;
    remember(channel, &row);
    if late {
        let text = format!("the preimage of HTLC {id} came after it was given up");
        node.log.broken(&channel.origin(), text);
    }
    tell(node, &row, ended, forward.map(|end| (end, forwarded)));
    Ok(())
}

/// An HTLC we offered will never be paid. Durable first; one whose preimage we know is never failed.
pub(super) async fn failed(
    node: &Rc<Node>,
    channel: &Rc<Channel>,
    id: HtlcId,
    why: &str,
) -> Result<(), DbError> {
    let Some(mut row) = awaited(channel, id) else {
        return Ok(());
    };
    // A failure of our own making: no onion, and a code without BADONION.
    let code = FailureMessage::PermanentChannelFailure {}.code().0;
    row.malformed = Some(([0; 32], code));
    let (dbid, now, our_id, why) = (channel.dbid, clock::now(), node.id(), why.to_owned());
    let payment = row.payment.map(|part| (row.payment_hash, part));
    let forward = ForwardEnd::lost(node, &row);
    let kept_forward = forward.clone();
    let (ended, forwarded) = node
        .db
        .write(move |txn| {
            let failure = Err(([0; 32], code));
            txn.set_htlc_failure(dbid, HtlcDirection::Outgoing, id, &failure)?;
            let forward = kept_forward.map_or(Ok(None), |end| end.keep(txn))?;
            let ended = payment.map_or(Ok(None), |(hash, part)| {
                payments::fail_on_chain_in(txn, &hash, part, our_id, &why, now)
            })?;
            Ok((ended, forward))
        })
        .await?;
    remember(channel, &row);
    tell(node, &row, ended, forward.map(|end| (end, forwarded)));
    Ok(())
}

/// The HTLCs we forwarded whose outcome the chain still owes us while at most `blocks` are left for the ones they came by.
fn late(node: &Node, channel: &Channel, blocks: u32) -> Vec<HtlcId> {
    // A block that the backend has and we have not looked at may hold the outcome.
    if !node.chain.has_every_block() {
        return Vec::new();
    }
    let last = node.chain.height().0.saturating_add(blocks);
    let htlcs = channel.htlcs.borrow();
    let forwarded = htlcs.values().filter(|row| is_awaited(row));
    forwarded
        .filter(|row| incoming_expiry(node, row).is_some_and(|expiry| last >= expiry.0))
        .map(|row| row.id)
        .collect()
}

/// Gives up HTLCs we forwarded whose outcome the chain still owes us while the channel they came by is about to be closed over them: one loss
/// must not become two. What the blocks up to now show must be known.
pub(super) async fn give_up_late(node: &Rc<Node>, channel: &Rc<Channel>) -> Result<(), DbError> {
    give_up(node, channel, late(node, channel, LAST_BLOCKS)).await
}

async fn give_up(node: &Rc<Node>, channel: &Rc<Channel>, ids: Vec<HtlcId>) -> Result<(), DbError> {
    for id in ids {
        let text = format!("Abandoning unresolved onchain HTLC {id} to save the incoming one");
        node.log.unusual(&channel.origin(), text);
        let why = "unresolved on chain while the incoming HTLC expires";
        failed(node, channel, id, why).await?;
    }
    Ok(())
}

/// A block came, and nobody asks onchaind of it: as [`give_up_late`]. With `is_served`, onchaind has one block's time to know better.
pub(super) fn block_came(node: &Rc<Node>, channel: &Rc<Channel>, is_served: bool) {
    let ids = late(node, channel, LAST_BLOCKS - u32::from(is_served));
    if ids.is_empty() {
        return;
    }
    let (node, channel) = (Rc::clone(node), Rc::clone(channel));
    tokio::task::spawn_local(async move {
        if let Err(error) = give_up(&node, &channel, ids).await {
            let text = format!("HTLCs can't be failed: {error}");
            node.log.broken(&channel.origin(), text);
        }
    });
}

fn remember(channel: &Channel, row: &HtlcRow) {
    let key = (row.direction, row.id);
    channel.htlcs.borrow_mut().insert(key, row.clone());
}

/// Tells the one who waits for the outcome: of a payment of ours, which stands like `ended`, or of an HTLC that came in.
fn tell(
    node: &Node,
    row: &HtlcRow,
    ended: Option<PaymentRow>,
    forward: Option<(ForwardEnd, Option<ForwardRow>)>,
) {
    if let Some(part) = row.payment {
        node.payments.changed(node, row.payment_hash, part, ended);
    }
    if let Some((end, forwarded)) = forward {
        end.tell(node, forwarded);
    }
}

/// The HTLCs we offered whose outcome is still not known.
pub(super) fn unresolved(channel: &Channel) -> Vec<HtlcId> {
    let htlcs = channel.htlcs.borrow();
    htlcs
        .values()
        .filter(|row| is_awaited(row))
        .map(|row| row.id)
        .collect()
}
