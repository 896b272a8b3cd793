//! What the node tells while a command runs: lines, and a bar for progress.

use std::io::{self, Write};

use ln_rpc::client::Notification;
use ln_rpc::jsonrpc::{LogLevel, Stage};

/// How wide the bar is.
const BAR_WIDTH: usize = 60;

/// Shows notifications from a level on.
pub(crate) struct Notifier<'a, W> {
    level: Option<LogLevel>,
    out: &'a mut W,
    /// A bar stands on the last line, without its end.
    in_bar: bool,
    failed: Option<io::Error>,
}

impl<'a, W: Write> Notifier<'a, W> {
    /// Shows what is at least of this level; nothing if it is `None`.
    pub(crate) fn new(level: Option<LogLevel>, out: &'a mut W) -> Self {
        Self {
            level,
            out,
            in_bar: false,
            failed: None,
        }
    }

    /// Shows one notification.
    pub(crate) fn show(&mut self, note: &Notification) {
        let Some(least) = self.level else {
            return;
        };
        let written = match note {
            Notification::Message { level, message } if *level >= least => self.message(message),
            Notification::Message { .. } => Ok(()),
            Notification::Progress { num, total, stage } => self.progress(*num, *total, *stage),
        };
        if let Err(error) = written {
            self.failed.get_or_insert(error);
        }
    }

    /// Ends the line of a bar. Fails if anything before could not be written.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        self.end_bar()
    }

    fn end_bar(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.in_bar) {
            writeln!(self.out)?;
        }
        Ok(())
    }

    fn message(&mut self, message: &str) -> io::Result<()> {
        self.end_bar()?;
        writeln!(self.out, "# {message}")?;
        self.out.flush()
    }

    fn progress(&mut self, num: u32, total: u32, stage: Option<Stage>) -> io::Result<()> {
        let step = num.saturating_add(1);
        write!(self.out, "\r# ")?;
        if let Some(stage) = stage {
            let width = stage.total.to_string().len();
            let number = stage.num.saturating_add(1);
            write!(self.out, "Stage {number:width$}/{} ", stage.total)?;
        }
        let width = total.to_string().len();
        let bar = "=".repeat(filled(num, total));
        write!(self.out, "{step:width$}/{total} |{bar:BAR_WIDTH$}|")?;
        self.in_bar = step < total;
        if !self.in_bar {
            writeln!(self.out)?;
        }
        self.out.flush()
    }
}

/// How much of the bar is full at step `num`, counted from 0: all of it at the last.
fn filled(num: u32, total: u32) -> usize {
    let last = u64::from(total.saturating_sub(1));
    if last == 0 {
        return BAR_WIDTH;
    }
    let width = u64::try_from(BAR_WIDTH).unwrap_or(u64::MAX);
    let part = u64::from(num).min(last).saturating_mul(width) / last;
    usize::try_from(part).unwrap_or(BAR_WIDTH)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(level: Option<LogLevel>, notes: &[Notification]) -> String {
        let mut out = Vec::new();
        let mut notifier = Notifier::new(level, &mut out);
        for note in notes {
            notifier.show(note);
        }
        notifier.finish().unwrap();
        String::from_utf8(out).unwrap()
    }

    fn message(level: LogLevel, message: &str) -> Notification {
        Notification::Message {
            level,
            message: message.to_owned(),
        }
    }

    #[test]
    fn lines_are_shown_from_a_level_on() {
        let notes = [
            message(LogLevel::Debug, "small"),
            message(LogLevel::Unusual, "big"),
        ];
        assert_eq!(shown(Some(LogLevel::Info), &notes), "# big\n");
        assert_eq!(shown(Some(LogLevel::Io), &notes), "# small\n# big\n");
        assert_eq!(shown(None, &notes), "");
    }

    #[test]
    fn the_bar_grows_and_ends_its_line() {
        let progress = |num, total, stage| Notification::Progress { num, total, stage };
        let notes = [
            progress(0, 11, None),
            progress(5, 11, Some(Stage { num: 0, total: 10 })),
            message(LogLevel::Info, "hi"),
            progress(10, 11, None),
            progress(0, 1, None),
            progress(0, 2, None),
        ];
        let empty = " ".repeat(60);
        let half = format!("{}{}", "=".repeat(30), " ".repeat(30));
        let full = "=".repeat(60);
        assert_eq!(
            shown(Some(LogLevel::Info), &notes),
            format!(
                "\r#  1/11 |{empty}|\r# Stage  1/10  6/11 |{half}|\n# hi\n\r# 11/11 |{full}|\n\r# 1/1 |{full}|\n\r# 1/2 |{empty}|\n"
            )
        );
        assert_eq!(filled(u32::MAX, 5), 60);
        assert_eq!(filled(3, 0), 60);
    }
}
