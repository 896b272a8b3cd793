//! How often a plugin was asked, and how long it took.

use std::cell::Cell;
use std::time::Duration;

/// Four steps to each doubling, from a microsecond to a day.
const STEPS: usize = 144;

/// Counters of one plugin: a few words to write for each call, nothing to allocate.
#[derive(Debug)]
pub(crate) struct Stats {
    calls: Cell<u64>,
    errors: Cell<u64>,
    unanswered: Cell<u64>,
    times: [Cell<u32>; STEPS],
}

impl Default for Stats {
    fn default() -> Self {
        Self {
            calls: Cell::new(0),
            errors: Cell::new(0),
            unanswered: Cell::new(0),
            times: [const { Cell::new(0) }; STEPS],
        }
    }
}

fn add(counter: &Cell<u64>) {
    counter.set(counter.get().saturating_add(1));
}

impl Stats {
    /// It is asked something.
    pub(super) fn asked(&self) {
        add(&self.calls);
    }

    /// It has answered.
    pub(super) fn answered(&self, after: Duration, with_error: bool) {
        if with_error {
            add(&self.errors);
        }
        if let Some(times) = self.times.get(step(after)) {
            times.set(times.get().saturating_add(1));
        }
    }

    /// Nobody waits for its answer any more.
    pub(super) fn given_up(&self) {
        add(&self.unanswered);
    }

    /// How often it was asked.
    pub(crate) fn calls(&self) -> u64 {
        self.calls.get()
    }

    /// How often it answered with an error.
    pub(crate) fn errors(&self) -> u64 {
        self.errors.get()
    }

    /// How often it took longer than anybody waited.
    pub(crate) fn unanswered(&self) -> u64 {
        self.unanswered.get()
    }

    /// The time within which it gave so many of a hundred answers, at most a quarter too long; nothing before the first answer.
    pub(crate) fn percentile(&self, percent: u64) -> Option<Duration> {
        let total: u64 = self.times.iter().map(|times| u64::from(times.get())).sum();
        let rank = total.saturating_mul(percent).div_ceil(100).max(1);
        let mut seen = 0;
        let found = self.times.iter().position(|times| {
            seen += u64::from(times.get());
            seen >= rank
        });
        found.map(|step| Duration::from_micros(most(step)))
    }
}

/// The step of a time.
fn step(time: Duration) -> usize {
    let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    let step = match micros.checked_ilog2() {
        None | Some(0 | 1) => micros,
        Some(log) => u64::from(log - 1) * 4 + (micros >> (log - 2)) % 4,
    };
    usize::try_from(step).unwrap_or(STEPS).min(STEPS - 1)
}

/// The longest time of a step, in microseconds.
fn most(step: usize) -> u64 {
    let step = u64::try_from(step).unwrap_or(u64::MAX);
    if step < 4 {
        return step;
    }
    (((step % 4) + 5) << (step / 4 - 1)) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_step_ends_where_the_next_begins() {
        for index in 0..STEPS - 1 {
            let last = Duration::from_micros(most(index));
            assert_eq!(step(last), index);
            assert_eq!(step(last + Duration::from_micros(1)), index + 1);
        }
        assert_eq!(step(Duration::MAX), STEPS - 1);
    }

    #[test]
    fn most_answers_came_within_a_time() {
        let stats = Stats::default();
        assert_eq!(stats.percentile(50), None);
        for _ in 0..98 {
            stats.answered(Duration::from_millis(1), false);
        }
        stats.answered(Duration::from_secs(1), true);
        stats.answered(Duration::from_secs(1), true);
        let near = |percent, wanted: u128| {
            let found = stats.percentile(percent).unwrap().as_micros();
            assert!((wanted..wanted * 5 / 4).contains(&found), "{found}");
        };
        near(50, 1000);
        near(99, 1_000_000);
        assert_eq!(stats.errors(), 2);
    }
}
