//! How long to wait before the next attempt to reach an important peer.

use std::time::Duration;

/// The first wait.
const FIRST: Duration = Duration::from_secs(1);
/// The longest wait; also how long a connection must last for the waits to start again from the first.
pub(crate) const LONGEST: Duration = Duration::from_mins(5);
/// The longest wait with `dev-fast-reconnect`.
const LONGEST_FAST: Duration = Duration::from_secs(3);

/// Doubling waits for one peer.
#[derive(Debug)]
pub(crate) struct Backoff {
    next: Duration,
    longest: Duration,
}

impl Backoff {
    pub(crate) fn new(fast: bool) -> Self {
        Self {
            next: FIRST,
            longest: if fast { LONGEST_FAST } else { LONGEST },
        }
    }

    /// The next wait. `luck` in 0..256 adds up to a second, so that two nodes that lost each other don't dial at the same moment.
    pub(crate) fn wait(&mut self, luck: u8) -> Duration {
        let wait = self.next;
        self.next = self.next.saturating_mul(2).min(self.longest);
        wait + Duration::from_millis(u64::from(luck).saturating_mul(1000) / 256)
    }

    /// The peer stayed: the waits start again.
    pub(crate) fn reset(&mut self) {
        self.next = FIRST;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(mut backoff: Backoff, count: usize) -> Vec<u64> {
        (0..count).map(|_| backoff.wait(0).as_secs()).collect()
    }

    #[test]
    fn waits_double_up_to_five_minutes() {
        let expected = [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300];
        assert_eq!(waits(Backoff::new(false), 11), expected);
        assert_eq!(waits(Backoff::new(true), 4), [1, 2, 3, 3]);
    }

    #[test]
    fn luck_adds_less_than_a_second_and_a_reset_starts_again() {
        let mut backoff = Backoff::new(false);
        let first = backoff.wait(255);
        assert!(first > FIRST && first < FIRST * 2);
        backoff.reset();
        assert_eq!(backoff.wait(0), FIRST);
    }
}
