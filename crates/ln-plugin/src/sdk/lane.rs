//! Messages that wait for somebody to work on them.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::incoming::Size;

/// What may wait, in bytes.
const LIMIT: usize = 64 << 20;

#[derive(Debug)]
struct Waiting<M> {
    messages: VecDeque<M>,
    bytes: usize,
}

impl<M: Size> Waiting<M> {
    fn add(&mut self, message: M) {
        self.bytes = self.bytes.saturating_add(message.size());
        self.messages.push_back(message);
    }
}

/// A queue of messages in order.
#[derive(Debug)]
pub(super) struct Lane<M> {
    waiting: Mutex<Waiting<M>>,
    came: Condvar,
    went: Condvar,
}

impl<M> Default for Lane<M> {
    fn default() -> Self {
        Self {
            waiting: Mutex::new(Waiting {
                messages: VecDeque::new(),
                bytes: 0,
            }),
            came: Condvar::new(),
            went: Condvar::new(),
        }
    }
}

impl<M: Size> Lane<M> {
    fn lock(&self) -> MutexGuard<'_, Waiting<M>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a message; where there is no room for it, waits until there is.
    pub(super) fn push(&self, message: M) {
        let mut waiting = self.lock();
        while waiting.bytes > LIMIT {
            waiting = self
                .went
                .wait(waiting)
                .unwrap_or_else(PoisonError::into_inner);
        }
        waiting.add(message);
        drop(waiting);
        self.came.notify_one();
    }

    /// Adds the messages there is room for, and empties the list: whether there was room for all of them.
    pub(super) fn offer(&self, messages: &mut Vec<M>) -> bool {
        let mut waiting = self.lock();
        let fits = messages.drain(..).all(|message| {
            let room = waiting.bytes <= LIMIT;
            if room {
                waiting.add(message);
            }
            room
        });
        drop(waiting);
        // Whoever takes them is woken up once.
        self.came.notify_one();
        fits
    }

    /// Takes the next message, waiting for it.
    pub(super) fn next(&self) -> M {
        let mut waiting = self.lock();
        loop {
            if let Some(message) = waiting.messages.pop_front() {
                waiting.bytes = waiting.bytes.saturating_sub(message.size());
                drop(waiting);
                self.went.notify_one();
                return message;
            }
            waiting = self
                .came
                .wait(waiting)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Takes all messages there are, waiting for the first.
    pub(super) fn all(&self) -> VecDeque<M> {
        let mut waiting = self.lock();
        while waiting.messages.is_empty() {
            waiting = self
                .came
                .wait(waiting)
                .unwrap_or_else(PoisonError::into_inner);
        }
        waiting.bytes = 0;
        std::mem::take(&mut waiting.messages)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Size for String {
        fn size(&self) -> usize {
            self.len()
        }
    }

    #[test]
    fn messages_come_out_in_order_and_not_without_limit() {
        let message = str::to_owned;
        let lane = Lane::default();
        lane.push(message("a"));
        assert!(lane.offer(&mut vec![message("b"), "x".repeat(LIMIT)]));
        let mut more = vec![message("c"), message("d")];
        assert!(!lane.offer(&mut more));
        assert!(more.is_empty());
        assert_eq!([lane.next(), lane.next()], ["a", "b"]);
        assert!(lane.offer(&mut vec![message("e")]));
        assert_eq!(lane.next().len(), LIMIT);
        assert!(lane.offer(&mut vec![message("f")]));
        assert_eq!(lane.all(), ["e", "f"]);
    }
}
