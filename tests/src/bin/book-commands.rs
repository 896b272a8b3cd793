//! `book-commands PAGE...`: types pages of the repository, such as `docs/book/src/quick-start.md`, and says what came of it.
//!
//! Without a page it names those that need Python packages.

use std::env;
use std::io::{self, Write as _};
use std::process::ExitCode;

use tests::book;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // If this can't be written, the exit code has to do.
            let _ = writeln!(io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let pages: Vec<String> = env::args().skip(1).collect();
    let mut out = io::stdout();
    let failed = |error: io::Error| error.to_string();
    if pages.is_empty() {
        for page in book::book() {
            if book::read(&page)?.needs_python.is_some() {
                writeln!(out, "{page}").map_err(failed)?;
            }
        }
    }
    for page in pages {
        let report = book::run(&page)?;
        writeln!(
            out,
            "{page}: {} typed, {} of them compared, {} left out",
            report.typed,
            report.compared,
            report.left_out.len()
        )
        .map_err(failed)?;
        for left_out in report.left_out {
            writeln!(out, "  left out: {left_out}").map_err(failed)?;
        }
    }
    Ok(())
}
