//! What the node's own topics tell.

use std::rc::Rc;

use bitcoin::hex::DisplayHex;
use bitcoin::{BlockHash, Txid};
use futures_util::future::Either;
use ln_db::{DbError, ForwardRow, InvoiceRow, PaymentRow, PaymentStatus, Pending, StateChangeRow};
use ln_types::{BlockHeight, ChannelState, Msat, NodeId, PaymentPreimage, Sat};
use serde_json::{Map, Value, json};
use tokio::sync::oneshot;

use super::host::PluginHost;
use crate::channels::Channel;
use crate::clock;
use crate::log::timestamp;
use crate::node::Node;
use crate::peers::Connection;

impl PluginHost {
    /// `connect`
    pub(crate) fn tell_connect(&self, id: NodeId, connection: &Connection) {
        self.notify("connect", || {
            json!({
                "id": id,
                "direction": if connection.incoming { "in" } else { "out" },
                "address": crate::rpc::shown_address(&connection.address),
            })
        });
    }

    /// `disconnect`
    pub(crate) fn tell_disconnect(&self, id: NodeId) {
        self.notify("disconnect", || json!({ "id": id }));
    }

    /// `custommsg`
    pub(crate) fn tell_custommsg(&self, id: NodeId, message: &[u8]) {
        self.notify(
            "custommsg",
            || json!({ "peer_id": id, "payload": message.to_lower_hex_string() }),
        );
    }

    /// `channel_opened`
    pub(crate) fn tell_channel_opened(&self, id: NodeId, funding: Sat, txid: Txid) {
        self.notify("channel_opened", || {
            json!({
                "id": id,
                "funding_msat": funding.to_msat_saturating(),
                "funding_txid": txid,
                "channel_ready": false,
            })
        });
    }

    /// `block_added`
    pub(crate) fn tell_block(&self, hash: BlockHash, height: BlockHeight) {
        self.notify("block_added", || json!({ "hash": hash, "height": height }));
    }

    /// `invoice_creation`
    pub(crate) fn tell_invoice_made(
        &self,
        amount: Option<Msat>,
        preimage: PaymentPreimage,
        label: &str,
    ) {
        self.notify("invoice_creation", || {
            let mut fields = Map::new();
            fields.extend(amount.map(|amount| ("msat".to_owned(), json!(amount))));
            fields.insert("preimage".to_owned(), json!(preimage));
            fields.insert("label".to_owned(), json!(label));
            Value::Object(fields)
        });
    }

    /// `invoice_payment`
    pub(crate) fn tell_invoice_paid(&self, invoice: &InvoiceRow) {
        self.notify("invoice_payment", || {
            json!({
                "msat": invoice.received.unwrap_or(Msat::ZERO),
                "preimage": invoice.preimage,
                "label": invoice.label,
            })
        });
    }

    /// `sendpay_success` and `sendpay_failure`
    pub(crate) fn tell_payment(&self, us: NodeId, row: PaymentRow) {
        match row.status {
            PaymentStatus::Pending => {}
            PaymentStatus::Complete => {
                self.notify("sendpay_success", || crate::rpc::shown_payment(row));
            }
            PaymentStatus::Failed => {
                self.notify("sendpay_failure", || crate::rpc::payment_error(us, row));
            }
        }
    }

    /// `forward_event`
    pub(crate) fn tell_forward(&self, row: ForwardRow, preimage: Option<PaymentPreimage>) {
        self.notify("forward_event", || {
            let payment_hash = row.payment_hash;
            let mut fields = json!(crate::rpc::shown_forward(row));
            if let Some(members) = fields.as_object_mut() {
                members.insert("payment_hash".to_owned(), json!(payment_hash));
                members.extend(preimage.map(|preimage| ("preimage".to_owned(), json!(preimage))));
            }
            fields
        });
    }

    /// The fields of `channel_state_changed`, if anybody wants them.
    pub(crate) fn state_fields(&self, channel: &Channel, change: &StateChangeRow) -> Option<Value> {
        self.has_subscriber("channel_state_changed").then(|| {
            let mut fields = about(channel);
            fields.insert("old_state".to_owned(), json!(change.old.name()));
            fields.insert("new_state".to_owned(), json!(change.new.name()));
            fields.insert("cause".to_owned(), json!(change.cause));
            fields.insert("message".to_owned(), json!(change.message));
            Value::Object(fields)
        })
    }

    /// `channel_state_changed`, of a channel that is new.
    pub(crate) fn tell_new_channel(&self, channel: &Channel, by_peer: bool) {
        self.notify("channel_state_changed", || {
            let mut fields = about(channel);
            let state = channel.row().state;
            fields.insert("new_state".to_owned(), json!(state.name()));
            let cause = if by_peer { "remote" } else { "user" };
            fields.insert("cause".to_owned(), json!(cause));
            fields.insert("message".to_owned(), json!("new channel opened"));
            Value::Object(fields)
        });
    }

    /// `channel_state_changed`
    pub(crate) fn tell_state(&self, fields: Value) {
        self.notify("channel_state_changed", || fields);
    }

    /// `channel_state_changed`, as soon as the change is durable.
    pub(crate) fn tell_state_after(
        self: &Rc<Self>,
        fields: Option<Value>,
        durable: Pending<()>,
    ) -> impl Future<Output = Result<(), DbError>> + use<> {
        let Some(fields) = fields else {
            return Either::Left(durable);
        };
        let (sender, receiver) = oneshot::channel();
        let host = Rc::clone(self);
        tokio::task::spawn_local(async move {
            let outcome = durable.await;
            if outcome.is_ok() {
                host.tell_state(fields);
            }
            drop(sender.send(outcome));
        });
        Either::Right(async { receiver.await.unwrap_or(Err(DbError::Closed)) })
    }

    /// `balance_snapshot`
    pub(crate) fn tell_balances(&self, node: &Node) {
        self.notify("balance_snapshot", || {
            let coin_type = node.config.network.invoice_prefix();
            let coins = node.wallet.coins();
            let unspent = coins
                .iter()
                .filter(|coin| coin.spent_height.is_none() && coin.height.is_some());
            let wallet: Sat = unspent.map(|coin| coin.value).sum();
            let account = |name: String, balance: Msat| json!({ "account_id": name, "balance_msat": balance, "coin_type": coin_type });
            let mut accounts = vec![account("wallet".to_owned(), wallet.to_msat_saturating())];
            let channels = node.channels.all();
            let open = channels.iter().filter(|channel| has_balance(channel));
            accounts.extend(open.map(|channel| {
                let balance = channel.machine().map_or(Msat::ZERO, |state| state.to_us());
                account(channel.row().channel_id.to_string(), balance)
            }));
            json!({
                "node_id": node.id(),
                "blockheight": node.chain.height(),
                "timestamp": clock::now(),
                "accounts": accounts,
            })
        });
    }
}

/// Whether a channel's account holds our balance: it was opened, and is not closed yet.
fn has_balance(channel: &Channel) -> bool {
    matches!(
        channel.row().state,
        ChannelState::ChanneldNormal
            | ChannelState::ChanneldAwaitingSplice
            | ChannelState::ChanneldShuttingDown
            | ChannelState::ClosingdSigexchange
            | ChannelState::FundingSpendSeen
    )
}

/// What each change of a channel's state tells.
fn about(channel: &Channel) -> Map<String, Value> {
    let row = channel.row();
    let mut fields = Map::new();
    fields.insert("peer_id".to_owned(), json!(channel.peer));
    fields.insert("channel_id".to_owned(), json!(row.channel_id));
    fields.extend(
        row.scid
            .map(|scid| ("short_channel_id".to_owned(), json!(scid))),
    );
    let now = timestamp(clock::since_epoch());
    fields.insert("timestamp".to_owned(), json!(now));
    fields
}
