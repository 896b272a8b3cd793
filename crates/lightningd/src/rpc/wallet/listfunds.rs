//! `listfunds`

use std::rc::Rc;

use ln_rpc::RpcError;
use ln_rpc::methods::wallet::listfunds::{
    ChannelFunds, Listfunds, ListfundsResponse, OutputStatus, WalletOutput,
};
use ln_rpc::params::Hex;
use ln_types::BlockHeight;
use ln_wallet::{AddressKind, Origin, Status, Utxo, script_of};

use super::address_of;
use crate::channels::Channel;
use crate::node::Node;
use crate::rpc::channels::state_of;
use crate::rpc::{Context, Handle, internal};

impl Handle for Listfunds {
    async fn handle(
        node: Rc<Node>,
        _: Context,
        params: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        let tip = node.chain.height();
        let coins = node.wallet.coins();
        let shown = coins
            .iter()
            .filter(|coin| params.spent || coin.spent_height.is_none());
        let outputs = shown.map(|coin| output(&node, coin, tip)).collect();
        let channels = node.channels.all();
        let channels = channels
            .iter()
            .filter_map(|channel| funds(&node, channel).transpose());
        Ok(ListfundsResponse {
            outputs,
            channels: channels.collect::<Result<_, _>>()?,
        })
    }
}

fn output(node: &Node, coin: &Utxo, tip: BlockHeight) -> WalletOutput {
    let status = match coin.status(tip) {
        Status::Spent => OutputStatus::Spent,
        Status::Immature if coin.height.is_some() => OutputStatus::Immature,
        Status::Confirmed => OutputStatus::Confirmed,
        Status::Unconfirmed | Status::Immature => OutputStatus::Unconfirmed,
    };
    let reserved = coin.is_reserved(tip);
    let redeem_script = match &coin.origin {
        Origin::Wallet {
            kind: AddressKind::P2shP2wpkh,
            key_index,
        } => {
            let key = node.wallet.public_key(*key_index);
            key.map(|key| script_of(AddressKind::P2wpkh, &key))
        }
        Origin::Wallet { .. } | Origin::Close(_) => None,
    };
    WalletOutput {
        txid: coin.outpoint.txid,
        output: coin.outpoint.vout,
        amount_msat: coin.value.to_msat_saturating(),
        scriptpubkey: Hex(coin.script_pubkey.to_bytes()),
        address: address_of(node.config.network, &coin.script_pubkey),
        redeemscript: redeem_script.map(|script| Hex(script.to_bytes())),
        status,
        reserved,
        reserved_to_block: coin.reserved_until.filter(|_| reserved),
        blockheight: coin.height.filter(|_| status != OutputStatus::Spent),
    }
}

fn funds(node: &Node, channel: &Channel) -> Result<Option<ChannelFunds>, RpcError> {
    let machine = channel.machine().map_err(internal)?;
    let row = channel.row();
    let Some(state) = state_of(row.state) else {
        return Ok(None);
    };
    Ok(Some(ChannelFunds {
        peer_id: row.peer,
        our_amount_msat: machine.to_us(),
        amount_msat: row.capacity.to_msat_saturating(),
        funding_txid: row.funding.txid,
        funding_output: row.funding.vout,
        connected: node.peers.is_connected(row.peer),
        state,
        channel_id: row.channel_id,
        short_channel_id: row.scid,
    }))
}
