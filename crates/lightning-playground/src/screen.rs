//! What the person sees.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::Instant;

/// Prints text as it is.
pub(crate) fn print(text: &str) {
    let mut out = io::stdout().lock();
    // Nobody looks any more: nothing is lost.
    let _closed = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Prints to standard error.
pub(crate) fn complain(text: &str) {
    let _closed = writeln!(io::stderr(), "{text}");
}

/// Standard output, with a little colour if it is a terminal.
#[derive(Debug, Clone)]
pub(crate) struct Screen {
    colour: bool,
}

impl Screen {
    pub(crate) fn new() -> Self {
        let plain = std::env::var_os("NO_COLOR").is_some_and(|text| !text.is_empty());
        Self {
            colour: io::stdout().is_terminal() && !plain,
        }
    }

    fn coloured(&self, code: &str, text: &str) -> String {
        if self.colour {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    /// Says what comes next.
    pub(crate) fn heading(&self, text: &str) {
        let line = self.coloured("36", &format!("# {text}"));
        print(&format!("\n{line}\n"));
    }

    /// Shows a command as it is typed.
    pub(crate) fn command(&self, line: &str) {
        let line = self.coloured("1", &format!("$ {line}"));
        print(&format!("{line}\n"));
    }

    /// Begins a line that tells of a wait.
    pub(crate) fn wait(&self, what: &str) -> Wait {
        print(&self.coloured("2", &format!("  … {what}")));
        Wait {
            screen: self.clone(),
            since: Instant::now(),
            ended: false,
        }
    }
}

/// A line that tells of a wait. Dropped, it ends, too.
#[derive(Debug)]
pub(crate) struct Wait {
    screen: Screen,
    since: Instant,
    ended: bool,
}

impl Wait {
    /// Ends the line with the time it took.
    pub(crate) fn done(mut self) {
        let seconds = self.since.elapsed().as_secs_f32();
        let line = self.screen.coloured("2", &format!(" ({seconds:.1} s)"));
        print(&format!("{line}\n"));
        self.ended = true;
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        if !self.ended {
            print("\n");
        }
    }
}
