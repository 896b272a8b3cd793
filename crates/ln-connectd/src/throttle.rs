//! Limits on bytes per second.

use std::time::{Duration, Instant};

/// A budget of bytes that refills with time. It may be overdrawn by one message; then its user pauses.
#[derive(Debug)]
pub(crate) struct Throttle {
    per_second: u32,
    burst: f64,
    budget: f64,
    at: Instant,
}

impl Throttle {
    pub(crate) fn new(burst: u32, per_second: u32, now: Instant) -> Self {
        Self {
            per_second,
            burst: f64::from(burst),
            budget: f64::from(burst),
            at: now,
        }
    }

    /// Takes `bytes` from the budget.
    pub(crate) fn spend(&mut self, bytes: usize, now: Instant) {
        self.refill(now);
        self.budget -= f64::from(u32::try_from(bytes).unwrap_or(u32::MAX));
    }

    /// When the budget is positive again; `None` when it is now.
    pub(crate) fn paused_until(&mut self, now: Instant) -> Option<Instant> {
        self.refill(now);
        (self.budget < 0.0).then(|| {
            let wait = -self.budget / f64::from(self.per_second);
            now + Duration::from_secs_f64(wait) + Duration::from_millis(1)
        })
    }

    fn refill(&mut self, now: Instant) {
        let elapsed = now.saturating_duration_since(self.at);
        self.at = now;
        let refilled = self.budget + elapsed.as_secs_f64() * f64::from(self.per_second);
        self.budget = refilled.min(self.burst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_overdrawn_budget_pauses_until_it_is_refilled() {
        let start = Instant::now();
        let mut throttle = Throttle::new(1000, 100, start);
        throttle.spend(900, start);
        assert_eq!(throttle.paused_until(start), None);
        throttle.spend(300, start);
        let until = throttle.paused_until(start).unwrap();
        assert!(until > start + Duration::from_secs(2));
        assert!(until < start + Duration::from_secs(3));
        assert_eq!(throttle.paused_until(until), None);
    }

    #[test]
    fn idle_time_saves_up_no_more_than_the_burst() {
        let start = Instant::now();
        let mut throttle = Throttle::new(1000, 100, start);
        let later = start + Duration::from_hours(1);
        throttle.spend(1001, later);
        assert!(throttle.paused_until(later).is_some());
    }
}
