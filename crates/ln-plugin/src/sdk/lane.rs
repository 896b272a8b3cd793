//! Messages that wait for somebody to work on them.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::incoming::Incoming;

/// What may wait, in bytes.
const LIMIT: usize = 64 << 20;

#[derive(Debug, Default)]
struct Waiting {
    messages: VecDeque<Incoming>,
    bytes: usize,
}

impl Waiting {
    fn add(&mut self, message: Incoming) {
        self.bytes = self.bytes.saturating_add(message.size());
        self.messages.push_back(message);
    }
}

/// A queue of messages in order.
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

    /// Adds a message; where there is no room for it, waits until there is.
    pub(super) fn push(&self, message: Incoming) {
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
    pub(super) fn offer(&self, messages: &mut Vec<Incoming>) -> bool {
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
    pub(super) fn next(&self) -> Incoming {
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
    pub(super) fn all(&self) -> VecDeque<Incoming> {
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

    fn message(method: &str) -> Incoming {
        Incoming {
            id: None,
            method: method.to_owned(),
            params: None,
            origin: None,
        }
    }

    #[test]
    fn messages_come_out_in_order_and_not_without_limit() {
        let lane = Lane::default();
        lane.push(message("a"));
        assert!(lane.offer(&mut vec![message("b"), message(&"x".repeat(LIMIT))]));
        let mut more = vec![message("c"), message("d")];
        assert!(!lane.offer(&mut more));
        assert!(more.is_empty());
        assert_eq!([lane.next().method, lane.next().method], ["a", "b"]);
        assert!(lane.offer(&mut vec![message("e")]));
        assert_eq!(lane.next().method.len(), LIMIT);
        assert!(lane.offer(&mut vec![message("f")]));
        let rest = lane.all().into_iter();
        assert!(rest.map(|message| message.method).eq(["e", "f"]));
    }
}
