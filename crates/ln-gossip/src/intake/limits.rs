//! What keeps a flood from costing much.

use std::collections::{BTreeSet, HashMap};

use ln_types::{ShortChannelId, ShortChannelIdDir};

/// Channels whose funding output was not there: not to be looked for again soon.
///
/// Two generations; the older is forgotten every hour or when the newer is full.
#[derive(Debug)]
pub(super) struct TxoutFailures {
    recent: BTreeSet<ShortChannelId>,
    aged: BTreeSet<ShortChannelId>,
    capacity: usize,
    aged_at: u32,
}

impl TxoutFailures {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            recent: BTreeSet::new(),
            aged: BTreeSet::new(),
            capacity,
            aged_at: 0,
        }
    }

    pub(super) fn add(&mut self, scid: ShortChannelId) {
        self.recent.insert(scid);
        if self.recent.len() >= self.capacity {
            self.aged = std::mem::take(&mut self.recent);
        }
    }

    /// Whether a channel failed lately; asking keeps the memory of it.
    pub(super) fn contains(&mut self, scid: ShortChannelId) -> bool {
        if self.recent.contains(&scid) {
            return true;
        }
        let aged = self.aged.contains(&scid);
        if aged {
            self.add(scid);
        }
        aged
    }

    pub(super) fn tick(&mut self, now: u32) {
        if now.saturating_sub(self.aged_at) >= 3600 {
            self.aged_at = now;
            self.aged = std::mem::take(&mut self.recent);
        }
    }
}

/// How many updates of each direction were taken lately. Only directions that used some are remembered.
#[derive(Debug, Default)]
pub(super) struct UpdateBudget {
    used: HashMap<ShortChannelIdDir, Used>,
}

#[derive(Debug, Clone, Copy)]
struct Used {
    updates: u32,
    since: u32,
}

impl UpdateBudget {
    /// Whether one more update may be taken now, and notes that it was.
    pub(super) fn take(
        &mut self,
        direction: ShortChannelIdDir,
        now: u32,
        burst: u32,
        refill_secs: u32,
    ) -> bool {
        let used = self.used.entry(direction).or_insert(Used {
            updates: 0,
            since: now,
        });
        let refilled = now.saturating_sub(used.since).checked_div(refill_secs);
        if let Some(refilled) = refilled.filter(|refilled| *refilled > 0) {
            used.updates = used.updates.saturating_sub(refilled);
            used.since = now;
        }
        if used.updates >= burst {
            return false;
        }
        used.updates = used.updates.saturating_add(1);
        true
    }

    /// Forgets directions whose budget is whole again.
    pub(super) fn tick(&mut self, now: u32, refill_secs: u32) {
        self.used.retain(|_, used| {
            let refilled = now.saturating_sub(used.since).checked_div(refill_secs);
            refilled.is_some_and(|refilled| refilled < used.updates)
        });
    }
}
