//! One onchaind from its start to its end: strictly one request, one reply.

use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use bitcoin::Txid;
use ln_codec::{Decode as _, Encode as _, LongBytes};
use ln_ipc::onchaind::{FromOnchaind, OnchaindEvent, OnchaindHtlcs, OnchaindInit, ToOnchaind};
use ln_onchain::{Action, Event};
use ln_types::{BlockHeight, ChannelState};
use ln_wallet::Origin;

use super::actions::{self, Next};
use super::anchor;
use super::claims::Claims;
use super::history::Seen;
use super::htlcs;
use super::told::{Told, World};
use crate::accounts;
use crate::channels::{Channel, CloseCause, Owner};
use crate::hsm::capability;
use crate::log::Origin as LogOrigin;
use crate::node::Node;
use crate::subd::{Subd, SubdStart};

/// How deep a transaction must be before others are told of its outcome.
const REASONABLE_DEPTH: u32 = 3;
/// How long the daemon before may take to end.
const OWNER_PATIENCE: Duration = Duration::from_secs(10);

/// A running onchaind.
struct Session {
    node: Rc<Node>,
    channel: Rc<Channel>,
    subd: Subd,
    origin: LogOrigin,
    spend: (Txid, BlockHeight),
    told: Told,
    claims: Claims,
}

/// Serves one onchaind. Returns whether the channel is over; if not, the chain has changed its mind about how it ended.
pub(super) async fn run(
    node: &Rc<Node>,
    channel: &Rc<Channel>,
    spend: &Seen,
) -> anyhow::Result<bool> {
    let (mut session, actions) = Session::start(node, channel, spend).await?;
    let next = match session.perform(actions).await? {
        Next::GoOn => session.serve().await?,
        next => next,
    };
    Ok(next == Next::Over)
}

impl Session {
    /// Starts onchaind with the transaction that spends the funding output, and learns what to do first.
    async fn start(
        node: &Rc<Node>,
        channel: &Rc<Channel>,
        spend: &Seen,
    ) -> anyhow::Result<(Self, Vec<Action>)> {
        wait_for_owner(channel).await;
        settled(node, channel, spend.txid).await?;
        note_closed(node, channel, spend).await?;
        let claims = Claims::new(node, channel).await?;
        let hsm = node
            .hsm
            .client_fd(channel.peer, channel.dbid, capability::ONCHAIND)
            .await?;
        let origin = LogOrigin::of_peer(channel.peer, &format!("onchaind-chan#{}", channel.dbid));
        let subd = Subd::start(
            &node.log,
            SubdStart {
                name: "onchaind",
                program: None,
                origin: origin.clone(),
                fds: vec![hsm],
            },
        )?;
        *channel.billboard.borrow_mut() = subd.billboard();
        *channel.owner.borrow_mut() = Some(Owner::Onchaind);
        let mut session = Self {
            node: Rc::clone(node),
            channel: Rc::clone(channel),
            subd,
            origin,
            spend: (spend.txid, spend.height),
            told: Told::new(spend.txid, spend.height),
            claims,
        };
        let actions = session.introduce(spend).await?;
        Ok((session, actions))
    }

    async fn introduce(&mut self, spend: &Seen) -> anyhow::Result<Vec<Action>> {
        let init = OnchaindInit {
            network: self.node.config.network,
            peer_id: self.channel.peer,
            dbid: self.channel.dbid,
            state: LongBytes(self.channel.row().machine.clone()),
            tx: spend.tx.clone(),
            height: spend.height,
            tip: spend.height,
            reasonable_depth: REASONABLE_DEPTH,
        };
        let FromOnchaind::InitReply(reply) = self.ask(ToOnchaind::Init(init)).await? else {
            bail!("onchaind answered out of turn");
        };
        let text = "Onchain init reply";
        self.channel
            .set_state(&self.node, ChannelState::Onchain, CloseCause::Onchain, text)
            .await?;
        let htlcs = htlcs::for_onchaind(&self.node, &self.channel, reply.revoked).await?;
        let told = ToOnchaind::Htlcs(OnchaindHtlcs { htlcs });
        let FromOnchaind::Started(started) = self.ask(told).await? else {
            bail!("onchaind answered out of turn");
        };
        decode(&started.actions)
    }

    async fn ask(&mut self, request: ToOnchaind) -> anyhow::Result<FromOnchaind> {
        self.subd.sender().send(&request);
        let reply = self.subd.next().await;
        reply.map_err(|end| anyhow!("onchaind ended: {end}"))
    }

    /// Carries actions out, in their order.
    async fn perform(&mut self, actions: Vec<Action>) -> anyhow::Result<Next> {
        for action in actions {
            let next =
                actions::perform(&self.node, &self.channel, &mut self.claims, action).await?;
            if next != Next::GoOn {
                return Ok(next);
            }
        }
        Ok(Next::GoOn)
    }

    /// Tells onchaind what it does not know, for as long as there is something; then what it wants taken is taken, and what it can't say in time
    /// is given up.
    async fn serve(&mut self) -> anyhow::Result<Next> {
        loop {
            while let Some((tip, event)) = self.next_event() {
                let request = ToOnchaind::Event(OnchaindEvent {
                    tip,
                    event: LongBytes(event.to_bytes()),
                });
                let FromOnchaind::EventReply(reply) = self.ask(request).await? else {
                    bail!("onchaind answered out of turn");
                };
                let next = self.perform(decode(&reply.actions)?).await?;
                if next != Next::GoOn {
                    return Ok(next);
                }
            }
            htlcs::give_up_late(&self.node, &self.channel).await?;
            let depth = self.spend.1.depth_at(self.node.chain.height());
            let known = self.claims.uneconomical().len();
            self.claims
                .advance(&self.node, &self.channel, &self.origin, depth)
                .await?;
            if self.claims.uneconomical().len() != known {
                continue;
            }
            tokio::select! {
                () = self.channel.ending.woken() => {}
                message = self.subd.next::<FromOnchaind>() => match message {
                    Ok(message) => bail!("onchaind sent {} without being asked", message.name()),
                    Err(end) => bail!("onchaind ended: {end}"),
                },
            }
        }
    }

    fn next_event(&mut self) -> Option<(BlockHeight, Event)> {
        let history = self.channel.ending.history.borrow();
        let preimages = htlcs::preimages(&self.channel);
        self.told.next(World {
            history: &history,
            tip: self.node.chain.height(),
            preimages: &preimages,
            uneconomical: self.claims.uneconomical(),
        })
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.channel
            .release_owner(|owner| matches!(owner, Owner::Onchaind));
    }
}

/// The channel's account is closed, and opened before that if nobody had the time.
async fn note_closed(node: &Rc<Node>, channel: &Channel, spend: &Seen) -> anyhow::Result<()> {
    let to_us = channel.machine()?.to_us();
    let entries = {
        let row = channel.row();
        let closed = accounts::channel_closed(&row, to_us, &spend.tx, spend.height);
        [accounts::channel_opened(&row), closed]
    };
    let kept = node.db.write(move |txn| accounts::keep(txn, entries));
    accounts::tell(node, kept.await?);
    Ok(())
}

/// Another transaction than ours has closed the channel: ours, and its child, will never be in a block.
async fn settled(node: &Rc<Node>, channel: &Channel, confirmed: Txid) -> anyhow::Result<()> {
    let ours = channel.row().last_tx.clone();
    if let Some(ours) = ours.filter(|tx| tx.compute_txid() != confirmed) {
        crate::wallet::forget(node, &ours).await?;
    }
    forget_coins(node, channel, confirmed).await?;
    anchor::settled(node, channel, confirmed).await
}

/// Coins out of a close that left the chain for another one will never be.
async fn forget_coins(node: &Rc<Node>, channel: &Channel, confirmed: Txid) -> anyhow::Result<()> {
    let coins = node.wallet.coins().into_iter();
    let gone: Vec<Txid> = coins
        .filter(|coin| match &coin.origin {
            Origin::Close(close) => close.channel_dbid == channel.dbid,
            Origin::Wallet { .. } => false,
        })
        .filter(|coin| coin.height.is_none() && coin.outpoint.txid != confirmed)
        .map(|coin| coin.outpoint.txid)
        .collect();
    for txid in gone {
        let row = node.db.read(move |txn| txn.transaction(&txid)).await?;
        if let Some(row) = row {
            crate::wallet::forget(node, &row.tx).await?;
        }
    }
    Ok(())
}

/// Waits until the daemon that served the channel before is gone, so that its last step counts; not for ever.
async fn wait_for_owner(channel: &Channel) {
    let gone = async {
        while matches!(
            *channel.owner.borrow(),
            Some(Owner::Channeld(_) | Owner::Closingd | Owner::Starting)
        ) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    drop(tokio::time::timeout(OWNER_PATIENCE, gone).await);
}

fn decode(actions: &[LongBytes]) -> anyhow::Result<Vec<Action>> {
    actions
        .iter()
        .map(|bytes| Action::from_bytes(&bytes.0).context("an action of onchaind's can't be read"))
        .collect()
}
