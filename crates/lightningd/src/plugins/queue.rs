//! What is on its way to a plugin.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

/// What may wait for one plugin: a few of the largest blocks, or hours of notifications. A plugin that has not read so much does not read.
const MAX_WAITING: usize = 64 << 20;

/// How much is written in one piece at most, and what a pipe should hold. A longer message goes alone.
pub(super) const AT_ONCE: usize = 256 << 10;

/// How long notifications gather for a plugin while there are many: it wakes up ten times a second and finds all that happened, instead
/// of waking up for each, which costs both sides more than all the rest.
const GATHER: Duration = Duration::from_millis(100);

/// Over how long messages are counted.
const WINDOW: Duration = Duration::from_millis(200);

/// With more than so many in that time there are many. A plugin that goes on when it hears of something, from one payment to the next, stays
/// below and is told at once.
const MANY: usize = 80;

/// With how many there still are many: so few come when a plugin waits for each, but not when the disk holds up the node for a moment.
const STILL_MANY: usize = 10;

/// Whether somebody waits for what a message brings about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hurry {
    /// An answer is waited for: it goes at once, with all that is before it.
    Now,
    /// It is a notification.
    Soon,
}

/// The way to a plugin's standard input.
#[derive(Debug)]
pub(super) struct Queue(Rc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    waiting: RefCell<Waiting>,
    /// There is something to write, or it can't wait any longer.
    came: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    messages: VecDeque<Rc<[u8]>>,
    /// How many bytes are not written yet.
    bytes: usize,
    /// All that waits is to be written now.
    hurries: bool,
    pace: Pace,
    /// Nobody will add anything, or nobody reads any more.
    closed: bool,
}

/// A plugin has not read what it was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Full;

impl Queue {
    /// A queue that is written to a plugin until the plugin ends.
    pub(super) fn to(stdin: impl AsyncWrite + Unpin + 'static) -> Self {
        let shared = Rc::new(Shared::default());
        tokio::task::spawn_local(write(stdin, Rc::clone(&shared)));
        Self(shared)
    }

    /// How many bytes are not written yet.
    pub(super) fn waiting(&self) -> usize {
        self.0.waiting.borrow().bytes
    }

    /// Queues a message. It is lost if the plugin has ended.
    pub(super) fn push(&self, message: Rc<[u8]>, hurry: Hurry) -> Result<(), Full> {
        let mut waiting = self.0.waiting.borrow_mut();
        if waiting.bytes > MAX_WAITING {
            return Err(Full);
        }
        if waiting.closed {
            return Ok(());
        }
        let was_empty = waiting.messages.is_empty();
        let was_ready = waiting.is_ready();
        waiting.pace.count(Instant::now());
        waiting.bytes += message.len();
        waiting.messages.push_back(message);
        waiting.hurries |= hurry == Hurry::Now;
        // While it gathers nobody is woken up for one message more.
        if was_empty || (waiting.is_ready() && !was_ready) {
            self.0.came.notify_one();
        }
        Ok(())
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        self.0.waiting.borrow_mut().closed = true;
        self.0.came.notify_one();
    }
}

/// How fast messages come.
#[derive(Debug, Default)]
struct Pace {
    /// Since when they are counted, and how many there were.
    window: Option<(Instant, usize)>,
    /// Whether there are many.
    is_fast: bool,
}

impl Pace {
    fn count(&mut self, now: Instant) {
        match &mut self.window {
            Some((since, count)) if now < *since + WINDOW => {
                *count += 1;
                self.is_fast |= *count > MANY;
            }
            window => {
                // After a pause nothing is known of the window before.
                self.is_fast &= window.is_some_and(|(since, count)| {
                    count >= STILL_MANY && now < since + WINDOW + WINDOW
                });
                *window = Some((now, 1));
            }
        }
    }
}

impl Waiting {
    /// Whether more would not fit into one piece, or something can't wait for more.
    fn is_ready(&self) -> bool {
        self.hurries || self.closed || self.bytes >= AT_ONCE
    }

    /// Takes what is to be written in one piece.
    fn take(&mut self, piece: &mut Vec<u8>) {
        piece.clear();
        piece.shrink_to(AT_ONCE);
        while let Some(message) = self.messages.front() {
            if !piece.is_empty() && piece.len() + message.len() > AT_ONCE {
                break;
            }
            piece.extend_from_slice(message);
            self.messages.pop_front();
        }
        // What is left has waited as long as what goes.
        self.hurries = !self.messages.is_empty();
    }
}

impl Shared {
    /// Waits until there is something to write and it has gathered long enough since `last`. False when there will be nothing any more.
    async fn gathered(&self, last: Option<Instant>) -> bool {
        loop {
            let deadline = {
                let waiting = self.waiting.borrow();
                let last = last.filter(|_| waiting.pace.is_fast);
                match last.map(|last| last + GATHER) {
                    _ if waiting.messages.is_empty() => {
                        if waiting.closed {
                            return false;
                        }
                        None
                    }
                    Some(deadline) if !waiting.is_ready() && Instant::now() < deadline => {
                        Some(deadline)
                    }
                    Some(_) | None => return true,
                }
            };
            match deadline {
                Some(deadline) => drop(timeout_at(deadline, self.came.notified()).await),
                None => self.came.notified().await,
            }
        }
    }
}

async fn write(mut stdin: impl AsyncWrite + Unpin, shared: Rc<Shared>) {
    let mut piece = Vec::new();
    let mut last = None;
    while shared.gathered(last).await {
        shared.waiting.borrow_mut().take(&mut piece);
        let written = stdin.write_all(&piece).await;
        let mut waiting = shared.waiting.borrow_mut();
        waiting.bytes = waiting.bytes.saturating_sub(piece.len());
        if written.is_err() {
            *waiting = Waiting {
                closed: true,
                ..Waiting::default()
            };
            break;
        }
        last = Some(Instant::now());
    }
}

#[cfg(test)]
#[path = "queue_tests.rs"]
mod tests;
