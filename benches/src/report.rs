//! The table at the end.

use std::time::Duration;

/// Lines of the table: what, how much, and what was aimed at.
#[derive(Debug, Default)]
pub(crate) struct Report(Vec<(String, String, String)>);

impl Report {
    fn line(&mut self, what: &str, value: String, aim: &str) {
        println!("{what}: {value}");
        self.0.push((what.to_owned(), value, aim.to_owned()));
    }

    /// A duration.
    pub(crate) fn duration(&mut self, what: &str, value: Duration, aim: &str) {
        self.line(what, format!("{:.3} ms", value.as_secs_f64() * 1000.0), aim);
    }

    /// A part of something.
    pub(crate) fn percent(&mut self, what: &str, part: f64, aim: &str) {
        self.line(what, format!("{:.1} %", part * 100.0), aim);
    }

    /// So many things in so much time.
    pub(crate) fn rate(&mut self, what: &str, count: usize, time: Duration, aim: &str) {
        let count = f64::from(u32::try_from(count).unwrap_or(u32::MAX));
        self.line(what, format!("{:.0} /s", count / time.as_secs_f64()), aim);
    }

    /// An amount of memory.
    pub(crate) fn bytes(&mut self, what: &str, bytes: u64, aim: &str) {
        let kibibytes = bytes / 1024;
        self.line(what, format!("{kibibytes} KiB"), aim);
    }

    /// Writes the table.
    pub(crate) fn print(&self) {
        println!("\n| what | measured | aim |\n|---|---|---|");
        for (what, value, aim) in &self.0 {
            println!("| {what} | {value} | {aim} |");
        }
    }
}
