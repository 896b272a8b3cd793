//! The penalty for a commitment as soon as it is revoked, for those who watch the chain while we can't.

use std::rc::Rc;

use anyhow::{Context as _, bail};
use bitcoin::{OutPoint, Transaction, Txid};
use ln_channel::ChannelState;
use ln_codec::{Decode as _, DecodeError, Encode as _};
use ln_db::{DbError, PenaltyBaseRow};
use ln_ipc::channeld::RevokedCommitment;
use ln_onchain::{Claim, ClaimKey, ClaimMethod, OutputKind, TxKind};
use ln_tx::{CommitmentOutput, CommitmentTx, SpendPath};
use ln_types::{BlockHeight, CommitmentNumber, FeeTarget, Feerate, Sat};

use super::sign;
use crate::channels::Channel;
use crate::node::Node;

/// A commitment that the peer has revoked, and what of it we would take.
pub(in crate::channels) struct Revoked {
    number: CommitmentNumber,
    txid: Txid,
    claim: Claim,
}

impl Revoked {
    /// From the channel's states before and after. `None` if the peer had nothing worth taking.
    pub(in crate::channels) fn new(
        before: &ChannelState,
        after: &ChannelState,
        revoked: &RevokedCommitment,
    ) -> anyhow::Result<Option<Self>> {
        let (number, txid) = (revoked.number, revoked.txid);
        let commitment = before.commitments.unrevoked_commitment(&before.params)?;
        if commitment.txid() != txid {
            bail!("commitment {number} was {txid}, not {}", commitment.txid());
        }
        let per_commitment_secret = after.commitments.remote_secrets.secret(number);
        let key = ClaimKey::Penalty {
            per_commitment_secret: per_commitment_secret
                .with_context(|| format!("the secret of commitment {number} is missing"))?,
        };
        let dust_limit = before.params.sides.local.dust_limit;
        let claim = to_local(&commitment).filter(|(_, value, _)| *value > dust_limit);
        Ok(claim.map(|(vout, value, path)| Self {
            number,
            txid,
            claim: Claim {
                outpoint: OutPoint::new(txid, vout),
                value,
                spent_tx: TxKind::TheirRevokedUnilateral,
                spent_output: OutputKind::DelayedCheatOutputToThem,
                spent_height: BlockHeight(0),
                kind: TxKind::OurPenaltyTx,
                first_block: BlockHeight(0),
                deadline: None,
                htlc: None,
                method: ClaimMethod::Sweep { path, key },
            },
        }))
    }

    /// What is kept of it until plugins have been told.
    pub(in crate::channels) fn row(&self, channel: u64) -> PenaltyBaseRow {
        PenaltyBaseRow {
            channel,
            number: self.number,
            txid: self.txid,
            claim: self.claim.to_bytes(),
        }
    }

    fn from_row(row: &PenaltyBaseRow) -> Result<Self, DecodeError> {
        Ok(Self {
            number: row.number,
            txid: row.txid,
            claim: Claim::from_bytes(&row.claim)?,
        })
    }

    /// Signs the penalty, tells plugins of it, and then forgets it: a crash in between means that they are told again.
    pub(in crate::channels) async fn tell(self, node: &Rc<Node>, channel: &Channel) {
        self.tell_plugins(node, channel).await;
        let (dbid, number) = (channel.dbid, self.number);
        let forgotten = node
            .db
            .write(move |txn| txn.delete_penalty_base(dbid, number));
        if let Err(error) = forgotten.await {
            let text = format!("plugins will be told of commitment {number} again: {error}");
            node.log.unusual(&channel.origin(), text);
        }
    }

    async fn tell_plugins(&self, node: &Rc<Node>, channel: &Channel) {
        let channel_id = channel.row().channel_id;
        match self.penalty(node, channel).await {
            Ok(penalty) => {
                let (txid, number) = (self.txid, self.number);
                node.plugins
                    .commitment_revoked(channel_id, txid, number, &penalty)
                    .await;
            }
            Err(error) => {
                let number = self.number;
                let text = format!("no penalty for the revoked commitment {number}: {error:#}");
                node.log.unusual(&channel.origin(), text);
            }
        }
    }

    async fn penalty(&self, node: &Rc<Node>, channel: &Channel) -> anyhow::Result<Transaction> {
        let ClaimMethod::Sweep { path, key } = &self.claim.method else {
            bail!("a penalty is no HTLC transaction");
        };
        let script = sign::sweep_script(node, channel).await?;
        let feerate = node.fees.borrow().target(FeeTarget::Penalty);
        let at = |feerate| self.claim.sweep(script.clone(), feerate);
        // Little is taken by a transaction that pays little.
        let spend = match at(feerate.unwrap_or(Feerate::FLOOR)) {
            Some(Err(_)) => at(Feerate::FLOOR),
            made => made,
        };
        let spend = spend.context("nothing to take")??;
        sign::sweep(node, channel, &self.claim, &spend, path, key).await
    }
}

/// Tells plugins of the revocations they may have missed when the node ended.
pub(crate) async fn tell_missed_revocations(node: &Rc<Node>) -> Result<(), DbError> {
    if !node.plugins.watches_revocations() {
        return Ok(());
    }
    for row in node.db.read(|txn| txn.penalty_bases()).await? {
        let Some(channel) = node.channels.get(row.channel) else {
            continue;
        };
        match Revoked::from_row(&row) {
            Ok(revoked) => {
                let node = Rc::clone(node);
                tokio::task::spawn_local(async move { revoked.tell(&node, &channel).await });
            }
            Err(error) => {
                let text = format!("no penalty for commitment {}: {error}", row.number);
                node.log.broken(&channel.origin(), text);
            }
        }
    }
    Ok(())
}

/// The holder's own output: where, how much, and how we take it.
fn to_local(commitment: &CommitmentTx) -> Option<(u32, Sat, SpendPath)> {
    let vout = commitment.find(|output| matches!(output, CommitmentOutput::ToLocal { .. }))?;
    let index = usize::try_from(vout).ok()?;
    let CommitmentOutput::ToLocal { witness_script } = commitment.outputs().get(index)? else {
        return None;
    };
    let value = Sat::from(commitment.unsigned().output.get(index)?.value);
    let witness_script = witness_script.clone();
    Some((vout, value, SpendPath::RevokedToLocal { witness_script }))
}
