//! A node's log as tests read it.

use std::fs;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// How many lines a failed test shows of each log.
const SHOWN_LINES: usize = 150;

/// A place in a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LogMark(u64);

/// A log file that is being written.
#[derive(Debug)]
pub struct NodeLog {
    path: PathBuf,
}

impl NodeLog {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The present end.
    pub fn end(&self) -> LogMark {
        LogMark(fs::metadata(&self.path).map_or(0, |data| data.len()))
    }

    /// The whole lines written after a mark.
    pub fn lines_after(&self, mark: LogMark) -> Vec<String> {
        let text = self.read_from(mark).unwrap_or_default();
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        whole.lines().map(str::to_owned).collect()
    }

    fn read_from(&self, mark: LogMark) -> std::io::Result<String> {
        let mut file = fs::File::open(&self.path)?;
        file.seek(SeekFrom::Start(mark.0))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The first line after a mark that contains `needle`.
    pub fn find_after(&self, mark: LogMark, needle: &str) -> Option<String> {
        let mut lines = self.lines_after(mark).into_iter();
        lines.find(|line| line.contains(needle))
    }

    /// Every line that contains `needle`.
    pub fn all_with(&self, needle: &str) -> Vec<String> {
        let mut lines = self.lines_after(LogMark::default());
        lines.retain(|line| line.contains(needle));
        lines
    }

    /// The last lines, for people.
    pub fn tail(&self) -> String {
        let lines = self.lines_after(LogMark::default());
        let skipped = lines.len().saturating_sub(SHOWN_LINES);
        lines.get(skipped..).unwrap_or_default().join("\n")
    }
}
