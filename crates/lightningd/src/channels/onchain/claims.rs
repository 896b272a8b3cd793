//! The outputs that onchaind wants taken: their transactions, until a block settles each.

use std::collections::BTreeMap;
use std::rc::Rc;

use bitcoin::consensus::encode::serialize_hex;
use bitcoin::{OutPoint, ScriptBuf, Transaction};
use ln_onchain::{Claim, ClaimMethod};
use ln_types::{BlockHeight, FeeTarget, Feerate, Sat};
use ln_wallet::Utxo;

use super::fee::{self, Stakes};
use super::{build, coins, sign};
use crate::channels::Channel;
use crate::log::Origin;
use crate::node::Node;

/// A transaction that takes an output.
#[derive(Debug, Clone)]
pub(super) struct Attempt {
    /// Signed.
    pub(super) tx: Transaction,
    /// What it pays.
    pub(super) fee: Sat,
    /// What it pays for its weight.
    pub(super) feerate: Feerate,
    /// Coins of the wallet that were added to pay for it, as they were before.
    pub(super) coins: Vec<Utxo>,
    /// Whether the network may have it.
    pub(super) sent: bool,
}

/// One output to be taken.
#[derive(Debug)]
struct Open {
    claim: Claim,
    attempt: Option<Attempt>,
    /// Transactions before that one, which the network may still have: forgotten when it has taken their place.
    replaced: Vec<Transaction>,
    /// Whether the log has the claim and its first transaction.
    said: bool,
    /// Whether the last transaction was sent in this run.
    sent_now: bool,
    /// The network found the last transaction too cheap.
    too_cheap: bool,
}

/// The outputs to be taken, of one channel.
#[derive(Debug)]
pub(super) struct Claims {
    open: BTreeMap<OutPoint, Open>,
    /// The wallet's script for all of them.
    script: ScriptBuf,
    /// Our transactions of an earlier run that are in no block yet.
    kept: Vec<Transaction>,
    /// What is not worth its fee.
    uneconomical: Vec<OutPoint>,
    /// The height at which all were looked at last.
    looked: Option<BlockHeight>,
}

impl Claims {
    /// None yet.
    pub(super) async fn new(node: &Rc<Node>, channel: &Channel) -> anyhow::Result<Self> {
        let kept = node
            .db
            .read(|txn| txn.unconfirmed_transactions())
            .await?
            .into_iter()
            .map(|row| row.tx)
            .collect();
        Ok(Self {
            open: BTreeMap::new(),
            script: sign::sweep_script(node, channel).await?,
            kept,
            uneconomical: Vec::new(),
            looked: None,
        })
    }

    /// The outputs that are not worth their fees.
    pub(super) fn uneconomical(&self) -> &[OutPoint] {
        &self.uneconomical
    }

    /// An output is to be taken, perhaps in another way than so far.
    pub(super) async fn add(&mut self, node: &Rc<Node>, claim: Claim) -> anyhow::Result<()> {
        if self
            .open
            .get(&claim.outpoint)
            .is_some_and(|open| open.claim == claim)
        {
            return Ok(());
        }
        self.remove(node, claim.outpoint).await?;
        let open = Open {
            attempt: build::attempt_of(node, &claim, &self.kept),
            claim,
            replaced: Vec::new(),
            said: false,
            sent_now: false,
            too_cheap: false,
        };
        self.open.insert(open.claim.outpoint, open);
        Ok(())
    }

    /// An output need not be taken any more: it is spent, by us or by somebody else.
    pub(super) async fn remove(
        &mut self,
        node: &Rc<Node>,
        outpoint: OutPoint,
    ) -> anyhow::Result<()> {
        let Some(open) = self.open.remove(&outpoint) else {
            return Ok(());
        };
        for old in &open.replaced {
            crate::wallet::forget(node, old).await?;
        }
        match open.attempt {
            Some(attempt) => give_up(node, &attempt).await,
            None => Ok(()),
        }
    }

    /// Gives all of them up.
    pub(super) async fn clear(&mut self, node: &Rc<Node>) -> anyhow::Result<()> {
        let outpoints: Vec<OutPoint> = self.open.keys().copied().collect();
        for outpoint in outpoints {
            self.remove(node, outpoint).await?;
        }
        Ok(())
    }

    /// Makes and sends what can be sent now; at a new height everything is looked at again. `depth` is that of the close.
    pub(super) async fn advance(
        &mut self,
        node: &Rc<Node>,
        channel: &Channel,
        origin: &Origin,
        depth: u32,
    ) -> anyhow::Result<()> {
        let tip = node.chain.height();
        let again = self.looked.replace(tip) != Some(tip);
        for (outpoint, open) in &mut self.open {
            if !again && open.attempt.is_some() {
                continue;
            }
            let work = Work {
                node,
                channel,
                origin,
                script: &self.script,
                tip,
                depth,
            };
            match work.advance(open).await {
                Ok(true) => {}
                Ok(false) if self.uneconomical.contains(outpoint) => {}
                Ok(false) => self.uneconomical.push(*outpoint),
                // While the node ends nobody signs: the next start brings the next try.
                Err(_) if node.stop.borrow().is_some() => {}
                // The next block brings the next try.
                Err(error) => node.log.broken(
                    &channel.origin(),
                    format!("output {outpoint} can't be taken now: {error:#}"),
                ),
            }
        }
        Ok(())
    }
}

/// Forgets a transaction that will not be needed; its coins are free again.
async fn give_up(node: &Rc<Node>, attempt: &Attempt) -> anyhow::Result<()> {
    crate::wallet::forget(node, &attempt.tx).await?;
    if !attempt.coins.is_empty() {
        crate::wallet::release(node, &attempt.coins).await?;
    }
    Ok(())
}

/// What is needed to look at one claim.
struct Work<'a> {
    node: &'a Rc<Node>,
    channel: &'a Channel,
    origin: &'a Origin,
    script: &'a ScriptBuf,
    tip: BlockHeight,
    depth: u32,
}

impl Work<'_> {
    /// Brings one claim forward. Returns false if it is not worth its fee.
    async fn advance(&self, open: &mut Open) -> anyhow::Result<bool> {
        let ripe = self.tip.plus(1) >= open.claim.first_block;
        let wanted = self.wanted(open);
        if Self::wants_new(open, wanted, ripe) {
            let (script, claim) = (self.script, &open.claim);
            let spare = open
                .attempt
                .as_ref()
                .map_or(&[][..], |attempt| &attempt.coins);
            let built =
                build::build(self.node, self.channel, claim, script, wanted, ripe, spare).await?;
            match built {
                build::Built::Made(attempt) => self.replace(open, attempt).await?,
                build::Built::NotNow => {}
                build::Built::Worthless => return Ok(false),
            }
        }
        self.say(open, ripe);
        if ripe {
            self.send(open).await?;
        }
        Ok(true)
    }

    /// The feerate that a claim should pay now.
    fn wanted(&self, open: &Open) -> Feerate {
        let claim = &open.claim;
        let blocks_left = claim.blocks_left(self.tip);
        let blocks = fee::target_blocks(blocks_left, self.depth);
        let fees = self.node.fees.borrow();
        let estimate = fees.within(purpose(claim), blocks).unwrap_or(fees.floor);
        let last = open.attempt.as_ref().filter(|attempt| attempt.sent);
        let last = last.map(|attempt| attempt.feerate);
        let stakes = Stakes {
            value: claim.value,
            weight: build::weight(claim, self.script),
            blocks_left,
            too_cheap: open.too_cheap,
        };
        fee::choose(estimate, fees.floor, last, stakes)
    }

    fn wants_new(open: &Open, wanted: Feerate, ripe: bool) -> bool {
        let Some(attempt) = &open.attempt else {
            return true;
        };
        if !attempt.sent {
            return ripe && attempt.feerate != wanted;
        }
        let weight = attempt.tx.weight().to_wu();
        wanted > attempt.feerate && fee::may_replace(attempt.fee, wanted.fee(weight), weight)
    }

    /// Says what is taken and with which transaction: programs that watch the log look for these lines, in this order.
    fn say(&self, open: &mut Open, ripe: bool) {
        let Some(attempt) = open.attempt.as_ref().filter(|_| !open.said) else {
            return;
        };
        let log = &self.node.log;
        log.debug(self.origin, ln_onchaind::claim_line(&open.claim));
        let hex = serialize_hex(&attempt.tx);
        log.debug(
            &self.channel.origin(),
            format!("Broadcast for onchaind tx {hex}"),
        );
        if !ripe {
            let (txid, height) = (
                attempt.tx.compute_txid(),
                open.claim.first_block.0.saturating_sub(1),
            );
            let text = format!("Deferring broadcast of txid {txid} until block {height}");
            log.debug(&self.node.origin, text);
        }
        open.said = true;
    }

    /// Takes a new transaction in place of the last.
    async fn replace(&self, open: &mut Open, attempt: Attempt) -> anyhow::Result<()> {
        let txid = attempt.tx.compute_txid();
        if let Some(old) = open.attempt.take() {
            let kind = match open.claim.method {
                ClaimMethod::Sweep { .. } => "onchain",
                ClaimMethod::HtlcTx(_) => "HTLC",
            };
            let old_txid = old.tx.compute_txid();
            if old_txid != txid {
                let text = format!(
                    "RBF {kind} txid {old_txid} (fee {}) with txid {txid} (fee {})",
                    old.fee, attempt.fee
                );
                self.node.log.info(&self.channel.origin(), text);
                open.replaced.push(old.tx);
            }
            let unused = coins::without(old.coins, &attempt.coins);
            if !unused.is_empty() {
                crate::wallet::release(self.node, &unused).await?;
            }
        }
        open.attempt = Some(attempt);
        open.sent_now = false;
        Ok(())
    }

    /// Hands the transaction to the network: the first time durably, then once more with each block, lest the mempools lose it.
    async fn send(&self, open: &mut Open) -> anyhow::Result<()> {
        // An HTLC transaction without coins to pay for it pays nothing.
        let made = open.attempt.as_mut();
        let Some(attempt) = made.filter(|attempt| !attempt.fee.is_zero()) else {
            return Ok(());
        };
        let refusal = if open.sent_now {
            match self.node.backend.send(&attempt.tx, true).await {
                Ok(Ok(())) => None,
                Ok(Err(refusal)) => Some(refusal),
                Err(error) => Some(error.to_string()),
            }
        } else {
            let sent = crate::chain::broadcast(self.node, attempt.tx.clone(), true).await?;
            attempt.sent = true;
            open.sent_now = true;
            coins::hold(self.node, &attempt.coins).await?;
            for old in open.replaced.drain(..) {
                crate::wallet::forget(self.node, &old).await?;
            }
            sent.err().map(|refusal| refusal.to_string())
        };
        coins::keep(self.node, &attempt.coins).await?;
        open.too_cheap = refusal
            .as_deref()
            .is_some_and(|refusal| refusal.contains("fee"));
        if let Some(refusal) = refusal {
            let txid = attempt.tx.compute_txid();
            self.node.log.debug(
                &self.channel.origin(),
                format!("transaction {txid} was not taken: {refusal}"),
            );
        }
        Ok(())
    }
}

/// Which of the forced feerates counts for a claim.
fn purpose(claim: &Claim) -> FeeTarget {
    match &claim.method {
        ClaimMethod::Sweep {
            key: ln_onchain::ClaimKey::Delayed { .. },
            ..
        } => FeeTarget::DelayedToUs,
        ClaimMethod::Sweep {
            key: ln_onchain::ClaimKey::Penalty { .. },
            ..
        } => FeeTarget::Penalty,
        ClaimMethod::Sweep {
            key: ln_onchain::ClaimKey::RemoteHtlc { .. },
            ..
        }
        | ClaimMethod::HtlcTx(_) => FeeTarget::HtlcResolution,
    }
}
