//! Texts that wait for somebody to work on them.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// What may wait, in bytes.
const LIMIT: usize = 64 << 20;

#[derive(Debug, Default)]
struct Waiting {
    texts: VecDeque<String>,
    bytes: usize,
}

/// A queue of texts in order.
#[derive(Debug, Default)]
pub(super) struct Lane {
    waiting: Mutex<Waiting>,
    came: Condvar,
    went: Condvar,
}

impl Lane {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a text; where there is no room for it, waits until there is.
    pub(super) fn push(&self, text: String) {
        let mut waiting = self.lock();
        while waiting.bytes > LIMIT {
            waiting = self
                .went
                .wait(waiting)
                .unwrap_or_else(PoisonError::into_inner);
        }
        self.add(waiting, text);
    }

    /// Adds a text if there is room for it.
    pub(super) fn offer(&self, text: String) -> bool {
        let waiting = self.lock();
        let room = waiting.bytes <= LIMIT;
        if room {
            self.add(waiting, text);
        }
        room
    }

    fn add(&self, mut waiting: MutexGuard<'_, Waiting>, text: String) {
        waiting.bytes = waiting.bytes.saturating_add(text.len());
        waiting.texts.push_back(text);
        drop(waiting);
        self.came.notify_one();
    }

    /// Takes the next text, waiting for it.
    pub(super) fn next(&self) -> String {
        let mut waiting = self.lock();
        loop {
            if let Some(text) = waiting.texts.pop_front() {
                waiting.bytes = waiting.bytes.saturating_sub(text.len());
                drop(waiting);
                self.went.notify_one();
                return text;
            }
            waiting = self
                .came
                .wait(waiting)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_out_in_order_and_not_without_limit() {
        let lane = Lane::default();
        lane.push("a".to_owned());
        assert!(lane.offer("b".to_owned()));
        assert!(lane.offer("x".repeat(LIMIT)));
        assert!(!lane.offer("c".to_owned()));
        assert_eq!((lane.next(), lane.next()), ("a".to_owned(), "b".to_owned()));
        assert!(lane.offer("c".to_owned()));
        assert_eq!(lane.next().len(), LIMIT);
    }
}
