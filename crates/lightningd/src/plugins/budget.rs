//! How much a plugin may ask of the node in a time.

use std::cell::Cell;
use std::time::Duration;

use tokio::time::Instant;

/// A debt that the clock pays off. Whoever owes more than the burst is to wait.
#[derive(Debug)]
pub(crate) struct Budget {
    /// When all of the debt will be paid.
    paid: Cell<Instant>,
    /// What may be owed at once, as the time that it takes to pay it.
    burst: Duration,
    /// Whether it was told that the budget is exceeded.
    told: Cell<bool>,
}

impl Budget {
    /// Nothing is owed yet.
    pub(crate) fn new(burst: Duration) -> Self {
        Self {
            paid: Cell::new(Instant::now()),
            burst,
            told: Cell::new(false),
        }
    }

    /// Adds to the debt; returns how long to wait before anything more is done.
    pub(crate) fn spend(&self, cost: Duration) -> Option<Duration> {
        self.spend_at(Instant::now(), cost)
    }

    fn spend_at(&self, now: Instant, cost: Duration) -> Option<Duration> {
        let paid = self.paid.get().max(now) + cost;
        self.paid.set(paid);
        let wait = paid.duration_since(now).saturating_sub(self.burst);
        if wait.is_zero() {
            return None;
        }
        Some(wait)
    }

    /// Whether nobody was told yet that this budget is exceeded; asked once it is.
    pub(crate) fn is_news(&self) -> bool {
        !self.told.replace(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_free_and_then_the_rate_counts() {
        let budget = Budget::new(Duration::from_secs(1));
        let start = Instant::now() + Duration::from_mins(1);
        let cost = Duration::from_millis(10);
        assert!((0..100).all(|_| budget.spend_at(start, cost).is_none()));
        assert_eq!(budget.spend_at(start, cost), Some(cost));
        let later = start + Duration::from_millis(510);
        assert!((0..50).all(|_| budget.spend_at(later, cost).is_none()));
        assert_eq!(budget.spend_at(later, cost), Some(cost));
        assert!(budget.is_news());
        assert!(!budget.is_news());
    }
}
