//! Making load and timing it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// How long each of many things took.
#[derive(Debug, Default)]
pub(crate) struct Latencies(Vec<Duration>);

impl Latencies {
    /// Does a thing and notes how long it took.
    pub(crate) fn time<T>(&mut self, thing: impl FnOnce() -> T) -> T {
        let before = Instant::now();
        let result = thing();
        self.add(before.elapsed());
        result
    }

    /// Notes one more.
    pub(crate) fn add(&mut self, took: Duration) {
        self.0.push(took);
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// The duration that so many percent stay below.
    pub(crate) fn percentile(&self, percent: usize) -> Duration {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let index = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
        sorted.get(index).copied().unwrap_or_default()
    }
}

/// Does things 0 to `count` on so many threads at once. `worker` makes what one thread works with.
pub(crate) fn in_parallel<W: FnMut(usize)>(
    threads: usize,
    count: usize,
    worker: impl Fn(usize) -> W + Sync,
) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for number in 0..threads {
            let (next, worker) = (&next, &worker);
            scope.spawn(move || {
                let mut work = worker(number);
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= count {
                        break;
                    }
                    work(index);
                }
            });
        }
    });
}
