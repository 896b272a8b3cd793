//! The machine that resolves a closed channel.

use bitcoin::{OutPoint, Transaction, Txid};
use ln_tx::fee::trim_threshold;
use ln_types::{BlockHeight, PaymentPreimage, Side};

use crate::ours::{htlc_tx_claim, outputs_of_ours};
use crate::theirs::{outputs_of_revoked, outputs_of_theirs, outputs_of_unknown, preimage_claim};
use crate::tracked::{IRREVOCABLE_DEPTH, Tracked};
use crate::{
    Action, Channel, Claim, Env, Event, FundingSpend, HtlcStub, OutputKind, TxKind, movement,
};

/// A closed channel on its way to being forgotten.
#[derive(Debug, Clone)]
pub struct Resolution {
    pub(crate) channel: Channel,
    pub(crate) spend: FundingSpend,
    txid: Txid,
    height: BlockHeight,
    pub(crate) outputs: Vec<Tracked>,
    /// HTLCs without an output whose offerer upstream has not been told yet.
    missing: Vec<HtlcStub>,
    forgotten: bool,
}

impl Resolution {
    /// Starts when a block at `height` brought `tx`, which spends the funding output and is what `spend` says.
    ///
    /// `htlcs` are those that may be on the commitment. After a restart the same start and the same events, in their order, lead
    /// to the same state.
    pub fn start(
        channel: Channel,
        spend: FundingSpend,
        tx: &Transaction,
        height: BlockHeight,
        htlcs: &[HtlcStub],
        env: &Env,
    ) -> (Self, Vec<Action>) {
        let mut actions = Vec::new();
        let outputs = match &spend {
            FundingSpend::MutualClose | FundingSpend::Unknown => Vec::new(),
            FundingSpend::Ours { .. } => outputs_of_ours(&channel, tx, height, htlcs),
            // The peer may take everything, and what it leaves is not worth the danger of a mistake here.
            FundingSpend::OursRevoked { .. } => Vec::new(),
            FundingSpend::Theirs {
                per_commitment_point,
                ..
            } => outputs_of_theirs(
                &channel,
                tx,
                height,
                *per_commitment_point,
                htlcs,
                &mut actions,
            ),
            FundingSpend::TheirsRevoked {
                per_commitment_secret,
                ..
            } => outputs_of_revoked(
                &channel,
                tx,
                height,
                per_commitment_secret,
                htlcs,
                &mut actions,
            ),
            FundingSpend::TheirsUnknown { .. } => {
                outputs_of_unknown(&channel, tx, height, &mut actions)
            }
        };
        movement::at_close(&channel, &spend, tx, height, &outputs, &mut actions);
        let mut this = Self {
            channel,
            spend,
            txid: tx.compute_txid(),
            height,
            outputs,
            missing: Vec::new(),
            forgotten: false,
        };
        this.alert(&mut actions);
        this.find_missing(htlcs, &mut actions);
        for output in &this.outputs {
            announce(output, &mut actions);
        }
        actions.extend(this.on_tip(*env));
        (this, actions)
    }

    /// Takes an event; the actions are to be carried out in their order.
    pub fn step(&mut self, event: Event, env: &Env) -> Vec<Action> {
        let mut actions = match event {
            Event::Tip => Vec::new(),
            Event::Spent { tx, height } => self.on_spent(&tx, height),
            Event::Unconfirmed { txid } => self.on_unconfirmed(txid),
            Event::Preimage { preimage } => self.on_preimage(preimage),
            Event::Uneconomical { outpoint } => self.on_uneconomical(outpoint),
        };
        actions.extend(self.on_tip(*env));
        actions
    }

    /// What spent the funding output.
    pub fn funding_spend(&self) -> &FundingSpend {
        &self.spend
    }

    /// The claims that are not resolved yet.
    pub fn claims(&self) -> impl Iterator<Item = &Claim> {
        self.outputs
            .iter()
            .filter(|output| output.resolution.is_none())
            .filter_map(|output| output.claim.as_ref())
    }

    fn alert(&self, actions: &mut Vec<Action>) {
        // BOLT 5 §General Requirements: the user must be warned about a spend that fits nothing.
        let text = match &self.spend {
            FundingSpend::MutualClose
            | FundingSpend::Ours { .. }
            | FundingSpend::Theirs { .. }
            | FundingSpend::TheirsRevoked { .. } => return,
            FundingSpend::OursRevoked { number } => {
                format!(
                    "Our old commitment #{number} was broadcast: the peer may take all funds. Was an old database restored?"
                )
            }
            FundingSpend::TheirsUnknown { number } if self.outputs.is_empty() => {
                format!("FUNDS LOST.  Unknown commitment #{number}!")
            }
            FundingSpend::TheirsUnknown { number } => {
                format!("ERROR: Unknown commitment #{number}, recovering our funds!")
            }
            FundingSpend::Unknown => {
                format!(
                    "FUNDS LOST.  Unknown transaction {} spent the funding output!",
                    self.txid
                )
            }
        };
        actions.push(Action::Alert { text });
    }

    /// Sorts out the HTLCs of ours that have no output.
    // BOLT 5 §HTLC Output Handling: Local Commitment, Local Offers: failed at reasonable depth, or at once if no valid commitment has
    // an output for it.
    fn find_missing(&mut self, htlcs: &[HtlcStub], actions: &mut Vec<Action>) {
        for htlc in htlcs {
            let has_output = self.outputs.iter().any(|output| {
                output
                    .htlc
                    .is_some_and(|stub| stub.offerer == htlc.offerer && stub.id == htlc.id)
            });
            if htlc.offerer != Side::Local || !htlc.awaited || has_output {
                continue;
            }
            let lost = matches!(
                self.spend,
                FundingSpend::Unknown | FundingSpend::TheirsUnknown { .. }
            );
            if lost || self.never_has_output(htlc) {
                actions.push(Action::HtlcMissing { htlc: *htlc });
            } else {
                self.missing.push(*htlc);
            }
        }
    }

    /// Whether an HTLC of ours is dust on every commitment there can be.
    fn never_has_output(&self, htlc: &HtlcStub) -> bool {
        let channel = &self.channel;
        if !channel.format.has_anchors() {
            // Whether it is dust depends on the feerates of commitments that are not here.
            return false;
        }
        let least = |dust_limit, ours| {
            trim_threshold(
                channel.format,
                ln_types::Feerate::default(),
                dust_limit,
                ours,
            )
        };
        let amount = htlc.amount.to_sat_floor();
        amount < least(channel.local_dust_limit, true)
            && amount < least(channel.remote_dust_limit, false)
    }

    /// What follows from the height of the chain alone.
    fn on_tip(&mut self, env: Env) -> Vec<Action> {
        let mut actions = Vec::new();
        if self.forgotten {
            return actions;
        }
        let depth = self.height.depth_at(env.tip);
        if depth >= env.reasonable_depth {
            actions.extend(
                self.missing
                    .drain(..)
                    .map(|htlc| Action::HtlcMissing { htlc }),
            );
        }
        for output in &mut self.outputs {
            expire(output, env, &mut actions);
            report_timeout(output, env, &mut actions);
        }
        let resolved = self
            .outputs
            .iter()
            .all(|output| output.is_irrevocable(env.tip));
        if resolved && depth >= IRREVOCABLE_DEPTH {
            self.forgotten = true;
            actions.push(Action::Forget);
        }
        actions
    }

    fn on_preimage(&mut self, preimage: PaymentPreimage) -> Vec<Action> {
        let hash = preimage.hash();
        let mut actions = Vec::new();
        let (channel, spend) = (&self.channel, &self.spend);
        for output in &mut self.outputs {
            let matches = output.htlc.is_some_and(|stub| stub.payment_hash == hash);
            // An expired HTLC that nobody has taken is still worth a try.
            let open = output.resolution.is_none() || output.is_ignored();
            if output.kind != OutputKind::TheirHtlc || !matches || !open {
                continue;
            }
            let claim = match spend {
                FundingSpend::Ours { number } => {
                    htlc_tx_claim(output, channel, *number, Some(preimage))
                }
                FundingSpend::Theirs {
                    per_commitment_point,
                    ..
                } => preimage_claim(output, channel, *per_commitment_point, preimage),
                // A penalty takes it anyway.
                FundingSpend::TheirsRevoked { .. }
                | FundingSpend::MutualClose
                | FundingSpend::OursRevoked { .. }
                | FundingSpend::TheirsUnknown { .. }
                | FundingSpend::Unknown => None,
            };
            let Some(claim) = claim else { continue };
            if output.claim.as_ref() == Some(&claim) && output.resolution.is_none() {
                continue;
            }
            output.resolution = None;
            output.ignore_at = None;
            output.claim = Some(claim.clone());
            actions.push(Action::Claim(Box::new(claim)));
        }
        actions
    }

    fn on_uneconomical(&mut self, outpoint: OutPoint) -> Vec<Action> {
        let mut actions = Vec::new();
        for output in &mut self.outputs {
            if output.outpoint == outpoint && output.resolution.is_none() {
                output.resolve_itself(TxKind::IgnoringTinyPayment);
                actions.push(ignore(output));
            }
        }
        actions
    }

    // BOLT 5 §General Nomenclature: what a reorganisation takes away is no longer resolved.
    fn on_unconfirmed(&mut self, txid: Txid) -> Vec<Action> {
        let mut actions = Vec::new();
        if txid == self.txid {
            actions.extend(self.outputs.drain(..).map(|output| Action::Unclaim {
                outpoint: output.outpoint,
            }));
            self.missing.clear();
            self.forgotten = true;
            actions.push(Action::StartAnew);
            return actions;
        }
        self.outputs.retain(|output| {
            let gone = output.outpoint.txid == txid;
            if gone {
                actions.push(Action::Unclaim {
                    outpoint: output.outpoint,
                });
            }
            !gone
        });
        for output in &mut self.outputs {
            if output
                .resolution
                .is_some_and(|resolution| resolution.txid == txid)
            {
                output.resolution = None;
                announce(output, &mut actions);
            }
        }
        actions
    }

    /// A sentence about what we are waiting for, for `listpeerchannels`.
    pub fn summary(&self, tip: BlockHeight) -> String {
        let unresolved = self
            .outputs
            .iter()
            .filter(|output| !output.is_irrevocable(tip))
            .count();
        if let Some(claim) = self.claims().min_by_key(|claim| claim.first_block) {
            let blocks = claim.first_block.0.saturating_sub(tip.0.saturating_add(1));
            return if blocks == 0 {
                format!(
                    "{unresolved} outputs unresolved: waiting confirmation that we spent {} ({}) using {}",
                    claim.spent_output, claim.outpoint, claim.kind
                )
            } else {
                format!(
                    "{unresolved} outputs unresolved: in {blocks} blocks will spend {} ({}) using {}",
                    claim.spent_output, claim.outpoint, claim.kind
                )
            };
        }
        if let Some(waiting) = self
            .outputs
            .iter()
            .find(|output| output.resolution.is_none())
        {
            return format!(
                "{unresolved} outputs unresolved: {} is one (depth {})",
                waiting.kind,
                waiting.height.depth_at(tip)
            );
        }
        let depth = self
            .outputs
            .iter()
            .filter_map(|output| output.resolution_depth(tip))
            .chain([self.height.depth_at(tip)])
            .min()
            .unwrap_or(0);
        format!(
            "All outputs resolved: waiting {} more blocks before forgetting channel",
            IRREVOCABLE_DEPTH.saturating_sub(depth)
        )
    }
}

/// Tells the world about an output that is new, or open again.
pub(crate) fn announce(output: &Tracked, actions: &mut Vec<Action>) {
    if output.resolution.is_some() {
        actions.push(ignore(output));
        return;
    }
    actions.push(Action::Watch {
        outpoint: output.outpoint,
        tx: output.tx,
        output: output.kind,
        height: output.height,
        ignore_at: output.ignore_at,
    });
    if let Some(claim) = &output.claim {
        actions.push(Action::Claim(Box::new(claim.clone())));
    }
}

fn ignore(output: &Tracked) -> Action {
    Action::Ignore {
        outpoint: output.outpoint,
        value: output.value,
        tx: output.tx,
        output: output.kind,
    }
}

/// The peer's HTLC that timed out and whose preimage we never learned is the peer's business.
// BOLT 5 §HTLC Output Handling: Local Commitment, Remote Offers: once expired, it is irrevocably resolved.
fn expire(output: &mut Tracked, env: Env, actions: &mut Vec<Action>) {
    if output.resolution.is_none() && output.ignore_at.is_some_and(|expiry| env.tip.0 >= expiry.0) {
        output.resolve_itself(TxKind::TheirHtlcTimeoutToThem);
        movement::on_expired(output, actions);
        actions.push(ignore(output));
    }
}

/// An HTLC of ours that we took back is failed upstream once that is deep enough.
// BOLT 5 §HTLC Output Handling: Local Commitment, Local Offers: once the resolving transaction has reached reasonable depth.
fn report_timeout(output: &mut Tracked, env: Env, actions: &mut Vec<Action>) {
    let (Some(resolution), Some(htlc)) = (output.resolution, output.htlc) else {
        return;
    };
    let taken_back = matches!(
        resolution.kind,
        TxKind::OurHtlcTimeoutTx | TxKind::OurHtlcTimeoutToUs | TxKind::OurPenaltyTx
    );
    if output.kind == OutputKind::OurHtlc
        && taken_back
        && !output.reported
        && htlc.awaited
        && resolution.height.depth_at(env.tip) >= env.reasonable_depth
    {
        output.reported = true;
        actions.push(Action::HtlcTimedOut { htlc });
    }
}
