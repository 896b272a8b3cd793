//! An HTLC of a peer's is irrevocably committed: what to do with it.

use std::collections::HashSet;
use std::rc::Rc;

use bitcoin::hashes::{Hash, sha256};
use ln_codec::{Encode as _, TlvRecord};
use ln_db::{
    DbError, ForwardRow, ForwardStatus, HtlcDirection, HtlcRow, InvoiceRow, InvoiceStatus, Txn,
};
use ln_onion::{
    FailureCode, FailureMessage, HopPayload, HtlcIn, Instruction, OnionPacket, PaymentData, Peeled,
    SharedSecret, create_failure_packet, instruction, peel, wrap_failure_packet,
};
use ln_types::{
    BlockHeight, ChannelId, CltvDelta, CltvExpiry, HtlcId, Msat, PaymentHash, PaymentPreimage, Side,
};

use super::forward::{Next, forward, new_row, tell_forward};
use super::sets::{Added, Part};
use crate::channels::{Channel, resolve_htlc};
use crate::clock;
use crate::node::Node;
use crate::plugins::{AcceptedHtlc, HtlcChanges, HtlcVerdict};

/// How many blocks before its deadline an HTLC that plugins hold is failed, so that the peer has time to hear of it.
const BLOCKS_TO_FULFIL: u32 = 3;

/// What becomes of an HTLC.
enum Decision {
    /// Failed, for this reason.
    Fail(FailureMessage),
    /// Its onion could not be read at all.
    Malformed(FailureCode),
    /// Failed with these bytes in clear, which a plugin gave.
    FailAs(Vec<u8>),
    /// Failed with these bytes, encrypted already by a plugin.
    FailOnion(Vec<u8>),
    /// A plugin knows the preimage.
    Fulfil(PaymentPreimage),
    /// It is (a part of) a payment to us.
    Receive { total: Msat, claim: Claim },
    /// It is for somebody else.
    Forward(Box<Next>),
}

/// What the payload of a payment to us says, and what plugins say about it.
#[derive(Debug, Clone)]
pub(super) struct Claim {
    /// The secret and the whole amount.
    pub(super) data: PaymentData,
    /// The amount that a plugin wants to count as the invoice's.
    pub(super) invoice_msat: Option<Msat>,
    /// Records of the payload that we don't know.
    pub(super) unknown: Vec<TlvRecord>,
}

/// Decides about an HTLC in the background. Asking twice is harmless. `over_dust` tells that too much is in HTLCs too small for the chain.
pub(crate) fn htlc_received(node: &Rc<Node>, htlc: HtlcRow, over_dust: bool) {
    // While the node ends, plugins are gone that may have a say: after the next start they are asked.
    if node.stop.borrow().is_some() || dev_ignores(node, &htlc) {
        return;
    }
    let key = (htlc.channel, htlc.id);
    let is_forwarded = node.payments.forwarded.borrow().contains(&key);
    if is_forwarded || !node.payments.deciding.borrow_mut().insert(key) {
        return;
    }
    let node = Rc::clone(node);
    tokio::task::spawn_local(async move {
        if let Err(error) = decide(&node, htlc, over_dust).await {
            node.log
                .broken(&node.origin, format!("an HTLC can't be decided: {error:#}"));
        }
        node.payments.deciding.borrow_mut().remove(&key);
    });
}

/// Whether `dev-ignore-htlcs` wants an HTLC left alone.
fn dev_ignores(node: &Node, htlc: &HtlcRow) -> bool {
    let ignored = node.payments.dev_ignored_peers.borrow();
    if ignored.is_empty() {
        return false;
    }
    let channel = node.channels.get(htlc.channel);
    let Some(channel) = channel.filter(|channel| ignored.contains(&channel.peer)) else {
        return false;
    };
    let text = format!("their htlc {} dev_ignore_htlcs", htlc.id);
    node.log.debug(&channel.origin(), text);
    true
}

/// HTLCs that came in before a restart and were not decided.
pub(super) fn decide_undecided(node: &Rc<Node>, channel: &Rc<Channel>) {
    let undecided: Vec<HtlcRow> = channel
        .htlcs
        .borrow()
        .values()
        .filter(|htlc| htlc.direction == HtlcDirection::Incoming)
        .filter(|htlc| htlc.is_open())
        .cloned()
        .collect();
    if undecided.is_empty() {
        return;
    }
    let over_dust = over_dust_exposure(channel);
    for htlc in undecided {
        let over = over_dust.contains(&htlc.id);
        htlc_received(node, htlc, over);
    }
}

/// The peer's HTLCs of which there were too many too small for the chain (`max-dust-htlc-exposure-msat`).
fn over_dust_exposure(channel: &Channel) -> HashSet<HtlcId> {
    let flagged = |machine: Rc<ln_channel::ChannelState>| {
        let over = machine.htlcs().filter(|htlc| htlc.over_dust_exposure);
        over.filter(|htlc| htlc.offerer() == Side::Remote)
            .map(|htlc| htlc.id)
            .collect()
    };
    channel.machine().map(flagged).unwrap_or_default()
}

async fn decide(node: &Rc<Node>, htlc: HtlcRow, over_dust: bool) -> anyhow::Result<()> {
    let received = clock::since_epoch();
    let decision = match open_onion(&htlc) {
        _ if node.config.dev.fail_process_onionpacket => dev_unreadable_onion(),
        Err(decision) => decision,
        Ok(_) if node.grace.get() => Decision::Fail(FailureMessage::TemporaryNodeFailure {}),
        Ok(_) if over_dust => Decision::Fail(FailureMessage::TemporaryChannelFailure {
            channel_update: Vec::new(),
        }),
        Ok(onion) => judge(node, &htlc, onion).await,
    };
    match decision {
        Decision::Malformed(code) => fail_malformed(node, &htlc, code).await?,
        Decision::Fail(failure) => fail(node, &htlc, &failure).await?,
        Decision::FailAs(message) => fail_as(node, &htlc, &message).await?,
        Decision::FailOnion(reason) => fail_with(node, &htlc, reason).await?,
        Decision::Fulfil(preimage) => fulfil(node, &htlc, preimage).await?,
        Decision::Receive { total, claim } => receive(node, htlc, total, claim).await?,
        Decision::Forward(next) => {
            let row = new_row(node, &htlc, &next, received);
            if let Err(failure) = forward(node, &htlc, *next, &row).await {
                not_forwarded(node, &htlc, row, &failure).await?;
            }
        }
    }
    Ok(())
}

/// What an onion comes to that was changed on its way.
fn dev_unreadable_onion() -> Decision {
    let failure = FailureMessage::InvalidOnionHmac {
        sha256_of_onion: [0; 32],
    };
    Decision::Malformed(failure.code())
}

/// Our layer of an onion.
struct Onion {
    payload: Vec<u8>,
    /// The packet for the next hop; nothing if we are the last.
    next: Option<OnionPacket>,
}

fn open_onion(htlc: &HtlcRow) -> Result<Onion, Decision> {
    let Some(secret) = htlc.shared_secret else {
        let failure = FailureMessage::InvalidOnionKey {
            sha256_of_onion: [0; 32],
        };
        return Err(Decision::Malformed(failure.code()));
    };
    let packet = OnionPacket::from_bytes(&htlc.onion)
        .map_err(|error| Decision::Malformed(error.failure(&htlc.onion).code()))?;
    match peel(&packet, &SharedSecret(secret), &htlc.payment_hash.0) {
        Ok(Peeled::Final { payload }) => Ok(Onion {
            payload,
            next: None,
        }),
        Ok(Peeled::Forward {
            payload,
            next_packet,
        }) => Ok(Onion {
            payload,
            next: Some(next_packet),
        }),
        Err(error) => {
            let failure = error.failure(&htlc.onion);
            let code = failure.code();
            Err(if code.has(FailureCode::BADONION) {
                Decision::Malformed(code)
            } else {
                Decision::Fail(failure)
            })
        }
    }
}

/// Asks plugins, then decides as the payload says.
async fn judge(node: &Rc<Node>, htlc: &HtlcRow, mut onion: Onion) -> Decision {
    let accepted_types = accepted_types(node);
    let mut changes = HtlcChanges::default();
    if node.plugins.judges_htlcs()
        && let Some(channel) = node.channels.get(htlc.channel)
    {
        let next_onion = onion.next.as_ref().map(OnionPacket::to_bytes);
        let scid = channel.row().scid_or_alias();
        let accepted = AcceptedHtlc {
            htlc,
            peer: channel.peer,
            scid,
            payload: &onion.payload,
            next_onion: next_onion.as_deref().unwrap_or_default(),
            forward_to: next_channel(node, &onion, &accepted_types),
            accepted: &accepted_types,
            height: node.chain.height(),
        };
        let verdict = tokio::select! {
            verdict = node.plugins.judge_htlc(&accepted) => verdict,
            () = too_late(node, htlc) => {
                let text = format!("HTLC {} on channel {} was held until it was almost too late: failed", htlc.id, htlc.channel);
                node.log.unusual(&node.origin, text);
                return Decision::Fail(FailureMessage::TemporaryNodeFailure {});
            }
        };
        match verdict {
            HtlcVerdict::Continue(changed) => changes = changed,
            HtlcVerdict::Fail(message) => return Decision::FailAs(message),
            HtlcVerdict::FailOnion(reason) => return Decision::FailOnion(reason),
            HtlcVerdict::Resolve(preimage) => return Decision::Fulfil(preimage),
            HtlcVerdict::WrongPreimage => {
                return Decision::Fail(unknown_payment(node, htlc.amount));
            }
        }
    }
    onion.payload = changes.payload.take().unwrap_or(onion.payload);
    interpret(node, htlc, &onion, &changes, &accepted_types)
}

/// `accept-htlc-tlv-type`: types of records in payloads that are accepted though we don't know them.
fn accepted_types(node: &Node) -> Vec<u64> {
    let given = node.settings().every("accept-htlc-tlv-type");
    given.iter().filter_map(|text| text.parse().ok()).collect()
}

/// The channel that an HTLC is to be forwarded to, if it is one of ours.
fn next_channel(node: &Node, onion: &Onion, accepted: &[u64]) -> Option<ChannelId> {
    onion.next.as_ref()?;
    let payload = HopPayload::read(&onion.payload, accepted).ok()?;
    let channel = node.channels.by_scid(payload.short_channel_id?)?;
    Some(channel.row().channel_id)
}

/// Waits until an HTLC that was fulfilled from then on would take its channel to the chain.
async fn too_late(node: &Rc<Node>, htlc: &HtlcRow) {
    let now = node.chain.height();
    let last = last_height(htlc.cltv_expiry, node.config.cltv_delta, now);
    let mut heights = node.chain.watch_height();
    drop(heights.wait_for(|height| *height >= last).await);
}

/// The height at which plugins that were asked about an HTLC now are not waited for any more.
// BOLT 2 §`cltv_expiry_delta` Selection: one we fulfilled has its deadline well before its expiry; some blocks are left for the peer. An HTLC
// that came with no more than an invoice asks for has no blocks to spare: plugins have until the deadline itself.
fn last_height(expiry: CltvExpiry, delta: CltvDelta, now: BlockHeight) -> BlockHeight {
    let deadline = expiry.0.saturating_sub(u32::from(delta.0).div_ceil(2));
    let early = deadline.saturating_sub(BLOCKS_TO_FULFIL);
    BlockHeight(if now.0 < early { early } else { deadline })
}

fn interpret(
    node: &Node,
    htlc: &HtlcRow,
    onion: &Onion,
    changes: &HtlcChanges,
    accepted: &[u64],
) -> Decision {
    let bytes = &onion.payload;
    let payload = match HopPayload::read(bytes, accepted) {
        Ok(payload) => payload,
        Err(error) => return Decision::Fail(error.failure()),
    };
    let arrived = HtlcIn {
        amount: htlc.amount,
        cltv_expiry: htlc.cltv_expiry,
        has_path_key: htlc.path_key.is_some(),
        is_final: onion.next.is_none(),
    };
    match instruction(&payload, &arrived, None) {
        Err(error) => Decision::Fail(error.failure(bytes)),
        Ok(Instruction::Forward {
            to,
            amount,
            cltv_expiry,
            next_path_key,
        }) => {
            let onion = onion.next.as_ref().map(OnionPacket::to_bytes);
            Decision::Forward(Box::new(Next {
                to,
                amount,
                cltv_expiry,
                path_key: next_path_key,
                onion: onion.unwrap_or_default(),
                instead: changes.forward_to,
                extra_tlvs: changes.extra_tlvs.clone().unwrap_or_default(),
            }))
        }
        Ok(Instruction::Receive {
            amount,
            total,
            cltv_expiry,
            payment_data,
            ..
        }) => {
            // BOLT 4 §`payload` format: the last HTLC must bring what the payload promises.
            if htlc.amount < amount {
                return Decision::Fail(FailureMessage::FinalIncorrectHtlcAmount {
                    incoming_htlc_amt: htlc.amount,
                });
            }
            if htlc.cltv_expiry < cltv_expiry {
                return Decision::Fail(FailureMessage::FinalIncorrectCltvExpiry {
                    cltv_expiry: htlc.cltv_expiry,
                });
            }
            let soonest = node.chain.height().expiry(node.config.cltv_final);
            match payment_data {
                Some(data) if htlc.cltv_expiry >= soonest => Decision::Receive {
                    total,
                    claim: Claim {
                        data,
                        invoice_msat: changes.invoice_msat,
                        unknown: payload.unknown,
                    },
                },
                Some(_) | None => Decision::Fail(unknown_payment(node, htlc.amount)),
            }
        }
    }
}

/// The one failure that tells a prober nothing.
fn unknown_payment(node: &Node, htlc_msat: Msat) -> FailureMessage {
    FailureMessage::IncorrectOrUnknownPaymentDetails {
        htlc_msat,
        height: node.chain.height(),
    }
}

async fn receive(node: &Rc<Node>, htlc: HtlcRow, total: Msat, claim: Claim) -> anyhow::Result<()> {
    let hash = htlc.payment_hash;
    let part = Part {
        channel: htlc.channel,
        id: htlc.id,
        amount: htlc.amount,
    };
    let secret = claim.data.payment_secret;
    let added = node
        .payments
        .sets
        .borrow_mut()
        .add(hash, secret, total, part);
    match added {
        Added::Mismatch => fail(node, &htlc, &unknown_payment(node, htlc.amount)).await?,
        Added::Waiting(number, first) => {
            let payable = node
                .db
                .read(move |txn| {
                    Ok(txn
                        .invoice_by_hash(&hash)?
                        .is_some_and(|invoice| accepts(&invoice, &claim, clock::now())))
                })
                .await?;
            if !payable {
                give_up(node, hash, number).await?;
            } else if first {
                let node = Rc::clone(node);
                tokio::task::spawn_local(async move {
                    // BOLT 4 §Basic Multi-Part Payments: the others have at least 60 seconds after the first part.
                    tokio::time::sleep(node.config.dev.mpp_timeout).await;
                    if let Err(error) = give_up(&node, hash, number).await {
                        node.log.broken(
                            &node.origin,
                            format!("parts of a payment can't be failed: {error:#}"),
                        );
                    }
                });
            }
        }
        Added::Complete(parts) => complete(node, hash, parts, claim).await?,
    }
    Ok(())
}

/// Fails the parts of a payment that will not be completed.
async fn give_up(node: &Rc<Node>, hash: PaymentHash, number: u64) -> anyhow::Result<()> {
    let parts = node.payments.sets.borrow_mut().time_out(hash, number);
    for part in parts {
        fail_part(node, part).await?;
    }
    Ok(())
}

/// Whether an invoice can be paid with these claims now.
// BOLT 4 §Requirements: secret and hash must fit, and the whole amount be between one and two times what was asked.
pub(super) fn accepts(invoice: &InvoiceRow, claim: &Claim, now: u64) -> bool {
    let data = &claim.data;
    let asked = claim.invoice_msat.or(invoice.amount);
    let asked_enough = asked.is_none_or(|amount| {
        data.total_msat >= amount && data.total_msat <= amount.saturating_add(amount)
    });
    invoice.status == InvoiceStatus::Unpaid
        && invoice.expires_at > now
        && invoice.payment_secret == data.payment_secret
        && asked_enough
}

/// The whole payment is here: the invoice is marked paid and every part gets the preimage, in one transaction, before anything is told to
/// the peers.
async fn complete(
    node: &Rc<Node>,
    hash: PaymentHash,
    parts: Vec<Part>,
    claim: Claim,
) -> anyhow::Result<()> {
    let received: Msat = parts.iter().map(|part| part.amount).sum();
    if let Some(failure) = refused(node, hash, received, &claim).await? {
        for part in parts {
            fail_part_as(node, part, failure.as_deref()).await?;
        }
        return Ok(());
    }
    let (claimed, now) = (parts.clone(), clock::now());
    let paid = node
        .db
        .write(move |txn| {
            let Some(invoice) = txn
                .invoice_by_hash(&hash)?
                .filter(|invoice| accepts(invoice, &claim, now))
            else {
                return Ok(None);
            };
            let invoice_paid = txn.set_invoice_paid(&hash, received, now)?;
            claimed
                .iter()
                .try_for_each(|part| keep_preimage(txn, part, &invoice.preimage))?;
            Ok(Some(invoice_paid))
        })
        .await?;
    let Some(invoice) = paid else {
        for part in parts {
            fail_part(node, part).await?;
        }
        return Ok(());
    };
    for part in parts {
        if let Some(channel) = node.channels.get(part.channel) {
            resolve_htlc(&channel, part.id, |htlc| {
                htlc.preimage = Some(invoice.preimage);
            });
        }
    }
    node.log.info(
        &node.origin,
        format!(
            "Resolved invoice '{}' with amount {received}",
            invoice.label
        ),
    );
    node.invoices.paid(node, &invoice);
    Ok(())
}

/// Asks plugins whether to take a payment. `Some` means no, with a failure of their own if they gave one.
pub(super) async fn refused(
    node: &Node,
    hash: PaymentHash,
    received: Msat,
    claim: &Claim,
) -> anyhow::Result<Option<Option<Vec<u8>>>> {
    if !node.plugins.judges_payments() {
        return Ok(None);
    }
    let invoice = node.db.read(move |txn| txn.invoice_by_hash(&hash)).await?;
    match invoice.filter(|invoice| accepts(invoice, claim, clock::now())) {
        Some(invoice) => {
            let unknown = node.config.developer.then_some(&*claim.unknown);
            let refused = node.plugins.payment_refused(&invoice, received, unknown);
            Ok(refused.await)
        }
        None => Ok(None),
    }
}

fn keep_preimage(
    txn: &mut Txn<'_>,
    part: &Part,
    preimage: &PaymentPreimage,
) -> Result<(), DbError> {
    txn.set_htlc_preimage(part.channel, HtlcDirection::Incoming, part.id, preimage)
}

async fn fail_part(node: &Rc<Node>, part: Part) -> anyhow::Result<()> {
    fail_part_as(node, part, None).await
}

/// The same with a message in bytes, if there is one.
async fn fail_part_as(node: &Rc<Node>, part: Part, message: Option<&[u8]>) -> anyhow::Result<()> {
    let Some(channel) = node.channels.get(part.channel) else {
        return Ok(());
    };
    let htlc = channel
        .htlcs
        .borrow()
        .get(&(HtlcDirection::Incoming, part.id))
        .cloned();
    let Some(htlc) = htlc else { return Ok(()) };
    match message {
        Some(message) => fail_as(node, &htlc, message).await,
        None => fail(node, &htlc, &unknown_payment(node, part.amount)).await,
    }
}

/// Fails an HTLC with a reason only its sender can read: durable, then told.
async fn fail(node: &Rc<Node>, htlc: &HtlcRow, failure: &FailureMessage) -> anyhow::Result<()> {
    node.log.debug(
        &node.origin,
        format!(
            "failing HTLC {} on channel {}: {:?}",
            htlc.id,
            htlc.channel,
            failure.code()
        ),
    );
    fail_as(node, htlc, &failure.to_bytes()).await
}

/// The same with a message in bytes.
async fn fail_as(node: &Rc<Node>, htlc: &HtlcRow, message: &[u8]) -> anyhow::Result<()> {
    let reason = failure_packet(node, htlc, message);
    fail_with(node, htlc, reason).await
}

/// A message for the sender of an HTLC, without our layer.
pub(super) fn failure_packet(node: &Node, htlc: &HtlcRow, message: &[u8]) -> Vec<u8> {
    let secret = SharedSecret(htlc.shared_secret.unwrap_or_default());
    create_failure_packet(&secret, message, node.config.dev.onion_reply_length)
}

/// The same with an encrypted message that only lacks our layer.
async fn fail_with(node: &Rc<Node>, htlc: &HtlcRow, reason: Vec<u8>) -> anyhow::Result<()> {
    fail_and(node, htlc, reason, |_| Ok(())).await
}

/// An HTLC for somebody else does not leave us.
async fn not_forwarded(
    node: &Rc<Node>,
    htlc: &HtlcRow,
    row: ForwardRow,
    failure: &FailureMessage,
) -> anyhow::Result<()> {
    let reason = failure_packet(node, htlc, &failure.to_bytes());
    let row = ForwardRow {
        status: ForwardStatus::LocalFailed,
        failcode: Some(failure.code().0),
        ..row
    };
    let kept = fail_and(node, htlc, reason, move |txn| txn.add_forward(&row)).await?;
    if let Some(row) = kept {
        tell_forward(node, row, None);
    }
    Ok(())
}

/// Fails an HTLC with an encrypted message that only lacks our layer, and keeps something else in the same transaction.
async fn fail_and<T: Send + 'static>(
    node: &Rc<Node>,
    htlc: &HtlcRow,
    mut reason: Vec<u8>,
    also: impl FnOnce(&mut Txn<'_>) -> Result<T, DbError> + Send + 'static,
) -> anyhow::Result<T> {
    let secret = SharedSecret(htlc.shared_secret.unwrap_or_default());
    wrap_failure_packet(&secret, &mut reason);
    let (channel, id, kept) = (htlc.channel, htlc.id, Ok(reason.clone()));
    let written = node.db.write(move |txn| {
        txn.set_htlc_failure(channel, HtlcDirection::Incoming, id, &kept)?;
        also(txn)
    });
    let written = written.await?;
    if let Some(channel) = node.channels.get(htlc.channel) {
        resolve_htlc(&channel, htlc.id, |htlc| htlc.failure = Some(reason));
    }
    Ok(written)
}

/// Fulfils an HTLC: durable, then told.
async fn fulfil(node: &Rc<Node>, htlc: &HtlcRow, preimage: PaymentPreimage) -> anyhow::Result<()> {
    let (channel, id) = (htlc.channel, htlc.id);
    node.db
        .write(move |txn| txn.set_htlc_preimage(channel, HtlcDirection::Incoming, id, &preimage))
        .await?;
    if let Some(channel) = node.channels.get(channel) {
        resolve_htlc(&channel, id, |htlc| htlc.preimage = Some(preimage));
    }
    Ok(())
}

/// Fails an HTLC whose onion could not be read.
async fn fail_malformed(node: &Rc<Node>, htlc: &HtlcRow, code: FailureCode) -> anyhow::Result<()> {
    let malformed = (sha256::Hash::hash(&htlc.onion).to_byte_array(), code.0);
    let (channel, id) = (htlc.channel, htlc.id);
    node.db
        .write(move |txn| {
            txn.set_htlc_failure(channel, HtlcDirection::Incoming, id, &Err(malformed))
        })
        .await?;
    if let Some(channel) = node.channels.get(htlc.channel) {
        resolve_htlc(&channel, htlc.id, |htlc| htlc.malformed = Some(malformed));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plugins_have_time_until_shortly_before_the_deadline() {
        let last = |expiry| last_height(CltvExpiry(expiry), CltvDelta(34), BlockHeight(100)).0;
        assert_eq!(last(300), 280);
        assert_eq!(last(121), 101);
        // What a payment to an invoice has at least, 18 blocks: not refused at once.
        assert_eq!(last(118), 101);
        // The deadline has passed.
        assert_eq!(last(117), 100);
    }
}
