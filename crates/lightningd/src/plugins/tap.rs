//! Watching what is said to a plugin and by it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::clock;
use crate::log::{masked, timestamp};

/// How many messages wait for whoever watches. When there are more, some are lost: the plugin must not wait.
const WAITING: usize = 1024;

/// Which way a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// To the plugin.
    To,
    /// From it; an answer comes with the time it took.
    From(Option<Duration>),
}

/// One who watches.
#[derive(Debug)]
struct Tap {
    lines: mpsc::Sender<String>,
    lost: Rc<Cell<u64>>,
}

/// Those who watch one plugin: mostly nobody.
#[derive(Debug, Default)]
pub(super) struct Taps {
    any: Cell<bool>,
    all: RefCell<Vec<Tap>>,
}

/// What a watcher sees.
#[derive(Debug)]
pub(crate) struct Trace {
    lines: mpsc::Receiver<String>,
    lost: Rc<Cell<u64>>,
}

impl Taps {
    /// Lets somebody watch.
    pub(super) fn open(&self) -> Trace {
        let (sender, receiver) = mpsc::channel(WAITING);
        let lost = Rc::new(Cell::new(0));
        self.all.borrow_mut().push(Tap {
            lines: sender,
            lost: Rc::clone(&lost),
        });
        self.any.set(true);
        Trace {
            lines: receiver,
            lost,
        }
    }

    /// Whether anybody watches: ask before making anything for them.
    pub(super) fn is_watched(&self) -> bool {
        self.any.get()
    }

    /// Shows a message. Costs nothing if nobody watches.
    pub(super) fn show(&self, way: Way, message: &str) {
        let mut all = self.all.borrow_mut();
        all.retain(|tap| !tap.lines.is_closed());
        self.any.set(!all.is_empty());
        if all.is_empty() {
            return;
        }
        let line = line(way, message);
        for tap in all.iter() {
            if tap.lines.try_send(line.clone()).is_err() {
                tap.lost.set(tap.lost.get().saturating_add(1));
            }
        }
    }

    /// There is nothing to see any more.
    pub(super) fn close(&self) {
        self.all.borrow_mut().clear();
        self.any.set(false);
    }
}

impl Trace {
    /// The next message, or nothing once the plugin has ended.
    pub(crate) async fn next(&mut self) -> Option<String> {
        self.lines.recv().await
    }

    /// How many messages were lost since it was asked last.
    pub(crate) fn lost(&self) -> u64 {
        self.lost.take()
    }
}

/// A message as it is shown.
fn line(way: Way, message: &str) -> String {
    let time = timestamp(clock::since_epoch());
    let way = match way {
        Way::To => "to plugin".to_owned(),
        Way::From(None) => "from plugin".to_owned(),
        Way::From(Some(after)) => {
            let micros = after.as_micros();
            format!(
                "from plugin after {}.{:03} ms",
                micros / 1000,
                micros % 1000
            )
        }
    };
    format!("{time} {way}: {}", masked(message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_does_not_look_misses_something_and_is_told() {
        let taps = Taps::default();
        assert!(!taps.is_watched());
        let mut trace = taps.open();
        assert!(taps.is_watched());
        taps.show(
            Way::From(Some(Duration::from_micros(1500))),
            "{\"preimage\":\"00\"}\n",
        );
        let seen = trace.next().await.unwrap();
        assert!(
            seen.ends_with(" from plugin after 1.500 ms: {\"preimage\":\"(masked)\"}"),
            "{seen}"
        );
        (0..WAITING + 5).for_each(|_| taps.show(Way::To, "{}"));
        assert_eq!(trace.lost(), 5);
        assert_eq!(trace.lost(), 0);
        taps.close();
        let mut left = 0;
        while trace.next().await.is_some() {
            left += 1;
        }
        assert_eq!(left, WAITING);
        let trace = taps.open();
        drop(trace);
        taps.show(Way::To, "{}");
        assert!(!taps.is_watched());
    }
}
