//! One channel as the master keeps it.

use std::cell::{Cell, Ref, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Instant;

use ln_codec::Decode as _;
use ln_db::{
    ChannelRow, ChannelTxRow, ForwardRow, HtlcDirection, HtlcRow, PaymentRow, StateChangeRow,
};
use ln_types::{BlockHeight, ChannelState, HtlcId, Msat, NodeId};
use tokio::sync::{oneshot, watch};

use crate::clock;
use crate::log::Origin;
use crate::node::Node;
use crate::payments::Terms;
use crate::subd::SubdSender;

/// On whose account a channel is closed or changes its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CloseCause {
    /// Nobody knows.
    Unknown,
    /// Our node itself.
    Local,
    /// Our operator.
    User,
    /// The peer.
    Remote,
    /// A broken rule.
    Protocol,
    /// The chain.
    Onchain,
}

impl CloseCause {
    const ALL: [Self; 6] = [
        Self::Unknown,
        Self::Local,
        Self::User,
        Self::Remote,
        Self::Protocol,
        Self::Onchain,
    ];

    /// The word in RPC replies.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Local => "local",
            Self::User => "user",
            Self::Remote => "remote",
            Self::Protocol => "protocol",
            Self::Onchain => "onchain",
        }
    }

    /// The number in the database.
    pub(crate) fn number(self) -> u8 {
        Self::ALL
            .iter()
            .zip(0..)
            .find(|(cause, _)| **cause == self)
            .map_or(0, |(_, number)| number)
    }

    /// The cause with this number.
    pub(crate) fn from_number(number: u8) -> Self {
        Self::ALL
            .get(usize::from(number))
            .copied()
            .unwrap_or(Self::Unknown)
    }
}

/// The daemon that serves a channel.
#[derive(Debug, Clone)]
pub(crate) enum Owner {
    /// Being started.
    Starting,
    /// channeld.
    Channeld(SubdSender),
    /// closingd.
    Closingd,
    /// onchaind.
    Onchaind,
}

impl Owner {
    /// Its name in `listpeerchannels`.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Starting => "lightningd",
            Self::Channeld(_) => "channeld",
            Self::Closingd => "closingd",
            Self::Onchaind => "onchaind",
        }
    }
}

/// An HTLC that channeld was asked to offer and that is not durable yet.
#[derive(Debug)]
pub(crate) struct PendingOffer {
    /// The HTLC, without its id.
    pub(crate) htlc: HtlcRow,
    /// Our payment it is a part of, to be kept together with it.
    pub(crate) payment: Option<PaymentRow>,
    /// The forward it is a part of, the same way.
    pub(crate) forward: Option<ForwardRow>,
    /// Told once it is durable (the id and, for a payment, its `created_index`), or refused.
    pub(crate) reply: oneshot::Sender<Result<(HtlcId, Option<u64>), super::OfferError>>,
}

/// One channel.
#[derive(Debug)]
pub(crate) struct Channel {
    /// Its number.
    pub(crate) dbid: u64,
    /// The peer.
    pub(crate) peer: NodeId,
    row: RefCell<ChannelRow>,
    /// The protocol state in `row`, decoded once it is asked for.
    decoded: RefCell<Option<Rc<ln_channel::ChannelState>>>,
    /// Who serves it.
    pub(crate) owner: RefCell<Option<Owner>>,
    /// The number of the connection its last daemon was started on.
    pub(super) served_on: Cell<Option<u64>>,
    /// Whether HTLCs can be offered on the present connection.
    pub(crate) reestablished: Cell<bool>,
    /// The channel daemon's last sentence about it.
    pub(crate) billboard: RefCell<Rc<RefCell<Option<String>>>>,
    /// What we asked for before, and until when that is good enough.
    old_terms: Cell<Option<(Terms, Instant)>>,
    /// Our last `channel_update` that was made public in this run, for those whose HTLC does not fit it.
    pub(crate) published: RefCell<Vec<u8>>,
    /// The timestamp of our last `channel_update` for it in this run.
    last_update: Cell<u32>,
    /// Its changes of state.
    pub(crate) changes: RefCell<Vec<StateChangeRow>>,
    /// Offers that are not durable yet, by request number.
    pub(crate) offers: RefCell<HashMap<u64, PendingOffer>>,
    /// HTLCs in a commitment.
    pub(crate) htlcs: RefCell<HashMap<(HtlcDirection, HtlcId), HtlcRow>>,
    /// Sees every state.
    pub(crate) state: watch::Sender<ChannelState>,
    /// What the closing transaction's fee may be, as the user said.
    pub(crate) close_feerates: RefCell<Option<(ln_types::Feerate, ln_types::Feerate)>>,
    /// The feerate that `dev-feerate` wants for commitments.
    pub(crate) dev_feerate: Cell<Option<ln_types::Feerate>>,
    /// Counts the attempts to broadcast a transaction that closes it.
    pub(crate) closing_sent: watch::Sender<u64>,
    /// The transaction of a commitment of ours, and its fee, as they were last asked for.
    pub(super) scratch: RefCell<Option<super::scratch::Scratch>>,
    /// When this run of the node first missed the funding of a channel opened to us.
    pub(super) unfunded_since: Cell<Option<BlockHeight>>,
    /// The height at which the funding output was spent.
    pub(crate) spend_height: Cell<Option<BlockHeight>>,
    /// How it ends on chain.
    pub(crate) ending: super::onchain::Ending,
    /// Our balance, for the statistics of its extremes.
    to_us: Cell<Msat>,
}

impl Channel {
    /// A channel as the database has it.
    pub(crate) fn new(row: ChannelRow, changes: Vec<StateChangeRow>, htlcs: Vec<HtlcRow>) -> Self {
        let to_us = ln_channel::ChannelState::from_bytes(&row.machine)
            .map_or(row.to_us_min, |state| state.to_us());
        Self {
            dbid: row.dbid,
            peer: row.peer,
            decoded: RefCell::default(),
            owner: RefCell::default(),
            served_on: Cell::default(),
            reestablished: Cell::new(false),
            billboard: RefCell::default(),
            old_terms: Cell::default(),
            published: RefCell::default(),
            last_update: Cell::default(),
            changes: RefCell::new(changes),
            offers: RefCell::default(),
            htlcs: RefCell::new(
                htlcs
                    .into_iter()
                    .map(|htlc| ((htlc.direction, htlc.id), htlc))
                    .collect(),
            ),
            state: watch::Sender::new(row.state),
            close_feerates: RefCell::default(),
            dev_feerate: Cell::default(),
            closing_sent: watch::Sender::new(0),
            scratch: RefCell::default(),
            unfunded_since: Cell::default(),
            spend_height: Cell::new(None),
            ending: super::onchain::Ending::default(),
            to_us: Cell::new(to_us),
            row: RefCell::new(row),
        }
    }

    /// What we asked for before is good enough until then.
    pub(super) fn keep_terms(&self, terms: Terms, until: Instant) {
        self.old_terms.set(Some((terms, until)));
    }

    /// What we asked for before, if that is still good enough.
    pub(crate) fn old_terms(&self, now: Instant) -> Option<Terms> {
        let (terms, until) = self.old_terms.get()?;
        (now < until).then_some(terms)
    }

    /// What the database has of its end on chain.
    pub(super) fn load_ending(&self, rows: Vec<ChannelTxRow>) {
        self.ending.load(rows);
        self.spend_height.set(self.ending.spend_height());
    }

    /// Nobody serves it any more, if it is served as `by` says: another daemon may have it already.
    pub(crate) fn release_owner(&self, by: impl FnOnce(&Owner) -> bool) {
        self.owner.borrow_mut().take_if(|owner| by(owner));
    }

    /// What is kept of it.
    pub(crate) fn row(&self) -> Ref<'_, ChannelRow> {
        self.row.borrow()
    }

    /// Changes what is kept of it, in memory.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut ChannelRow) -> T) -> T {
        change(&mut self.row.borrow_mut())
    }

    /// Our balance changed: its extremes are kept.
    pub(crate) fn moved(&self, change: impl FnOnce(Msat) -> Msat) {
        let to_us = change(self.to_us.get());
        self.to_us.set(to_us);
        self.change(|row| {
            row.to_us_min = row.to_us_min.min(to_us);
            row.to_us_max = row.to_us_max.max(to_us);
        });
    }

    /// Who its log lines come from.
    pub(crate) fn origin(&self) -> Origin {
        Origin::of_peer(self.peer, &format!("chan#{}", self.dbid))
    }

    /// Its protocol state.
    pub(crate) fn machine(&self) -> Result<Rc<ln_channel::ChannelState>, ln_codec::DecodeError> {
        let mut decoded = self.decoded.borrow_mut();
        if let Some(state) = &*decoded {
            return Ok(Rc::clone(state));
        }
        let state = Rc::new(ln_channel::ChannelState::from_bytes(
            &self.row.borrow().machine,
        )?);
        *decoded = Some(Rc::clone(&state));
        Ok(state)
    }

    /// Its protocol state is another one now, in memory.
    pub(crate) fn set_machine(&self, state: &[u8]) {
        self.change(|row| {
            row.machine.clear();
            row.machine.extend_from_slice(state);
        });
        self.decoded.take();
    }

    /// The timestamp for our next `channel_update` for it.
    // BOLT 7 §The `channel_update` Message: greater than in the last one for the channel, or nobody takes it.
    pub(super) fn update_time(&self, now: u64) -> u32 {
        let now = u32::try_from(now).unwrap_or(u32::MAX);
        let time = now.max(self.last_update.get().saturating_add(1));
        self.last_update.set(time);
        time
    }

    /// How deep its funding transaction is.
    pub(crate) fn depth(&self, tip: BlockHeight) -> u32 {
        self.row
            .borrow()
            .scid
            .map_or(0, |scid| BlockHeight(scid.block()).depth_at(tip))
    }

    /// channeld, when it serves the channel.
    pub(crate) fn channeld(&self) -> Option<SubdSender> {
        match &*self.owner.borrow() {
            Some(Owner::Channeld(sender)) => Some(sender.clone()),
            Some(Owner::Starting | Owner::Closingd | Owner::Onchaind) | None => None,
        }
    }

    /// Makes what is kept of it durable as it is now.
    pub(crate) fn save(&self, node: &Node) -> ln_db::Pending<()> {
        let row = self.row.borrow().clone();
        node.db.write(move |txn| txn.put_channel(&row))
    }

    /// Goes to another state. The change is queued for the database; await the result where the order matters.
    pub(crate) fn set_state(
        &self,
        node: &Node,
        new: ChannelState,
        cause: CloseCause,
        message: &str,
    ) -> impl Future<Output = Result<(), ln_db::DbError>> + use<> {
        let change = self.note_state(node, new, cause, message);
        let told = self.told(node, change.as_ref());
        let row = self.row.borrow().clone();
        let dbid = self.dbid;
        let durable = node.db.write(move |txn| {
            txn.put_channel(&row)?;
            change
                .iter()
                .try_for_each(|change| txn.add_state_change(dbid, change))
        });
        node.plugins.tell_state_after(told, durable)
    }

    /// What plugins are to be told of a change once it is durable, if any of them wants to know.
    pub(crate) fn told(
        &self,
        node: &Node,
        change: Option<&StateChangeRow>,
    ) -> Option<serde_json::Value> {
        node.plugins.state_fields(self, change?)
    }

    /// Goes to another state in memory; the caller makes it durable.
    pub(crate) fn note_state(
        &self,
        node: &Node,
        new: ChannelState,
        cause: CloseCause,
        message: &str,
    ) -> Option<StateChangeRow> {
        let old = self.row.borrow().state;
        if old == new {
            return None;
        }
        node.log
            .info(&self.origin(), format!("State changed from {old} to {new}"));
        let change = StateChangeRow {
            timestamp: clock::now(),
            old,
            new,
            cause: cause.name().to_owned(),
            message: message.to_owned(),
        };
        self.change(|row| {
            row.state = new;
            if new.is_closing() && row.close_cause == CloseCause::Unknown.number() {
                row.close_cause = cause.number();
            }
        });
        self.changes.borrow_mut().push(change.clone());
        self.state.send_replace(new);
        Some(change)
    }
}
