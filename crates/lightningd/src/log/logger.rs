//! Where lines go.

use std::cell::{Cell, RefCell};
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use super::LogLevel;
use super::line::{Line, Origin, printable};
use super::ring::{MAX_BYTES, Ring};
use crate::clock;

/// One `log-level`: which lines of which subsystems.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LogFilter {
    /// The least loud.
    pub(crate) level: LogLevel,
    /// A part of the origin's name; nothing means all.
    pub(crate) subsystem: Option<String>,
}

impl LogFilter {
    /// Reads `LEVEL[:SUBSYSTEM]`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (level, subsystem) = text
            .split_once(':')
            .map_or((text, None), |(level, rest)| (level, Some(rest)));
        let level = match level.to_ascii_lowercase().as_str() {
            "io" => LogLevel::IoIn,
            "trace" => LogLevel::Trace,
            "debug" => LogLevel::Debug,
            "info" => LogLevel::Info,
            "unusual" => LogLevel::Unusual,
            "broken" => LogLevel::Broken,
            _ => {
                return Err(format!(
                    "'{level}' is not a log level: use io, trace, debug, info, unusual or broken"
                ));
            }
        };
        Ok(Self {
            level,
            subsystem: subsystem.map(str::to_owned),
        })
    }
}

enum Output {
    Stdout,
    File(PathBuf, File),
}

/// The log of the process. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Logger(Rc<Inner>);

struct Inner {
    ring: RefCell<Ring>,
    outputs: RefCell<Vec<Output>>,
    filters: RefCell<Vec<LogFilter>>,
    least: Cell<LogLevel>,
    prefix: RefCell<String>,
    timestamps: Cell<bool>,
    created: Duration,
    listener: RefCell<Option<Listener>>,
}

/// Who hears of every line shown.
type Listener = Rc<dyn Fn(&Line)>;

impl Logger {
    /// A log that shows nothing below `unusual`, on standard output, until [`Self::configure`].
    pub(crate) fn new() -> Self {
        Self(Rc::new(Inner {
            ring: RefCell::default(),
            outputs: RefCell::new(vec![Output::Stdout]),
            filters: RefCell::new(vec![LogFilter {
                level: LogLevel::Unusual,
                subsystem: None,
            }]),
            least: Cell::new(LogLevel::Debug),
            prefix: RefCell::default(),
            timestamps: Cell::new(true),
            created: clock::since_epoch(),
            listener: RefCell::default(),
        }))
    }

    /// Sets filters, files (`-` is standard output) and form.
    pub(crate) fn configure(
        &self,
        filters: Vec<LogFilter>,
        files: &[String],
        prefix: &str,
        timestamps: bool,
    ) -> Result<(), String> {
        let mut outputs = Vec::new();
        for name in files {
            outputs.push(if name == "-" {
                Output::Stdout
            } else {
                open(Path::new(name))?
            });
        }
        if outputs.is_empty() {
            outputs.push(Output::Stdout);
        }
        let least = filters
            .iter()
            .map(|filter| filter.level)
            .min()
            .unwrap_or(LogLevel::Info);
        // `getlog` shows what files don't, down to debug.
        self.0.least.set(least.min(LogLevel::Debug));
        *self.0.outputs.borrow_mut() = outputs;
        *self.0.filters.borrow_mut() = if filters.is_empty() {
            vec![LogFilter {
                level: LogLevel::Info,
                subsystem: None,
            }]
        } else {
            filters
        };
        prefix.clone_into(&mut self.0.prefix.borrow_mut());
        self.0.timestamps.set(timestamps);
        Ok(())
    }

    /// Whether lines go anywhere but to the terminal.
    pub(crate) fn has_files(&self) -> bool {
        let outputs = self.0.outputs.borrow();
        outputs
            .iter()
            .any(|output| !matches!(output, Output::Stdout))
    }

    /// Opens the files anew, after they were rotated away.
    pub(crate) fn reopen(&self) {
        for output in self.0.outputs.borrow_mut().iter_mut() {
            if let Output::File(path, _) = output
                && let Ok(opened) = open(path)
            {
                *output = opened;
            }
        }
    }

    /// Whether lines of this level are shown for any subsystem.
    pub(crate) fn shows(&self, level: LogLevel) -> bool {
        self.0
            .filters
            .borrow()
            .iter()
            .any(|filter| filter.level <= level)
    }

    /// Whether a line of this level would be kept at all: ask before making an expensive one.
    pub(crate) fn enabled(&self, level: LogLevel) -> bool {
        level >= self.0.least.get()
    }

    /// Writes one line (or several, at newlines).
    pub(crate) fn log(&self, level: LogLevel, origin: &Origin, text: impl AsRef<str>) {
        if !self.enabled(level) {
            return;
        }
        for text in text.as_ref().split('\n') {
            let line = Line {
                time: clock::since_epoch(),
                level,
                origin: origin.clone(),
                text: printable(text),
            };
            self.write(&line);
            self.tell(&line);
            self.0.ring.borrow_mut().push(line);
        }
    }

    /// Has somebody hear of every line shown from now on.
    pub(crate) fn set_listener(&self, listener: impl Fn(&Line) + 'static) {
        *self.0.listener.borrow_mut() = Some(Rc::new(listener));
    }

    /// Tells the listener. What it logs itself it does not hear of.
    fn tell(&self, line: &Line) {
        let Ok(Some(listener)) = self
            .0
            .listener
            .try_borrow_mut()
            .map(|mut place| place.take())
        else {
            return;
        };
        if self.is_shown(line) {
            listener(line);
        }
        self.0.listener.borrow_mut().get_or_insert(listener);
    }

    /// Whether a line goes to the files.
    fn is_shown(&self, line: &Line) -> bool {
        let name = line.origin.to_string();
        let filters = self.0.filters.borrow();
        // The last filter that fits the subsystem counts.
        let fits = |filter: &&LogFilter| {
            filter
                .subsystem
                .as_ref()
                .is_none_or(|part| name.contains(part.as_str()))
        };
        let shown = filters
            .iter()
            .rev()
            .find(fits)
            .map_or(LogLevel::Info, |filter| filter.level);
        line.level >= shown
    }

    fn write(&self, line: &Line) {
        if !self.is_shown(line) {
            return;
        }
        let text = line.format(&self.0.prefix.borrow(), self.0.timestamps.get());
        for output in self.0.outputs.borrow_mut().iter_mut() {
            // A log that can't be written must not stop the node.
            match output {
                Output::Stdout => drop(std::io::stdout().write_all(text.as_bytes())),
                Output::File(_, file) => drop(file.write_all(text.as_bytes())),
            }
        }
    }

    /// Visits the lines kept, oldest first.
    pub(crate) fn visit(&self, visit: impl FnMut(&Line)) {
        self.0.ring.borrow().lines().for_each(visit);
    }

    /// When logging began, bytes kept and bytes kept at most, and lines dropped.
    pub(crate) fn usage(&self) -> (Duration, usize, usize, u64) {
        let ring = self.0.ring.borrow();
        (self.0.created, ring.bytes(), MAX_BYTES, ring.skipped())
    }
}

/// Opens a log for appending; after earlier runs four empty lines show where this one starts.
fn open(path: &Path) -> Result<Output, String> {
    let failed = |error: std::io::Error| format!("can't open log file {}: {error}", path.display());
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .map_err(failed)?;
    if file.metadata().map_err(failed)?.len() > 0 {
        file.write_all(b"\n\n\n\n").map_err(failed)?;
    }
    Ok(Output::File(path.to_owned(), file))
}

/// Shorthands for the levels.
impl Logger {
    /// Something that must not happen.
    pub(crate) fn broken(&self, origin: &Origin, text: impl AsRef<str>) {
        self.log(LogLevel::Broken, origin, text);
    }
    /// Something odd that the node copes with.
    pub(crate) fn unusual(&self, origin: &Origin, text: impl AsRef<str>) {
        self.log(LogLevel::Unusual, origin, text);
    }
    /// What an operator wants to see.
    pub(crate) fn info(&self, origin: &Origin, text: impl AsRef<str>) {
        self.log(LogLevel::Info, origin, text);
    }
    /// What a developer wants to see.
    pub(crate) fn debug(&self, origin: &Origin, text: impl AsRef<str>) {
        self.log(LogLevel::Debug, origin, text);
    }
}
