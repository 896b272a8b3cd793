//! The places that lines go to.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Standard output, as `log-file` names it.
pub(super) const STDOUT: &str = "-";

/// One place that lines go to. What can't be written is lost, and said as soon as it can be.
#[derive(Debug)]
pub(super) struct Output {
    /// As `log-file` has it.
    name: String,
    /// Where it is, whatever the working directory; nothing for standard output.
    path: Option<PathBuf>,
    file: Option<File>,
    lost: u64,
    /// Whether the last line was written in part only.
    torn: bool,
}

impl Output {
    /// Standard output.
    pub(super) fn stdout() -> Self {
        Self {
            name: STDOUT.to_owned(),
            path: None,
            file: None,
            lost: 0,
            torn: false,
        }
    }

    /// Opens one. In a file that holds the lines of earlier runs, four empty lines show where this one starts.
    pub(super) fn open(name: &str) -> Result<Self, String> {
        if name == STDOUT {
            return Ok(Self::stdout());
        }
        let failed = |error: io::Error| format!("can't open log file {name}: {error}");
        let path = std::path::absolute(name).map_err(failed)?;
        let mut file = append(&path).map_err(failed)?;
        if file.metadata().map_err(failed)?.len() > 0 {
            // On a full disk the node starts all the same.
            drop(file.write_all(b"\n\n\n\n"));
        }
        Ok(Self {
            name: name.to_owned(),
            path: Some(path),
            file: Some(file),
            lost: 0,
            torn: false,
        })
    }

    /// As `log-file` has it.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The file it is, if it is one.
    pub(super) fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Opens the file anew. One that can't be opened is kept as it is.
    pub(super) fn reopen(&mut self) -> io::Result<()> {
        if let Some(path) = &self.path {
            self.file = Some(append(path)?);
            self.torn = false;
        }
        Ok(())
    }

    /// Writes a line. A log that can't be written must not stop the node: what is lost is counted, and `told` makes a line of the count once there is
    /// room again.
    pub(super) fn write(&mut self, line: &str, told: impl FnOnce(u64) -> String) {
        if self.lost > 0 {
            let mut text = told(self.lost);
            if self.torn {
                text.insert(0, '\n');
            }
            if self.put(&text) {
                self.lost = 0;
                self.torn = false;
            }
        }
        if self.lost > 0 || !self.put(line) {
            self.lost = self.lost.saturating_add(1);
        }
    }

    /// Writes text; whether all of it is written.
    fn put(&mut self, text: &str) -> bool {
        let mut left = text.as_bytes();
        while !left.is_empty() {
            let written = match &mut self.file {
                Some(file) => file.write(left),
                None => io::stdout().write(left),
            };
            match written {
                Ok(0) => break,
                Ok(written) => left = left.get(written..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        // Standard output keeps what does not end a line.
        if self.file.is_none() && io::stdout().flush().is_err() {
            return false;
        }
        self.torn |= !left.is_empty() && left.len() < text.len();
        left.is_empty()
    }
}

fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_cannot_be_opened_again_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let mut output = Output::open(path.to_str().unwrap()).unwrap();
        output.write("one\n", |_| String::new());
        std::fs::rename(&path, dir.path().join("old")).unwrap();
        std::fs::create_dir(&path).unwrap();
        assert!(output.reopen().is_err());
        output.write("two\n", |_| String::new());
        std::fs::remove_dir(&path).unwrap();
        output.reopen().unwrap();
        output.write("three\n", |_| String::new());
        let read = |name: &str| std::fs::read_to_string(dir.path().join(name)).unwrap();
        assert_eq!(
            (read("old").as_str(), read("log").as_str()),
            ("one\ntwo\n", "three\n")
        );
    }

    #[test]
    fn what_a_full_disk_swallows_is_counted() {
        let Ok(mut output) = Output::open("/dev/full") else {
            return;
        };
        output.write("one\n", |_| String::new());
        output.write("two\n", |_| "(lost)".to_owned());
        assert_eq!(output.lost, 2);
        let dir = tempfile::tempdir().unwrap();
        output.path = Some(dir.path().join("log"));
        output.reopen().unwrap();
        output.write("three\n", |lost| format!("({lost} lost)\n"));
        let text = std::fs::read_to_string(dir.path().join("log")).unwrap();
        assert_eq!(text, "(2 lost)\nthree\n");
    }
}
