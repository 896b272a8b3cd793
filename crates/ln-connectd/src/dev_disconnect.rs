//! `dev-disconnect`: a script of faults for tests.
//!
//! Each line of the file is an action and a message, optionally with `*N` for the Nth time. Lines are used up in order, across all peers.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use crate::names::message_name;

/// The longest line that is looked at.
const MAX_LINE: usize = 200;

/// What to do with a message that is about to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// `=` or no line: nothing.
    None,
    /// `-`: hang up instead of sending it.
    CloseBefore,
    /// `+`: hang up after sending it.
    CloseAfter,
    /// `$`: don't send it.
    Drop,
    /// `0`: send it, then neither read nor write.
    Blackhole,
    /// `x`: send it and the next one, then neither read nor write.
    DisableAfter,
}

/// A line being waited for.
#[derive(Debug, PartialEq, Eq)]
struct Line {
    action: char,
    message: String,
    /// How many times the message still has to be seen.
    left: u32,
    /// Bytes of the file that the line takes.
    length: u64,
}

/// The file and how far it has been used.
#[derive(Debug)]
pub(crate) struct DevDisconnect {
    file: File,
    used: u64,
    line: Option<Line>,
}

/// A fault that happens now, with the line for the log.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Hit<T> {
    pub(crate) fault: T,
    /// As CLN words it: `dev_disconnect: -WIRE_INIT (WIRE_INIT)`.
    pub(crate) log: String,
}

impl DevDisconnect {
    pub(crate) fn open(path: &str) -> io::Result<Self> {
        Ok(Self {
            file: File::open(path)?,
            used: 0,
            line: None,
        })
    }

    /// A message of this type is about to be sent.
    pub(crate) fn on_send(&mut self, number: u16) -> Option<Hit<Fault>> {
        let line = self.matching(number, |action| action != '<')?;
        let fault = match line.action {
            '-' => Fault::CloseBefore,
            '+' => Fault::CloseAfter,
            '$' => Fault::Drop,
            '0' => Fault::Blackhole,
            'x' => Fault::DisableAfter,
            _ => Fault::None,
        };
        Some(Hit {
            fault,
            log: describe(&line, number),
        })
    }

    /// A message of this type was received; a hit means to hang up once it is handled.
    pub(crate) fn on_receive(&mut self, number: u16) -> Option<Hit<()>> {
        let line = self.matching(number, |action| action == '<')?;
        Some(Hit {
            fault: (),
            log: describe(&line, number),
        })
    }

    /// Counts the message if the present line is about it, and takes the line when it is due.
    fn matching(&mut self, number: u16, direction: impl Fn(char) -> bool) -> Option<Line> {
        if self.line.is_none() {
            self.line = self.read_line();
        }
        let line = self.line.as_mut()?;
        if !direction(line.action) || message_name(number) != Some(line.message.as_str()) {
            return None;
        }
        line.left = line.left.saturating_sub(1);
        if line.left > 0 {
            return None;
        }
        self.used = self.used.saturating_add(line.length);
        self.line.take()
    }

    fn read_line(&self) -> Option<Line> {
        let mut bytes = [0; MAX_LINE];
        let read = self.file.read_at(&mut bytes, self.used).ok()?;
        parse(bytes.get(..read)?)
    }
}

fn describe(line: &Line, number: u16) -> String {
    let name = message_name(number).unwrap_or("unknown");
    format!("dev_disconnect: {}{} ({name})", line.action, line.message)
}

/// Reads the first line of `bytes`.
fn parse(bytes: &[u8]) -> Option<Line> {
    let end = bytes.iter().position(|byte| *byte == b'\n');
    let text = std::str::from_utf8(bytes.get(..end.unwrap_or(bytes.len()))?).ok()?;
    let length = u64::try_from(text.len()).ok()?.saturating_add(1);
    let mut chars = text.chars();
    let action = chars.next()?;
    let (message, left) = match chars.as_str().split_once('*') {
        Some((message, count)) => (message, count.trim().parse().ok()?),
        None => (chars.as_str(), 1),
    };
    Some(Line {
        action,
        message: message.trim_end().to_owned(),
        left,
        length,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn script(text: &str) -> (tempfile::NamedTempFile, DevDisconnect) {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        let script = DevDisconnect::open(file.path().to_str().unwrap()).unwrap();
        (file, script)
    }

    fn fault(script: &mut DevDisconnect, number: u16) -> Option<Fault> {
        script.on_send(number).map(|hit| hit.fault)
    }

    #[test]
    fn lines_are_used_in_order_and_counted() {
        let (_file, mut script) = script(
            "-WIRE_COMMITMENT_SIGNED*2\n=WIRE_UPDATE_FEE\n<WIRE_PONG\n0WIRE_SHUTDOWN\nxWIRE_PING\n$WIRE_PING\n+WIRE_INIT",
        );
        assert_eq!(fault(&mut script, 18), None);
        assert_eq!(fault(&mut script, 132), None);
        let hit = script.on_send(132).unwrap();
        assert_eq!(hit.fault, Fault::CloseBefore);
        let log = "dev_disconnect: -WIRE_COMMITMENT_SIGNED (WIRE_COMMITMENT_SIGNED)";
        assert_eq!(hit.log, log);
        assert_eq!(fault(&mut script, 132), None);
        assert_eq!(fault(&mut script, 134), Some(Fault::None));
        assert_eq!(fault(&mut script, 19), None, "this line is about receiving");
        assert!(script.on_receive(18).is_none());
        assert!(script.on_receive(19).is_some());
        assert!(
            script.on_receive(38).is_none(),
            "this line is about sending"
        );
        assert_eq!(fault(&mut script, 38), Some(Fault::Blackhole));
        assert_eq!(fault(&mut script, 18), Some(Fault::DisableAfter));
        assert_eq!(fault(&mut script, 18), Some(Fault::Drop));
        assert_eq!(fault(&mut script, 16), Some(Fault::CloseAfter));
        assert_eq!(fault(&mut script, 16), None);
    }

    #[test]
    fn an_empty_or_truncated_file_does_nothing_and_may_grow() {
        let (mut file, mut script) = script("");
        assert_eq!(fault(&mut script, 16), None);
        file.write_all(b"-WIRE_INIT\n").unwrap();
        assert_eq!(fault(&mut script, 16), Some(Fault::CloseBefore));
        file.as_file().set_len(0).unwrap();
        assert_eq!(fault(&mut script, 16), None);
    }

    #[test]
    fn nonsense_is_no_line() {
        for text in ["", "\n", "-WIRE_INIT*x", "-WIRE_INIT*-1"] {
            assert_eq!(parse(text.as_bytes()), None, "{text:?}");
        }
        assert_eq!(parse(b"\xff\xfe\n"), None);
    }
}
