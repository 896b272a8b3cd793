//! The log of the process.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use super::LogLevel;
use super::filter::{Filters, LogFilter};
use super::line::{Line, Origin, printable};
use super::output::{Output, STDOUT};
use super::ring::{MAX_BYTES, Ring};
use crate::{clock, crash};

/// The log of the process. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Logger(Rc<Inner>);

struct Inner {
    ring: RefCell<Ring>,
    outputs: RefCell<Vec<Output>>,
    filters: RefCell<Filters>,
    /// The least that a file shows.
    shown: Cell<LogLevel>,
    prefix: RefCell<String>,
    timestamps: Cell<bool>,
    created: Duration,
    listener: RefCell<Option<Listener>>,
}

/// Who hears of every line shown.
type Listener = Rc<dyn Fn(&Line)>;

/// What is kept of the bytes of one line: what a peer can send at once, and most replies.
const MAX_DATA: usize = 256 * 1024;

impl Logger {
    /// A log that shows nothing below `unusual`, on standard output, until [`Self::configure`].
    pub(crate) fn new() -> Self {
        let level = LogLevel::Unusual;
        Self(Rc::new(Inner {
            ring: RefCell::default(),
            outputs: RefCell::new(vec![Output::stdout()]),
            filters: RefCell::new(Filters::new(vec![LogFilter::from(level)])),
            shown: Cell::new(level),
            prefix: RefCell::default(),
            timestamps: Cell::new(true),
            created: clock::since_epoch(),
            listener: RefCell::default(),
        }))
    }

    /// Sets filters, files (`-` is standard output) and form. What was logged before and was not shown yet is shown now, if it is to be.
    pub(crate) fn configure(
        &self,
        filters: Vec<LogFilter>,
        files: &[String],
        prefix: &str,
        timestamps: bool,
    ) -> Result<(), String> {
        let opened = files.iter().map(|name| Output::open(name));
        let mut outputs = opened.collect::<Result<Vec<_>, _>>()?;
        if outputs.is_empty() {
            outputs.push(Output::stdout());
        }
        let filters = Filters::new(filters);
        let paths = outputs.iter().filter_map(|output| output.path());
        crash::note_log(
            paths.map(ToOwned::to_owned).collect(),
            outputs.iter().any(|output| output.name() == STDOUT),
            prefix,
            timestamps,
        );
        self.0.shown.set(filters.least());
        *self.0.outputs.borrow_mut() = outputs;
        *self.0.filters.borrow_mut() = filters;
        prefix.clone_into(&mut self.0.prefix.borrow_mut());
        self.0.timestamps.set(timestamps);
        let before = |line: &&Line| line.level < LogLevel::Unusual || self.has_files();
        let ring = self.0.ring.borrow();
        ring.lines().filter(before).for_each(|line| {
            self.write(line);
        });
        Ok(())
    }

    /// Whether lines go anywhere but to the terminal.
    pub(crate) fn has_files(&self) -> bool {
        let outputs = self.0.outputs.borrow();
        outputs.iter().any(|output| output.path().is_some())
    }

    /// Opens the files anew, after they were rotated away. One that can't be opened is kept.
    pub(crate) fn reopen(&self, origin: &Origin) {
        self.info(origin, "Ending log due to SIGHUP");
        let mut problems = Vec::new();
        for output in self.0.outputs.borrow_mut().iter_mut() {
            if let Err(error) = output.reopen() {
                problems.push(format!(
                    "can't open log file {} again: {error}: going on with the old one",
                    output.name()
                ));
            }
        }
        self.info(origin, "Started log due to SIGHUP");
        for problem in problems {
            self.unusual(origin, problem);
        }
    }

    /// Whether lines of this level may be shown for a subsystem: ask before having them made elsewhere.
    pub(crate) fn may_show(&self, level: LogLevel, subsystem: &str) -> bool {
        self.0.shown.get() <= level && self.0.filters.borrow().may_show(level, subsystem)
    }

    /// Whether a line of this level would be kept at all: ask before making an expensive one. `getlog` shows what files don't, down to debug.
    pub(crate) fn enabled(&self, level: LogLevel) -> bool {
        level >= LogLevel::Debug || level >= self.0.shown.get()
    }

    /// Writes one line (or several, at newlines).
    pub(crate) fn log(&self, level: LogLevel, origin: &Origin, text: impl AsRef<str>) {
        if !self.enabled(level) {
            return;
        }
        for text in text.as_ref().split('\n') {
            self.put(Line {
                time: clock::since_epoch(),
                level,
                origin: origin.clone(),
                text: printable(text),
                data: None,
            });
        }
    }

    /// Writes a line with the bytes that came in or went out. They are kept only where they are shown.
    pub(crate) fn io(&self, level: LogLevel, origin: &Origin, text: &str, data: &[u8]) {
        if !self.enabled(level) {
            return;
        }
        let mut text = printable(text);
        if data.len() > MAX_DATA {
            text.insert_str(0, &format!("[TRUNCATED IO from {} bytes]: ", data.len()));
        }
        let line = Line {
            time: clock::since_epoch(),
            level,
            origin: origin.clone(),
            text,
            data: Some(Rc::from(data.get(..MAX_DATA).unwrap_or(data))),
        };
        if self.write(&line) {
            self.0.ring.borrow_mut().push(line);
        }
    }

    fn put(&self, line: Line) {
        if self.write(&line) {
            self.tell(&line);
        }
        self.0.ring.borrow_mut().push(line);
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
        listener(line);
        self.0.listener.borrow_mut().get_or_insert(listener);
    }

    /// Writes a line where it is to be shown; whether it is anywhere.
    fn write(&self, line: &Line) -> bool {
        if line.level < self.0.shown.get() {
            return false;
        }
        let filters = self.0.filters.borrow();
        let prefix = self.0.prefix.borrow();
        let timestamps = self.0.timestamps.get();
        let origin = if filters.is_plain() {
            String::new()
        } else {
            line.origin.to_string()
        };
        let mut text = None;
        for output in self.0.outputs.borrow_mut().iter_mut() {
            if line.level < filters.level_in(output.name(), &origin) {
                continue;
            }
            let text = text.get_or_insert_with(|| line.format(&prefix, timestamps));
            output.write(text, |lost| {
                let told = Line {
                    time: line.time,
                    level: LogLevel::Broken,
                    origin: Origin::of("lightningd"),
                    text: format!(
                        "{lost} lines of the log could not be written: is the disk full?"
                    ),
                    data: None,
                };
                told.format(&prefix, timestamps)
            });
        }
        text.is_some()
    }

    /// Visits the lines kept, oldest first.
    pub(crate) fn visit(&self, visit: impl FnMut(&Line)) {
        self.0.ring.borrow().lines().for_each(visit);
    }

    /// The last lines kept, oldest first; nothing while a line is being written.
    pub(crate) fn last_lines(&self, most: usize) -> Vec<String> {
        let Ok(ring) = self.0.ring.try_borrow() else {
            return Vec::new();
        };
        let lines = ring.lines().filter(|line| line.data.is_none());
        let mut last: Vec<_> = lines
            .rev()
            .take(most)
            .map(|line| line.format("", true))
            .collect();
        last.reverse();
        last
    }

    /// When logging began, bytes kept and bytes kept at most, and lines dropped.
    pub(crate) fn usage(&self) -> (Duration, usize, usize, u64) {
        let ring = self.0.ring.borrow();
        (self.0.created, ring.bytes(), MAX_BYTES, ring.skipped())
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_has_its_lines() {
        let dir = tempfile::tempdir().unwrap();
        let name = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
        let files = [name("all"), name("connectd")];
        let filter = |text: String| LogFilter::parse(&text, &files).unwrap();
        let log = Logger::new();
        log.debug(&Origin::of("lightningd"), "before");
        log.info(&Origin::of("lightningd"), "early");
        let filters = vec![
            filter(format!("io:connectd:{}", files[1])),
            filter(format!("broken::{}", files[1])),
        ];
        log.configure(filters, &files, "p ", false).unwrap();
        let connectd = Origin::of("connectd");
        log.debug(&connectd, "quiet");
        log.io(LogLevel::IoIn, &connectd, "", &[0, 16]);
        log.io(LogLevel::IoIn, &Origin::of("jsonrpc#1"), "", &[1]);
        log.info(&Origin::of("gossipd"), "two\nlines\r");
        let read = |name: &str| std::fs::read_to_string(dir.path().join(name)).unwrap();
        assert_eq!(
            read("all"),
            "p INFO    lightningd: early\np INFO    gossipd: two\np INFO    gossipd: lines?\n"
        );
        assert_eq!(
            read("connectd"),
            "p DEBUG   connectd: quiet\np connectd: [IN] 0010\n"
        );
        let mut kept = Vec::new();
        log.visit(|line| kept.push(line.text.clone()));
        assert_eq!(
            kept,
            ["before", "early", "quiet", "", "two", "lines?"],
            "bytes that nobody is shown are not kept"
        );
    }
}
