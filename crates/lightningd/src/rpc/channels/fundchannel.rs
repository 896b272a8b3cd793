//! `fundchannel`
//!
//! Order is what keeps the money safe: the peer agrees, the transaction is signed, the peer signs our way out, the channel is durable, and
//! only then the transaction is sent. Whatever fails before that releases the coins.

use std::rc::Rc;

use bitcoin::consensus::encode::serialize;
use bitcoin::hashes::Hash as _;
use bitcoin::{OutPoint, ScriptBuf, Transaction, WScriptHash};
use ln_rpc::methods::channels::fundchannel::{Fundchannel, FundchannelParams, FundchannelResponse};
use ln_rpc::params::{Hex, SatOrAll};
use ln_rpc::{RpcError, RpcErrorCode};
use ln_types::{FeeTarget, NodeId};
use ln_wallet::Amount;
use serde_json::json;

use super::terms::{MAX_FUNDING, Terms, ask, check_amount, may_be_large, open_error, wait_synced};
use super::types::channel_type;
use crate::chain::NotSent;
use crate::channels::{Channel, OpenRequest, forget_unfunded};
use crate::node::Node;
use crate::rpc::wallet::{feerate, spend_error};
use crate::rpc::{Context, Handle, internal};
use crate::wallet::{PreparedTx, SpendRequest, prepare, release, send, sign};

impl Handle for Fundchannel {
    async fn handle(
        node: Rc<Node>,
        context: Context,
        params: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        if params.request_amt.is_some() || params.compact_lease.is_some() {
            let text = "request_amt: this node does not buy liquidity from peers";
            return Err(RpcError::invalid_params(text));
        }
        let mut request = terms(&params).request(&node)?;
        let spend = spend_request(&node, &params)?;
        connect(&node, params.id).await?;
        wait_synced(&node, &context).await;
        if node.openings.is_opening(params.id) {
            return Err(RpcError::lightningd("Already funding channel"));
        }
        let prepared = prepare_funding(&node, spend, params.id).await?;
        request.funding = prepared.paid_to(&placeholder()).unwrap_or_default();
        let coins = prepared.coins.clone();
        match open(&node, request, prepared).await {
            Ok(funded) => finish(&node, params.close_to.is_some(), funded).await,
            Err(error) => {
                release(&node, &coins).await.map_err(internal)?;
                Err(blamed(error, params.id, "fundchannel_start"))
            }
        }
    }
}

fn terms(params: &FundchannelParams) -> Terms {
    Terms {
        id: params.id,
        announce: params.announce,
        push_msat: params.push_msat,
        close_to: params.close_to.clone(),
        mindepth: params.mindepth,
        reserve: params.reserve,
        channel_type: params.channel_type.clone(),
        feerate: None,
    }
}

fn spend_request(node: &Node, params: &FundchannelParams) -> Result<SpendRequest, RpcError> {
    let amount = match params.amount {
        SatOrAll::All => Amount::All,
        SatOrAll::Sat(amount) => Amount::Exact(amount),
    };
    Ok(SpendRequest {
        outputs: vec![(placeholder(), amount)],
        feerate: feerate(node, params.feerate, FeeTarget::Opening)?,
        min_confirmations: params.minconf.unwrap_or(1),
        coins: params.utxos.clone(),
        for_now: true,
        opening: true,
    })
}

/// Stands for the funding script, which the peer's keys decide, while coins are chosen.
fn placeholder() -> ScriptBuf {
    ScriptBuf::new_p2wsh(&WScriptHash::all_zeros())
}

/// Connects to the peer if it is not connected.
async fn connect(node: &Rc<Node>, id: NodeId) -> Result<(), RpcError> {
    let connected = node.peers.connect(node, id, Vec::new()).await;
    connected.map(drop).map_err(|error| {
        let code = if error.no_address {
            RpcErrorCode::ConnectNoKnownAddress
        } else {
            RpcErrorCode::ConnectAllAddressesFailed
        };
        blamed(RpcError::new(code, error.reason), id, "connect")
    })
}

/// Says in an error's data at which peer and step it happened.
fn blamed(error: RpcError, id: NodeId, method: &str) -> RpcError {
    error.with_data(json!({ "id": id, "method": method }))
}

/// Draws the coins. `all` is no more than the peer accepts in one channel.
async fn prepare_funding(
    node: &Rc<Node>,
    mut spend: SpendRequest,
    peer: NodeId,
) -> Result<PreparedTx, RpcError> {
    let all = spend
        .outputs
        .iter()
        .any(|(_, amount)| *amount == Amount::All);
    let prepared = prepare(node, &spend)
        .await
        .map_err(|error| spend_error(node, error))?;
    let paid = prepared.paid_to(&placeholder()).unwrap_or_default();
    if !all || paid <= MAX_FUNDING || may_be_large(node, peer) {
        return Ok(prepared);
    }
    release(node, &prepared.coins).await.map_err(internal)?;
    spend.outputs = vec![(placeholder(), Amount::Exact(MAX_FUNDING))];
    prepare(node, &spend)
        .await
        .map_err(|error| spend_error(node, error))
}

/// A channel that is durable, and its transaction, not sent yet.
struct Funded {
    channel: Rc<Channel>,
    prepared: PreparedTx,
    tx: Transaction,
    outpoint: OutPoint,
    mindepth: u32,
}

/// Opens the channel as far as it goes without sending the transaction.
async fn open(
    node: &Rc<Node>,
    request: OpenRequest,
    mut prepared: PreparedTx,
) -> Result<Funded, RpcError> {
    check_amount(node, &request)?;
    let (slot, opened) = ask(node, request).await?;
    slot.funding();
    prepared.redirect(&placeholder(), &opened.script);
    let tx = match sign(node, &prepared).await {
        Ok((_, tx)) => tx,
        Err(error) => {
            opened.cancel("the funding transaction can't be made");
            return Err(spend_error(node, error));
        }
    };
    let vout = (0_u32..)
        .zip(&tx.output)
        .find(|(_, output)| output.script_pubkey == opened.script);
    let Some((vout, _)) = vout else {
        opened.cancel("the funding transaction can't be made");
        return Err(internal(
            "the signed transaction does not pay to the channel",
        ));
    };
    let outpoint = OutPoint {
        txid: tx.compute_txid(),
        vout,
    };
    let mindepth = opened.minimum_depth;
    let channel = opened
        .fund(node, outpoint, Some(&tx))
        .await
        .map_err(open_error)?;
    Ok(Funded {
        channel,
        prepared,
        tx,
        outpoint,
        mindepth,
    })
}

/// Sends the transaction. If the network refuses it nobody but us ever had it: the channel is forgotten.
async fn finish(
    node: &Rc<Node>,
    show_close_to: bool,
    funded: Funded,
) -> Result<FundchannelResponse, RpcError> {
    let Funded {
        channel,
        prepared,
        tx,
        outpoint,
        mindepth,
    } = funded;
    let not_sent = match send(node, &prepared.coins, &tx).await.map_err(internal)? {
        Ok(()) => {
            let row = channel.row();
            let close_to = row.close_to.as_ref().filter(|_| show_close_to);
            return Ok(FundchannelResponse {
                tx: Hex(serialize(&tx)),
                txid: outpoint.txid,
                outnum: outpoint.vout,
                channel_id: row.channel_id,
                channel_type: channel_type(&row.channel_type),
                close_to: close_to.map(|script| Hex(script.to_bytes())),
                mindepth: Some(mindepth),
            });
        }
        Err(not_sent) => not_sent,
    };
    let text = match &not_sent {
        NotSent::Refused(refusal) => {
            let reason = "the funding transaction was refused by the network";
            forget_unfunded(node, &channel, reason)
                .await
                .map_err(internal)?;
            let raw = Hex(serialize(&tx));
            format!("Error broadcasting transaction: {refusal}. Unsent tx discarded {raw}")
        }
        NotSent::Unavailable(_) => format!(
            "Error broadcasting transaction: {not_sent}. The channel exists and its transaction {} is kept: \
             it will be sent when the backend is back",
            outpoint.txid
        ),
    };
    let error = RpcError::new(RpcErrorCode::FundingBroadcastFail, text);
    Err(blamed(error, channel.peer, "sendpsbt"))
}
