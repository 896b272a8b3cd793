//! Fee estimates, smoothed, and the feerate for each purpose.

use std::rc::Rc;
use std::time::Duration;

use ln_ipc::channeld::ToChanneld;
use ln_types::{FeeTarget, Feerate, FeerateSpec};

use super::backend::Estimates;
use crate::channels::feerates;
use crate::node::Node;
use crate::options::Config;

/// Estimates by number of blocks, per kiloweight.
#[derive(Debug, Clone, Default)]
pub(crate) struct FeeEstimates {
    /// The least the network relays.
    pub(crate) floor: Feerate,
    /// Number of blocks, the last estimate, and the smoothed one.
    pub(crate) rates: Vec<(u32, Feerate, Feerate)>,
    forced: Option<[Feerate; 6]>,
}

/// What a commitment may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FeerateBounds {
    /// The least.
    pub(crate) min: Feerate,
    /// The most.
    pub(crate) max: Feerate,
}

/// What counts as most when there is no estimate.
const UNBOUNDED: Feerate = Feerate::from_perkw(u32::MAX);

impl FeeEstimates {
    /// No estimates yet; forced feerates count at once.
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            floor: Feerate::FLOOR,
            rates: Vec::new(),
            forced: config.force_feerates,
        }
    }

    /// Takes new estimates. An old one weighs four fifths, so that one odd answer does not move much.
    pub(crate) fn update(&mut self, estimates: &Estimates) {
        self.floor = Feerate::from_perkb(estimates.feerate_floor).max(Feerate::FLOOR);
        let mut rates: Vec<(u32, Feerate, Feerate)> = Vec::new();
        for estimate in &estimates.feerates {
            let mut rate = Feerate::from_perkb(estimate.feerate).max(Feerate::FLOOR);
            // More time never costs more.
            if let Some((_, sooner, _)) = rates.last() {
                rate = rate.min(*sooner);
            }
            let old = self
                .rates
                .iter()
                .find(|(blocks, ..)| *blocks == estimate.blocks);
            let smoothed = old.map_or(rate, |(_, _, old)| smooth(*old, rate));
            rates.push((estimate.blocks, rate, smoothed));
        }
        self.rates = rates;
    }

    /// The estimate for confirmation within `blocks`: between the two nearest ones, linearly.
    pub(crate) fn for_blocks(&self, blocks: u32) -> Option<Feerate> {
        let later = self.rates.iter().position(|(known, ..)| *known >= blocks);
        match later {
            None => self.rates.last().map(|(.., rate)| *rate),
            Some(0) => self.rates.first().map(|(.., rate)| *rate),
            Some(index) => {
                let (high_blocks, _, high) = self.rates.get(index)?;
                let (low_blocks, _, low) = self.rates.get(index - 1)?;
                let span = u64::from(high_blocks - low_blocks);
                let into = u64::from(blocks - low_blocks);
                let drop = u64::from(low.as_perkw().saturating_sub(high.as_perkw())) * into / span;
                Some(Feerate::from_perkw(
                    low.as_perkw() - u32::try_from(drop).ok()?,
                ))
            }
        }
    }

    /// The feerate the operator forced for a purpose.
    fn forced(&self, target: FeeTarget) -> Option<Feerate> {
        let [opening, mutual, unilateral, delayed, htlc, penalty] = self.forced?;
        match target {
            FeeTarget::Opening => Some(opening),
            FeeTarget::MutualClose => Some(mutual),
            FeeTarget::UnilateralClose => Some(unilateral),
            FeeTarget::DelayedToUs => Some(delayed),
            FeeTarget::HtlcResolution => Some(htlc),
            FeeTarget::Penalty => Some(penalty),
            FeeTarget::MinAcceptable
            | FeeTarget::MaxAcceptable
            | FeeTarget::Slow
            | FeeTarget::Normal
            | FeeTarget::Urgent
            | FeeTarget::Minimum => None,
        }
    }

    /// The feerate for a purpose that has to be confirmed within `blocks`; nothing when there is no estimate.
    pub(crate) fn within(&self, target: FeeTarget, blocks: u32) -> Option<Feerate> {
        let estimate = || self.for_blocks(blocks).map(|rate| rate.max(self.floor));
        self.forced(target).or_else(estimate)
    }

    /// The feerate for a purpose; nothing when there is no estimate.
    pub(crate) fn target(&self, target: FeeTarget) -> Option<Feerate> {
        if let Some(forced) = self.forced(target) {
            return Some(forced);
        }
        let rate = match target {
            FeeTarget::Opening
            | FeeTarget::Normal
            | FeeTarget::Penalty
            | FeeTarget::DelayedToUs => self.for_blocks(12),
            FeeTarget::MutualClose | FeeTarget::Slow => self.for_blocks(100),
            FeeTarget::UnilateralClose | FeeTarget::Urgent | FeeTarget::HtlcResolution => {
                self.for_blocks(6)
            }
            FeeTarget::Minimum => Some(self.floor),
            FeeTarget::MinAcceptable => Some(self.bounds(10).min),
            FeeTarget::MaxAcceptable => Some(self.bounds(10).max),
        };
        rate.map(|rate| rate.max(self.floor))
    }

    /// The feerate for a commitment with anchors, which can be raised later: enough for any mempool.
    pub(crate) fn anchor_close(&self) -> Option<Feerate> {
        /// Five satoshi per virtual byte.
        const ENOUGH: Feerate = Feerate::from_perkw(1250);
        if let Some([_, _, unilateral, ..]) = self.forced {
            return Some(unilateral);
        }
        let slow = self.rates.last().is_some().then(|| self.for_blocks(100))?;
        slow.map(|rate| rate.max(ENOUGH).max(self.floor))
    }

    /// What a user asked for; nothing when it needs an estimate and there is none.
    pub(crate) fn resolve(&self, spec: FeerateSpec) -> Option<Feerate> {
        match spec {
            FeerateSpec::Exact(rate) => Some(rate.max(self.floor)),
            FeerateSpec::Target(target) => self.target(target),
            FeerateSpec::Blocks(blocks) => self.for_blocks(blocks).map(|rate| rate.max(self.floor)),
        }
    }

    /// The feerate for commitments of channels we open: enough to be relayed, since anchors can add to it.
    pub(crate) fn commitment(&self, config: &Config) -> Feerate {
        let base = self
            .target(FeeTarget::UnilateralClose)
            .map_or(self.floor, |rate| {
                let percent =
                    u64::from(rate.as_perkw()) * u64::from(config.commit_fee_percent) / 100;
                Feerate::from_perkw(u32::try_from(percent).unwrap_or(u32::MAX))
            });
        Feerate::from_perkw(
            base.max(self.floor)
                .as_perkw()
                .saturating_add(config.commit_feerate_offset),
        )
    }

    /// What we let a peer set: from the floor to `multiplier` times the most urgent estimate.
    pub(crate) fn bounds(&self, multiplier: u32) -> FeerateBounds {
        let urgent = self.for_blocks(2);
        let max = urgent.map_or(UNBOUNDED, |rate| {
            Feerate::from_perkw(rate.as_perkw().saturating_mul(multiplier))
        });
        FeerateBounds {
            min: self.floor,
            max: max.max(self.floor),
        }
    }
}

/// Asks for estimates for ever, and tells the channels when they change.
pub(crate) async fn poll_fees(node: Rc<Node>) {
    loop {
        match node.backend.estimates().await {
            Ok(estimates) => {
                node.fees.borrow_mut().update(&estimates);
                for channel in node.channels.all() {
                    if let Some(channeld) = channel.channeld() {
                        channeld.send(&ToChanneld::Feerates(feerates(&node, &channel)));
                    }
                }
            }
            Err(error) => node
                .log
                .debug(&node.origin, format!("no fee estimates: {error}")),
        }
        let interval = node.config.dev.bitcoind_poll.unwrap_or(30);
        tokio::time::sleep(Duration::from_secs(interval)).await;
    }
}

fn smooth(old: Feerate, new: Feerate) -> Feerate {
    let (old, new) = (u64::from(old.as_perkw()), u64::from(new.as_perkw()));
    let mixed = (old * 4 + new) / 5;
    // Close enough is equal: else it would take for ever.
    let settled = if mixed.abs_diff(new) * 10 <= new {
        new
    } else {
        mixed
    };
    Feerate::from_perkw(u32::try_from(settled).unwrap_or(u32::MAX))
}
