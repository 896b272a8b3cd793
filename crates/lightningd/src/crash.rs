//! What is left behind when the node or one of its helpers crashes: lines in the log, and a file to send to whoever can mend it.
//!
//! A file is `crash.log.YYYYmmddHHMMSS` in the network's directory, or in the directory for temporary files where that can't be written. It holds
//! what was said, the backtrace and the last lines of the log, which have no secrets in them.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::panic::PanicHookInfo;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use ln_daemon::{Panic, VERSION};

use crate::log::{Line, LogLevel, Logger, Origin, printable, start_of, timestamp};
use crate::{clock, daemon};

/// What is written of one crash at most: the text comes from a process that is not to be trusted any more.
const MAX_TEXT: usize = 64 * 1024;
/// What of its first line is in the log.
const MAX_TITLE: usize = 2000;
/// How many lines of the log a file has.
const LAST_LINES: usize = 500;
/// How many files one run leaves behind: a helper that crashes with every connection must not fill the disk.
const MAX_FILES: u32 = 20;

/// Where the last words go. Known to all threads, unlike the log.
struct Place {
    /// The network's directory, once it is known.
    directory: Option<PathBuf>,
    /// The log's files.
    logs: Vec<PathBuf>,
    stdout: bool,
    prefix: String,
    timestamps: bool,
}

static PLACE: Mutex<Place> = Mutex::new(Place {
    directory: None,
    logs: Vec::new(),
    stdout: true,
    prefix: String::new(),
    timestamps: true,
});
static FILES: AtomicU32 = AtomicU32::new(0);

thread_local! {
    /// The log, on the thread that has it.
    static LOG: RefCell<Option<Logger>> = const { RefCell::new(None) };
}

/// Notes where files go.
pub(crate) fn note_directory(directory: &Path) {
    if let Ok(mut place) = PLACE.lock() {
        place.directory = Some(directory.to_owned());
    }
}

/// Notes where and how the log is written.
pub(crate) fn note_log(logs: Vec<PathBuf>, stdout: bool, prefix: &str, timestamps: bool) {
    if let Ok(mut place) = PLACE.lock() {
        place.logs = logs;
        place.stdout = stdout;
        prefix.clone_into(&mut place.prefix);
        place.timestamps = timestamps;
    }
}

/// Has a mistake in the master end the process, whatever thread it is on: what was durable is safe, and what was half done must not be gone on with.
pub(crate) fn install(log: &Logger) {
    LOG.with(|place| *place.borrow_mut() = Some(log.clone()));
    std::panic::set_hook(Box::new(on_panic));
}

/// Makes a mistake: for developers.
#[expect(clippy::panic, reason = "it is what the developer asked for")]
pub(crate) fn crash(why: &str) -> ! {
    panic!("{why}")
}

fn on_panic(info: &PanicHookInfo<'_>) {
    static DYING: AtomicBool = AtomicBool::new(false);
    if DYING.swap(true, Ordering::SeqCst) {
        std::process::abort();
    }
    let panic = Panic::new(info);
    let last = LOG.with(|log| {
        let log = log.try_borrow().ok()?;
        Some(log.as_ref()?.last_lines(LAST_LINES))
    });
    let title = format!("lightningd crashed: {panic}");
    let pid = std::process::id();
    let file = write_file(&title, pid, &panic.backtrace, &last.unwrap_or_default());
    let mut lines = vec![said(&title, file.as_deref())];
    lines.extend(frames(&panic.backtrace));
    last_words(&lines);
    std::process::abort();
}

/// Writes to the log without the log, which may be on another thread, or the very thing that failed.
fn last_words(lines: &[String]) {
    // Whoever holds it may have been the one that failed.
    let Ok(place) = PLACE.try_lock() else {
        return;
    };
    let mut text = String::new();
    for line in lines {
        let line = Line {
            time: clock::since_epoch(),
            level: LogLevel::Broken,
            origin: Origin::of("lightningd"),
            text: printable(line),
            data: None,
        };
        text.push_str(&line.format(&place.prefix, place.timestamps));
    }
    for path in &place.logs {
        let file = OpenOptions::new().append(true).open(path);
        drop(file.and_then(|mut file| file.write_all(text.as_bytes())));
    }
    if place.stdout {
        drop(io::stdout().write_all(text.as_bytes()));
    }
    if let Some(first) = lines.first() {
        daemon::say(&format!("{first}\n"));
    }
}

/// Tells of a helper's end that was no ordinary one, in the log and in a file; returns it in one line.
pub(crate) fn report(
    log: &Logger,
    origin: &Origin,
    pid: Option<u32>,
    title: &str,
    backtrace: &str,
) -> String {
    let last = log.last_lines(LAST_LINES);
    let file = write_file(title, pid.unwrap_or_default(), backtrace, &last);
    let line = said(title, file.as_deref());
    log.broken(origin, &line);
    for frame in frames(backtrace) {
        log.broken(origin, frame);
    }
    line
}

/// The one line that tells of a crash.
fn said(title: &str, file: Option<&Path>) -> String {
    let title = printable(start_of(title, MAX_TITLE));
    match file {
        Some(file) => format!("{title}: see {}", file.display()),
        None => title,
    }
}

/// The lines of a backtrace for the log.
fn frames(backtrace: &str) -> impl Iterator<Item = String> {
    let lines = start_of(backtrace, MAX_TEXT).lines();
    lines.map(|line| format!("backtrace: {}", line.trim_end()))
}

/// Writes the file; nothing if there is no place for it, or there are enough.
fn write_file(title: &str, pid: u32, backtrace: &str, last: &[String]) -> Option<PathBuf> {
    if FILES.fetch_add(1, Ordering::SeqCst) >= MAX_FILES {
        return None;
    }
    let directory = PLACE
        .try_lock()
        .ok()
        .and_then(|place| place.directory.clone());
    let directories = directory.into_iter().chain([std::env::temp_dir()]);
    let (path, mut file) = directories.into_iter().find_map(|dir| create(&dir))?;
    let mut text = format!(
        "{title}\n{} pid {pid} {VERSION}\n\n{}\n\n",
        timestamp(clock::since_epoch()),
        start_of(backtrace, MAX_TEXT)
    );
    // Writing to a string can't fail.
    let _ = writeln!(text, "The last lines of the log:");
    text.extend(last.iter().map(String::as_str));
    file.write_all(text.as_bytes()).ok()?;
    Some(path)
}

/// Makes a new file: never writes to one that is there, whoever made it.
fn create(directory: &Path) -> Option<(PathBuf, File)> {
    let digits = |letter: &char| letter.is_ascii_digit();
    let time = timestamp(clock::since_epoch());
    let time: String = time.chars().filter(digits).take(14).collect();
    (0..100).find_map(|count| {
        let end = if count == 0 {
            String::new()
        } else {
            format!(".{count}")
        };
        let path = directory.join(format!("crash.log.{time}{end}"));
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path);
        file.ok().map(|file| (path, file))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_have_a_name_of_their_own_and_only_so_many_are_made() {
        let log = Logger::new();
        let origin = Origin::of("channeld");
        note_directory(Path::new("/no/such/directory"));
        let line = report(&log, &origin, None, "elsewhere", "");
        let path = Path::new(line.strip_prefix("elsewhere: see ").unwrap());
        assert_eq!(path.parent(), Some(std::env::temp_dir().as_path()));
        std::fs::remove_file(path).unwrap();
        let dir = tempfile::tempdir().unwrap();
        note_directory(dir.path());
        log.debug(&origin, "what went before");
        let told: Vec<_> = (0..MAX_FILES + 5)
            .map(|_| {
                report(
                    &log,
                    &origin,
                    Some(7),
                    "channeld crashed: x\ny",
                    "  0: main\n",
                )
            })
            .collect();
        let with_file = |line: &&String| line.starts_with("channeld crashed: x?y: see ");
        assert_eq!(told.iter().filter(with_file).count(), 19);
        assert_eq!(told.last().unwrap(), "channeld crashed: x?y");
        let files = std::fs::read_dir(dir.path()).unwrap();
        assert_eq!(files.count(), 19);
        let path = told[0].rsplit(' ').next().unwrap();
        let text = std::fs::read_to_string(path).unwrap();
        assert!(text.contains("  0: main") && text.contains("what went before"));
        let mut kept = Vec::new();
        log.visit(|line| kept.push(line.text.clone()));
        assert!(kept.contains(&"backtrace:   0: main".to_owned()));
    }
}
