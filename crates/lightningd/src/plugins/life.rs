//! What ties the processes of one plugin together: its place among all, and how one process follows another.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use super::process::{PluginProcess, Stage};
use super::topics::SHUTDOWN;

/// What may be kept of notifications for a process that is not ready yet.
const MAX_KEPT: usize = 64 << 20;

/// Whether another process takes the place of this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Succession {
    /// No.
    None,
    /// Another one is started and asked whether it can.
    Preparing,
    /// It has.
    Replaced,
}

/// Notifications that wait for it to be clear which process hears them.
#[derive(Debug, Default)]
struct Kept {
    messages: Vec<(String, Rc<[u8]>)>,
    bytes: usize,
}

/// What a process shares with those before and after it.
#[derive(Debug)]
pub(super) struct Life {
    /// Where it stands among all plugins: the order of hooks. Whoever follows it stands there, too.
    pub(super) place: u64,
    /// How many processes before this one ended soon, in a row.
    pub(super) failures: Cell<u32>,
    /// Told whenever one request fewer waits for an answer.
    pub(super) answered: Notify,
    since: Cell<Option<Instant>>,
    succession: watch::Sender<Succession>,
    kept: RefCell<Option<Kept>>,
}

impl Life {
    /// A new life at a place.
    pub(super) fn at(place: u64) -> Self {
        Self {
            place,
            failures: Cell::new(0),
            answered: Notify::new(),
            since: Cell::new(None),
            succession: watch::Sender::new(Succession::None),
            kept: RefCell::new(None),
        }
    }

    /// It works from now on.
    pub(super) fn begin(&self) {
        self.since.set(Some(Instant::now()));
    }

    /// How long it has worked.
    pub(super) fn worked(&self) -> Duration {
        self.since
            .get()
            .map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// Whether a successor is being prepared.
    pub(super) fn is_preparing(&self) -> bool {
        *self.succession.borrow() == Succession::Preparing
    }

    /// Notes how far its succession is, and tells those who wait for that.
    pub(super) fn set_succession(&self, succession: Succession) {
        self.succession.send_replace(succession);
    }

    /// To hear of its succession.
    pub(super) fn watch_succession(&self) -> watch::Receiver<Succession> {
        self.succession.subscribe()
    }

    /// From now on what it would be told is kept.
    pub(super) fn start_keeping(&self) {
        self.kept.replace(Some(Kept::default()));
    }

    /// No longer; what was kept, by topic.
    pub(super) fn stop_keeping(&self) -> Vec<(String, Rc<[u8]>)> {
        self.kept.take().unwrap_or_default().messages
    }

    /// Keeps a notification, if such is the time, or gives it back. That the node ends is for the process itself.
    pub(super) fn keep(&self, topic: &str, bytes: Rc<[u8]>) -> Option<Rc<[u8]>> {
        let mut kept = self.kept.borrow_mut();
        let Some(kept) = kept.as_mut().filter(|_| topic != SHUTDOWN) else {
            return Some(bytes);
        };
        // As with one that does not read: it misses what is too much.
        if kept.bytes < MAX_KEPT {
            kept.bytes = kept.bytes.saturating_add(bytes.len());
            kept.messages.push((topic.to_owned(), bytes));
        }
        None
    }

    /// Whether notifications are kept.
    fn is_keeping(&self) -> bool {
        self.kept.borrow().is_some()
    }
}

impl PluginProcess {
    /// Whether it hears of what happens: it works, or another process will hear it in its place.
    pub(super) fn is_served(&self) -> bool {
        self.stage() == Stage::Running || self.life.is_keeping()
    }

    /// Whether it can be asked: it works, or another process is about to.
    pub(super) fn can_be_asked(&self) -> bool {
        self.is_running() || self.life.is_preparing()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notifications_are_kept_only_while_it_is_open_who_hears_them() {
        let life = Life::at(0);
        let one = |byte: u8| Rc::<[u8]>::from([byte]);
        assert_eq!(life.keep("connect", one(1)), Some(one(1)));
        life.start_keeping();
        assert_eq!(life.keep("connect", one(2)), None);
        assert_eq!(life.keep("shutdown", one(3)), Some(one(3)));
        assert_eq!(life.stop_keeping(), [("connect".to_owned(), one(2))]);
        assert_eq!(life.keep("connect", one(4)), Some(one(4)));
        life.start_keeping();
        assert_eq!(life.keep("block_added", vec![0; MAX_KEPT].into()), None);
        assert_eq!(life.keep("block_added", one(1)), None);
        assert_eq!(life.stop_keeping().len(), 1);
    }
}
