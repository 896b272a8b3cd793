//! Making a step of channeld's durable, and what it means.

use std::rc::Rc;

use ln_db::{
    ChannelCounters, ChannelMoveRow, DbError, ForwardRow, HtlcDirection, HtlcRow, PaymentRow,
    PenaltyBaseRow, StateChangeRow, Txn,
};
use ln_ipc::channeld::{ChannelEvent, ChanneldPersist, ReceivedHtlc, RevokedCommitment};
use ln_types::{ChannelMoveTag, ChannelState, HtlcId, PaymentHash, PaymentPreimage, Side};

use super::onchain::Revoked;
use super::{Channel, CloseCause, PendingOffer};
use crate::accounts::{self, Line};
use crate::clock;
use crate::node::Node;
use crate::payments::{self, ForwardEnd};

//~ 6. A step of channeld's becomes two lists: what is written, all in one transaction, and what is told once that is on disk. Payments, invoices and
//~ waiting RPC calls hear of an HTLC from the second list only, so that a crash never takes back what somebody heard. Next: `ln-db/src/thread.rs`.
/// One change to the database that an event asks for.
enum Step {
    AddHtlc(
        Box<HtlcRow>,
        Option<Box<PaymentRow>>,
        Option<Box<ForwardRow>>,
    ),
    Opened(accounts::Entry),
    Fulfilled(HtlcId, PaymentPreimage, Option<(PaymentHash, (u64, u64))>),
    Failed(
        HtlcId,
        Result<Vec<u8>, ([u8; 32], u16)>,
        Option<(PaymentHash, (u64, u64))>,
    ),
    Forwarded(ForwardEnd),
    Removed(HtlcDirection, HtlcId, Option<Box<ChannelMoveRow>>),
    Revoked(Box<PenaltyBaseRow>),
}

/// What is told once everything is durable.
enum After {
    Offered(PendingOffer, HtlcId),
    /// Whether it is one too many of those too small for the chain.
    Received(Box<HtlcRow>, bool),
    PaymentChanged(PaymentHash, (u64, u64)),
    Forwarded(Box<ForwardEnd>),
    Ready,
    ShuttingDown,
    Revoked(Box<Revoked>),
}

/// A step of channeld's, taken apart.
#[derive(Default)]
struct Work {
    steps: Vec<Step>,
    after: Vec<After>,
    change: Option<StateChangeRow>,
    row_changed: bool,
    /// The channel's state before, if anybody wants to know what is revoked.
    before: Option<Rc<ln_channel::ChannelState>>,
}

impl Work {
    fn event(&mut self, node: &Rc<Node>, channel: &Rc<Channel>, event: ChannelEvent) {
        match event {
            ChannelEvent::Offered(id, request) => self.offered(channel, id, request),
            ChannelEvent::Received(received) => self.received(channel, received),
            ChannelEvent::Fulfilled(id, preimage) => self.fulfilled(node, channel, id, preimage),
            ChannelEvent::Failed(id, reason) => self.failed(node, channel, id, Ok(reason)),
            ChannelEvent::FailedMalformed(id, code) => {
                self.failed(node, channel, id, Err(([0; 32], code)));
            }
            ChannelEvent::OfferedRemoved(id) => self.removed(channel, HtlcDirection::Outgoing, id),
            ChannelEvent::ReceivedRemoved(id) => self.removed(channel, HtlcDirection::Incoming, id),
            ChannelEvent::RemoteReady(alias) => {
                channel.change(|row| row.alias_remote = alias.or(row.alias_remote));
                self.row_changed = true;
            }
            ChannelEvent::Ready => {
                if channel.row().state == ChannelState::ChanneldAwaitingLockin {
                    self.change = channel.note_state(
                        node,
                        ChannelState::ChanneldNormal,
                        CloseCause::Unknown,
                        "Lockin complete",
                    );
                }
                self.row_changed = true;
                let opened = accounts::channel_opened(&channel.row());
                self.steps.push(Step::Opened(opened));
                self.after.push(After::Ready);
            }
            ChannelEvent::ShuttingDown(shutdown) => {
                let by_peer = shutdown.local_script.is_none();
                channel.change(|row| {
                    row.shutdown_local = shutdown.local_script.or(row.shutdown_local.take());
                    row.shutdown_remote = shutdown.remote_script.or(row.shutdown_remote.take());
                    row.closer
                        .get_or_insert(if by_peer { Side::Remote } else { Side::Local });
                });
                let cause = if by_peer {
                    CloseCause::Remote
                } else {
                    CloseCause::User
                };
                let text = if by_peer {
                    "Peer closes channel"
                } else {
                    "User or plugin invoked close command"
                };
                let state = channel.row().state;
                if matches!(
                    state,
                    ChannelState::ChanneldNormal | ChannelState::ChanneldAwaitingLockin
                ) {
                    self.change =
                        channel.note_state(node, ChannelState::ChanneldShuttingDown, cause, text);
                }
                self.row_changed = true;
                self.after.push(After::ShuttingDown);
            }
            ChannelEvent::Revoked(revoked) => self.revoked(node, channel, &revoked),
        }
    }

    fn revoked(&mut self, node: &Node, channel: &Channel, revoked: &RevokedCommitment) {
        let Some(before) = self.before.take() else {
            return;
        };
        let made = channel
            .machine()
            .map_err(anyhow::Error::from)
            .and_then(|after| Revoked::new(&before, &after, revoked));
        match made {
            Ok(Some(made)) => {
                self.steps
                    .push(Step::Revoked(Box::new(made.row(channel.dbid))));
                self.after.push(After::Revoked(Box::new(made)));
            }
            Ok(None) => {}
            Err(error) => {
                let text = format!("what the peer revoked is not known any more: {error:#}");
                node.log.broken(&channel.origin(), text);
            }
        }
    }

    fn offered(&mut self, channel: &Rc<Channel>, id: HtlcId, request: u64) {
        let Some(mut offer) = channel.offers.borrow_mut().remove(&request) else {
            return;
        };
        offer.htlc.id = id;
        channel
            .htlcs
            .borrow_mut()
            .insert((HtlcDirection::Outgoing, id), offer.htlc.clone());
        channel.change(|row| {
            row.out_payments_offered += 1;
            row.out_offered = row.out_offered.saturating_add(offer.htlc.amount);
        });
        self.steps.push(Step::AddHtlc(
            Box::new(offer.htlc.clone()),
            offer.payment.take().map(Box::new),
            offer.forward.take().map(|forward| {
                let out_htlc = Some(id);
                Box::new(ForwardRow {
                    out_htlc,
                    ..forward
                })
            }),
        ));
        self.after.push(After::Offered(offer, id));
    }

    fn received(&mut self, channel: &Rc<Channel>, received: ReceivedHtlc) {
        let key = (HtlcDirection::Incoming, received.id);
        if channel.htlcs.borrow().contains_key(&key) {
            return;
        }
        let over_dust_exposure = received.over_dust_exposure;
        let htlc = HtlcRow {
            channel: channel.dbid,
            direction: HtlcDirection::Incoming,
            id: received.id,
            amount: received.amount,
            cltv_expiry: received.cltv_expiry,
            payment_hash: received.payment_hash,
            onion: received.onion,
            path_key: received.path_key,
            extra_tlvs: received.extra_tlvs,
            shared_secret: received.shared_secret,
            preimage: None,
            failure: None,
            malformed: None,
            removed: false,
            payment: None,
            origin: None,
        };
        channel.htlcs.borrow_mut().insert(key, htlc.clone());
        channel.change(|row| {
            row.in_payments_offered += 1;
            row.in_offered = row.in_offered.saturating_add(htlc.amount);
        });
        self.steps
            .push(Step::AddHtlc(Box::new(htlc.clone()), None, None));
        self.after
            .push(After::Received(Box::new(htlc), over_dust_exposure));
    }

    fn fulfilled(
        &mut self,
        node: &Node,
        channel: &Rc<Channel>,
        id: HtlcId,
        preimage: PaymentPreimage,
    ) {
        let Some(htlc) = change_offered(channel, id, |htlc| {
            let is_new = htlc.preimage.is_none();
            htlc.preimage = Some(preimage);
            is_new
        }) else {
            return;
        };
        channel.change(|row| {
            row.out_payments_fulfilled += 1;
            row.out_fulfilled = row.out_fulfilled.saturating_add(htlc.amount);
        });
        channel.moved(|to_us| to_us.saturating_sub(htlc.amount));
        let end = ForwardEnd::paid(node, &htlc, preimage);
        let payment = htlc.payment.map(|part| (htlc.payment_hash, part));
        self.steps.push(Step::Fulfilled(id, preimage, payment));
        self.ended(payment, end);
    }

    fn failed(
        &mut self,
        node: &Node,
        channel: &Rc<Channel>,
        id: HtlcId,
        failure: Result<Vec<u8>, ([u8; 32], u16)>,
    ) {
        let Some(htlc) = change_offered(channel, id, |htlc| {
            match &failure {
                Ok(reason) => htlc.failure = Some(reason.clone()),
                Err(malformed) => htlc.malformed = Some(*malformed),
            }
            true
        }) else {
            return;
        };
        let end = ForwardEnd::failed(node, &htlc, &failure);
        let payment = htlc.payment.map(|part| (htlc.payment_hash, part));
        self.steps.push(Step::Failed(id, failure, payment));
        self.ended(payment, end);
    }

    /// The outcome of an HTLC we offered is known: of a payment of ours, or of one that came in.
    fn ended(&mut self, payment: Option<(PaymentHash, (u64, u64))>, end: Option<ForwardEnd>) {
        if let Some((hash, part)) = payment {
            self.after.push(After::PaymentChanged(hash, part));
        }
        if let Some(end) = end {
            self.steps.push(Step::Forwarded(end.clone()));
            self.after.push(After::Forwarded(Box::new(end)));
        }
    }

    fn removed(&mut self, channel: &Rc<Channel>, direction: HtlcDirection, id: HtlcId) {
        let Some(htlc) = channel.htlcs.borrow_mut().remove(&(direction, id)) else {
            return;
        };
        if direction == HtlcDirection::Incoming && htlc.preimage.is_some() {
            channel.change(|row| {
                row.in_payments_fulfilled += 1;
                row.in_fulfilled = row.in_fulfilled.saturating_add(htlc.amount);
            });
            channel.moved(|to_us| to_us.saturating_add(htlc.amount));
        }
        let moved = accounts::resolved_htlc(channel.row().channel_id, &htlc);
        self.steps
            .push(Step::Removed(direction, id, moved.map(Box::new)));
    }
}

/// Changes an HTLC we offered; nothing if there is none, or there was nothing to change.
fn change_offered(
    channel: &Channel,
    id: HtlcId,
    change: impl FnOnce(&mut HtlcRow) -> bool,
) -> Option<HtlcRow> {
    let mut htlcs = channel.htlcs.borrow_mut();
    let htlc = htlcs.get_mut(&(HtlcDirection::Outgoing, id))?;
    change(htlc).then(|| htlc.clone())
}

/// Makes a step of channeld's durable and acts on it. `persisted` is called as soon as it is durable, before anything else is done.
pub(super) fn persist(
    node: &Rc<Node>,
    channel: &Rc<Channel>,
    message: ChanneldPersist,
    persisted: impl FnOnce() + 'static,
) -> impl Future<Output = Result<(), DbError>> + 'static {
    let mut work = Work::default();
    if node.plugins.watches_revocations() {
        work.before = channel.machine().ok();
    }
    channel.set_machine(&message.state.0);
    for event in message.events {
        work.event(node, channel, event);
    }
    let Work {
        steps,
        after,
        change,
        row_changed,
        before: _,
    } = work;
    let told = channel.told(node, change.as_ref());
    let dbid = channel.dbid;
    let row = row_changed.then(|| channel.row().clone());
    let counters = counters(channel);
    let now = clock::now();
    let machine = message.state.0;
    let durable = node.db.write(move |txn| {
        match &row {
            Some(row) => txn.put_channel(row)?,
            None => txn.set_machine(dbid, &machine, &counters)?,
        }
        change
            .iter()
            .try_for_each(|change| txn.add_state_change(dbid, change))?;
        let mut written = Written::default();
        for step in steps {
            apply(txn, dbid, step, now, &mut written)?;
        }
        Ok(written)
    });
    let (node, channel) = (Rc::clone(node), Rc::clone(channel));
    async move {
        let mut written = durable.await?;
        persisted();
        if let Some(told) = told {
            node.plugins.tell_state(told);
        }
        accounts::tell(&node, std::mem::take(&mut written.lines));
        for row in written.begun.drain(..) {
            payments::tell_forward(&node, row, None);
        }
        act(&node, &channel, after, written);
        Ok(())
    }
}

fn counters(channel: &Channel) -> ChannelCounters {
    ChannelCounters::of(&channel.row())
}

/// What came of writing.
#[derive(Default)]
struct Written {
    /// The `created_index` of each payment that is new, in order of the offers.
    indexes: Vec<Option<u64>>,
    /// How parts of payments stand that ended, in order.
    ended: Vec<Option<PaymentRow>>,
    /// Forwards that were begun.
    begun: Vec<ForwardRow>,
    /// How forwards stand that ended, in order.
    forwards: Vec<Option<ForwardRow>>,
    /// What moved.
    lines: Vec<Line>,
}

/// Does one step.
fn apply(
    txn: &mut Txn<'_>,
    dbid: u64,
    step: Step,
    now: u64,
    written: &mut Written,
) -> Result<(), DbError> {
    match step {
        Step::AddHtlc(htlc, payment, forward) => {
            txn.add_htlc(&htlc)?;
            if let Some(forward) = forward {
                written.begun.extend(txn.add_forward(&forward)?);
            }
            if htlc.direction == HtlcDirection::Outgoing {
                written.indexes.push(
                    payment
                        .map(|payment| txn.add_payment(&payment))
                        .transpose()?,
                );
            }
            Ok(())
        }
        Step::Fulfilled(id, preimage, payment) => {
            txn.set_htlc_preimage(dbid, HtlcDirection::Outgoing, id, &preimage)?;
            if let Some((hash, part)) = payment {
                let row = txn.complete_payment(&hash, part, &preimage, now)?;
                written.ended.push(row);
            }
            Ok(())
        }
        Step::Failed(id, failure, payment) => {
            txn.set_htlc_failure(dbid, HtlcDirection::Outgoing, id, &failure)?;
            if let Some((hash, part)) = payment {
                let row = payments::fail_in(txn, &hash, part, &failure, now)?;
                written.ended.push(row);
            }
            Ok(())
        }
        Step::Forwarded(end) => {
            written.forwards.push(end.keep(txn)?);
            Ok(())
        }
        Step::Opened(entry) => {
            written.lines.extend(accounts::keep(txn, [entry])?);
            Ok(())
        }
        Step::Revoked(base) => txn.add_penalty_base(&base),
        Step::Removed(direction, id, moved) => {
            if let Some(mut row) = moved {
                if let (Some(hash), Some(part)) = (row.payment_hash, row.payment) {
                    row.fees = txn.payment_fees(&hash, part)?;
                } else if let Some(fee) = txn.forwarding_fee(dbid, direction, id)? {
                    row.tag = ChannelMoveTag::Routed;
                    row.fees = fee;
                }
                let entry = accounts::Entry::Channel(row);
                written.lines.extend(accounts::keep(txn, [entry])?);
            }
            txn.set_htlc_removed(dbid, direction, id)
        }
    }
}

/// Tells the rest of the node.
fn act(node: &Rc<Node>, channel: &Rc<Channel>, after: Vec<After>, written: Written) {
    let mut indexes = written.indexes.into_iter();
    let mut ended = written.ended.into_iter();
    let mut forwards = written.forwards.into_iter();
    for what in after {
        match what {
            After::Offered(offer, id) => {
                let index = indexes.next().flatten();
                drop(offer.reply.send(Ok((id, index))));
            }
            After::Received(htlc, over_dust) => payments::htlc_received(node, *htlc, over_dust),
            After::PaymentChanged(hash, part) => {
                let row = ended.next().flatten();
                node.payments.changed(node, hash, part, row);
            }
            After::Forwarded(end) => end.tell(node, forwards.next().flatten()),
            After::Ready => {
                node.log.debug(&channel.origin(), "channel is ready");
                super::gossip::channel_ready(node, channel);
            }
            After::Revoked(revoked) => {
                let (node, channel) = (Rc::clone(node), Rc::clone(channel));
                tokio::task::spawn_local(async move { revoked.tell(&node, &channel).await });
            }
            After::ShuttingDown => {
                super::gossip::channel_closing(node, channel);
                super::closing::answer_shutdown(node, channel);
            }
        }
    }
}
