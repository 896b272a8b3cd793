//! What is on its way to a plugin.

use std::cell::Cell;
use std::rc::Rc;

use tokio::io::AsyncWriteExt;
use tokio::process::ChildStdin;
use tokio::sync::mpsc;

/// What may wait for one plugin: a few of the largest blocks, or hours of notifications. A plugin that has not read so much does not read.
const MAX_WAITING: usize = 64 << 20;

/// How many messages are written in one piece at most.
const AT_ONCE: usize = 64;

/// The way to a plugin's standard input. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Queue {
    sender: mpsc::UnboundedSender<Vec<u8>>,
    waiting: Rc<Cell<usize>>,
}

/// A plugin has not read what it was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Full;

impl Queue {
    /// A queue that is written to a plugin until the plugin ends.
    pub(super) fn to(stdin: ChildStdin) -> Self {
        let (sender, receiver) = mpsc::unbounded_channel();
        let waiting = Rc::new(Cell::new(0));
        tokio::task::spawn_local(write(stdin, receiver, Rc::clone(&waiting)));
        Self { sender, waiting }
    }

    /// How many bytes are not written yet.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.get()
    }

    /// Queues bytes. They are lost if the plugin has ended.
    pub(super) fn push(&self, bytes: Vec<u8>) -> Result<(), Full> {
        if self.waiting.get() > MAX_WAITING {
            return Err(Full);
        }
        let len = bytes.len();
        if self.sender.send(bytes).is_ok() {
            self.waiting.set(self.waiting.get() + len);
        }
        Ok(())
    }
}

async fn write(
    mut stdin: ChildStdin,
    mut queue: mpsc::UnboundedReceiver<Vec<u8>>,
    waiting: Rc<Cell<usize>>,
) {
    let mut messages = Vec::new();
    while queue.recv_many(&mut messages, AT_ONCE).await > 0 {
        // What came meanwhile goes in one piece: the plugin wakes up once for all of it.
        let mut messages = messages.drain(..);
        let mut bytes = messages.next().unwrap_or_default();
        for message in messages {
            bytes.extend_from_slice(&message);
        }
        let written = stdin.write_all(&bytes).await;
        waiting.set(waiting.get().saturating_sub(bytes.len()));
        if written.is_err() {
            break;
        }
    }
}
