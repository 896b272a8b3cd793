//! What waits for lightningd's answer or for a block.

use ln_types::ShortChannelId;
use ln_wire::{ChannelUpdate, NodeAnnouncement};

use super::Source;
use crate::{GossipError, NodeKey};

/// A channel whose funding output has yet to be seen.
#[derive(Debug)]
pub(super) struct PendingChannel {
    pub(super) message: Vec<u8>,
    pub(super) script: bitcoin::ScriptBuf,
    pub(super) nodes: [NodeKey; 2],
    pub(super) source: Source,
}

/// An update of such a channel.
#[derive(Debug)]
pub(super) struct WaitingUpdate {
    pub(super) scid: ShortChannelId,
    pub(super) update: ChannelUpdate,
    pub(super) message: Vec<u8>,
    pub(super) source: Source,
}

/// The announcement of a node without channels so far.
#[derive(Debug)]
pub(super) struct WaitingNode {
    pub(super) announcement: NodeAnnouncement,
    pub(super) message: Vec<u8>,
    pub(super) source: Source,
}

/// A list with a bound on entries and on bytes of their messages.
#[derive(Debug)]
pub(super) struct Queue<T> {
    name: &'static str,
    entries: Vec<T>,
    bytes: usize,
    max_entries: usize,
    max_bytes: usize,
}

impl<T> Queue<T> {
    pub(super) fn new(name: &'static str, max_entries: usize, max_bytes: usize) -> Self {
        Self {
            name,
            entries: Vec::new(),
            bytes: 0,
            max_entries,
            max_bytes,
        }
    }

    /// Adds an entry whose message has `size` bytes.
    pub(super) fn push(&mut self, entry: T, size: usize) -> Result<(), GossipError> {
        let bytes = self.bytes.saturating_add(size);
        if self.entries.len() >= self.max_entries || bytes > self.max_bytes {
            return Err(GossipError::QueueFull { queue: self.name });
        }
        self.bytes = bytes;
        self.entries.push(entry);
        Ok(())
    }

    /// Empties it.
    pub(super) fn take(&mut self) -> Vec<T> {
        self.bytes = 0;
        std::mem::take(&mut self.entries)
    }
}
