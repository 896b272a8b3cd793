//! One line of the log and how it is written.

use std::fmt::{self, Write as _};
use std::rc::Rc;
use std::time::Duration;

use bitcoin::hex::DisplayHex as _;
use ln_types::NodeId;
use time::OffsetDateTime;

use super::LogLevel;

/// Who says a line: `lightningd`, `connectd`, `channeld-chan#1` with the peer's id before it, ...
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    /// The peer it is about.
    pub(crate) peer: Option<NodeId>,
    /// The subsystem.
    pub(crate) name: Rc<str>,
}

impl Origin {
    /// A subsystem that serves no peer in particular.
    pub(crate) fn of(name: &str) -> Self {
        Self {
            peer: None,
            name: name.into(),
        }
    }

    /// A subsystem that serves one peer.
    pub(crate) fn of_peer(peer: NodeId, name: &str) -> Self {
        Self {
            peer: Some(peer),
            name: name.into(),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(peer) = self.peer {
            write!(f, "{peer}-")?;
        }
        f.write_str(&self.name)
    }
}

/// One line.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    /// When, since 1970.
    pub(crate) time: Duration,
    /// How loud.
    pub(crate) level: LogLevel,
    /// Who.
    pub(crate) origin: Origin,
    /// What: one line, printable.
    pub(crate) text: String,
    /// The bytes that came in or went out.
    pub(crate) data: Option<Rc<[u8]>>,
}

/// What is kept of one line: far above any line of ours, far below what could hurt.
const MAX_TEXT: usize = 64 * 1024;

/// Makes text from outside fit for a log: what a terminal would not show as a letter becomes `?`, and the length is bounded.
///
/// Core Lightning leaves ASCII only. Here letters of all scripts stay, so that names and paths can be read; what is invisible, combines with its
/// neighbours, changes the direction of writing or is not assigned goes, as Rust's own `Debug` has it.
pub(crate) fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(MAX_TEXT));
    for letter in text.chars() {
        if out.len() >= MAX_TEXT {
            // Writing to a string can't fail.
            let _ = write!(out, "... ({} bytes)", text.len());
            break;
        }
        out.push(if is_printable(letter) { letter } else { '?' });
    }
    out
}

/// The start of what may be too long: whole letters of at most so many bytes.
pub(crate) fn start_of(text: &str, most: usize) -> &str {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

fn is_printable(letter: char) -> bool {
    if letter.is_ascii() {
        return letter == ' ' || letter.is_ascii_graphic();
    }
    letter.escape_debug().next() == Some(letter)
}

/// The level as a log line shows it, padded to seven characters.
fn level_text(level: LogLevel) -> &'static str {
    match level {
        LogLevel::Broken => "**BROKEN**",
        LogLevel::Unusual => "UNUSUAL",
        LogLevel::Info => "INFO   ",
        LogLevel::Debug => "DEBUG  ",
        LogLevel::Trace => "TRACE  ",
        LogLevel::IoIn | LogLevel::IoOut => "",
    }
}

impl Line {
    fn hex(&self) -> impl fmt::Display {
        self.data
            .as_deref()
            .unwrap_or_default()
            .to_lower_hex_string()
    }

    /// The line as files hold it, with its newline.
    pub(crate) fn format(&self, prefix: &str, timestamps: bool) -> String {
        let mut out = String::with_capacity(self.text.len() + 128);
        out.push_str(prefix);
        if timestamps {
            push_time(&mut out, self.time);
        }
        match self.level {
            LogLevel::IoIn => writeln!(out, "{}: {}[IN] {}", self.origin, self.text, self.hex()),
            LogLevel::IoOut => {
                writeln!(out, "{}: {}[OUT] {}", self.origin, self.text, self.hex())
            }
            LogLevel::Broken
            | LogLevel::Unusual
            | LogLevel::Info
            | LogLevel::Debug
            | LogLevel::Trace => {
                writeln!(
                    out,
                    "{} {}: {}",
                    level_text(self.level),
                    self.origin,
                    self.text
                )
            }
        }
        .unwrap_or_default();
        out
    }
}

/// A time since 1970 as `2026-01-02T03:04:05.678Z`.
pub(crate) fn timestamp(time: Duration) -> String {
    let mut text = String::new();
    push_time(&mut text, time);
    text.truncate(text.trim_end().len());
    text
}

/// `2026-01-02T03:04:05.678Z `.
fn push_time(out: &mut String, time: Duration) {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    let Ok(date) = OffsetDateTime::from_unix_timestamp(seconds) else {
        return;
    };
    let _ = write!(
        out,
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z ",
        date.year(),
        u8::from(date.month()),
        date.day(),
        date.hour(),
        date.minute(),
        date.second(),
        time.subsec_millis()
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_look_as_operators_know_them() {
        let line = Line {
            time: Duration::from_millis(1_700_000_000_123),
            level: LogLevel::Info,
            origin: Origin::of("lightningd"),
            text: "hello".to_owned(),
            data: None,
        };
        assert_eq!(
            line.format("lightningd-1 ", true),
            "lightningd-1 2023-11-14T22:13:20.123Z INFO    lightningd: hello\n"
        );
        let broken = Line {
            level: LogLevel::Broken,
            ..line.clone()
        };
        assert_eq!(broken.format("", false), "**BROKEN** lightningd: hello\n");
        let bytes = Line {
            level: LogLevel::IoOut,
            text: String::new(),
            data: Some(Rc::from([0_u8, 18].as_slice())),
            ..line
        };
        assert_eq!(bytes.format("", false), "lightningd: [OUT] 0012\n");
    }

    #[test]
    fn what_is_too_long_ends_after_a_whole_letter() {
        assert_eq!(start_of("a\u{e9}b", 2), "a");
        assert_eq!(start_of("a\u{e9}b", 3), "a\u{e9}");
        assert_eq!(start_of("ab", 9), "ab");
    }

    #[test]
    fn text_from_outside_can_not_move_the_cursor() {
        assert_eq!(printable("a\nb\x1b[31m\u{202e}c"), "a?b?[31m?c");
        assert_eq!(
            printable("caf\u{e9} \u{65e5}\u{672c}\u{1f600}"),
            "caf\u{e9} \u{65e5}\u{672c}\u{1f600}"
        );
        assert_eq!(
            printable("e\u{301}\u{200b}\u{feff}\u{2028}\u{85}\u{e000}\u{2066}\u{ad}'\"\\"),
            "e????????'\"\\"
        );
        let long = printable(&"x".repeat(1 << 20));
        assert!(long.len() < MAX_TEXT + 30 && long.ends_with("x... (1048576 bytes)"));
    }
}
