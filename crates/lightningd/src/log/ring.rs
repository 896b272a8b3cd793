//! The last lines, for `getlog`.

use std::collections::VecDeque;

use super::Line;

/// The last lines, within a bound of bytes.
#[derive(Debug, Default)]
pub(crate) struct Ring {
    lines: VecDeque<Line>,
    bytes: usize,
    skipped: u64,
}

/// What is kept at most.
pub(crate) const MAX_BYTES: usize = 16 << 20;

/// What a line costs besides its text.
const OVERHEAD: usize = 64;

impl Ring {
    /// Keeps a line; the oldest go when there is no room.
    pub(crate) fn push(&mut self, line: Line) {
        self.bytes += size(&line);
        self.lines.push_back(line);
        while self.bytes > MAX_BYTES {
            let Some(oldest) = self.lines.pop_front() else {
                break;
            };
            self.bytes = self.bytes.saturating_sub(size(&oldest));
            self.skipped += 1;
        }
    }

    /// The lines, oldest first.
    pub(crate) fn lines(&self) -> impl DoubleEndedIterator<Item = &Line> {
        self.lines.iter()
    }

    /// How many lines were dropped.
    pub(crate) fn skipped(&self) -> u64 {
        self.skipped
    }

    /// How many bytes are kept.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}

fn size(line: &Line) -> usize {
    line.text.len() + line.data.as_ref().map_or(0, |data| data.len()) + OVERHEAD
}
