//! Carrying out what onchaind wants.

use std::rc::Rc;

use ln_ipc::hsmd::HsmdForgetChannel;
use ln_onchain::Action;
use ln_types::{BlockHeight, ChannelState};
use ln_wallet::{CloseInfo, Origin, Utxo};

use super::claims::Claims;
use super::htlcs;
use crate::accounts;
use crate::channels::{Channel, CloseCause};
use crate::node::Node;

/// What an action means for the conversation with onchaind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// It goes on.
    GoOn,
    /// It starts anew when the funding output is spent again.
    Anew,
    /// It is over: the channel is.
    Over,
}

/// Carries out one action. When this returns, what must be durable is.
pub(super) async fn perform(
    node: &Rc<Node>,
    channel: &Rc<Channel>,
    claims: &mut Claims,
    action: Action,
) -> anyhow::Result<Next> {
    match action {
        Action::Watch { outpoint, .. } => super::watch(node, channel, outpoint),
        Action::Claim(claim) => claims.add(node, *claim).await?,
        Action::Unclaim { outpoint } | Action::Ignore { outpoint, .. } => {
            claims.remove(node, outpoint).await?;
        }
        Action::ToWallet {
            outpoint,
            value,
            script_pubkey,
            height,
            csv,
        } => {
            let close = CloseInfo {
                channel_dbid: channel.dbid,
                peer_id: channel.peer,
                commitment_point: None,
                has_anchors: script_pubkey.is_p2wsh(),
                csv: u32::from(csv),
            };
            let coin = Utxo {
                outpoint,
                value,
                script_pubkey,
                origin: Origin::Close(close),
                height: Some(height),
                spent_height: None,
                reserved_until: None,
                is_coinbase: false,
            };
            to_wallet(node, channel, coin, height).await?;
        }
        Action::FoundPreimage { htlc, preimage, .. } => {
            htlcs::fulfilled(node, channel, &htlc, preimage).await?;
        }
        Action::HtlcMissing { htlc } => {
            htlcs::failed(node, channel, htlc.id, "missing in commitment tx").await?;
        }
        Action::HtlcTimedOut { htlc } => {
            htlcs::failed(node, channel, htlc.id, "timed out").await?;
        }
        Action::Moved(movement) => {
            let entry = accounts::moved_on_chain(channel.row().channel_id, &movement);
            let kept = node.db.write(move |txn| accounts::keep(txn, [entry]));
            accounts::tell(node, kept.await?);
        }
        // onchaind has written these to the log.
        Action::Resolved { .. } | Action::Alert { .. } => {}
        Action::StartAnew => {
            claims.clear(node).await?;
            return Ok(Next::Anew);
        }
        Action::Forget => {
            claims.clear(node).await?;
            forget(node, channel).await?;
            return Ok(Next::Over);
        }
    }
    Ok(Next::GoOn)
}

/// An output is the wallet's as it is. One that is known already only learns its block.
async fn to_wallet(
    node: &Rc<Node>,
    channel: &Channel,
    coin: Utxo,
    height: BlockHeight,
) -> anyhow::Result<()> {
    let known = node.wallet.coin(&coin.outpoint);
    if known
        .as_ref()
        .is_some_and(|known| known.height == Some(height))
    {
        return Ok(());
    }
    node.log.debug(
        &channel.origin(),
        format!("adding utxo to watch {}", coin.outpoint),
    );
    let coin = Utxo {
        height: Some(height),
        ..known.unwrap_or(coin)
    };
    let from = channel.row().channel_id;
    let came = accounts::deposit(coin.outpoint, coin.value, height, Some(from));
    Ok(node.wallet.add_coin(node, coin, came).await?)
}

/// Nothing is left of the channel on chain: it is over. What is kept of it stays in the database.
async fn forget(node: &Rc<Node>, channel: &Rc<Channel>) -> anyhow::Result<()> {
    for id in htlcs::unresolved(channel) {
        htlcs::failed(node, channel, id, "the channel is over").await?;
    }
    let text = "All outputs are resolved";
    let change = channel.note_state(node, ChannelState::Closed, CloseCause::Onchain, text);
    let told = channel.told(node, change.as_ref());
    let (dbid, row) = (channel.dbid, channel.row().clone());
    node.db
        .write(move |txn| {
            txn.put_channel(&row)?;
            txn.set_all_htlcs_removed(dbid)?;
            change
                .iter()
                .try_for_each(|change| txn.add_state_change(dbid, change))
        })
        .await?;
    if let Some(told) = told {
        node.plugins.tell_state(told);
    }
    node.log
        .info(&channel.origin(), "onchaind complete, forgetting peer");
    super::unwatch(node, channel);
    node.channels.remove(channel.dbid);
    crate::channels::set_important(node, channel.peer);
    let request = HsmdForgetChannel {
        id: channel.peer,
        dbid,
    };
    node.hsm.request(request).await?;
    Ok(())
}
