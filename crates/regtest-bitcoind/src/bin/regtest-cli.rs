//! The command line client: bitcoin-cli's options, output and exit statuses.

use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    let outcome = regtest_bitcoind::cli::run(std::env::args().skip(1).collect());
    let line = |mut stream: Box<dyn Write>, text: &str| {
        if !text.is_empty() {
            // A closed stream is nobody's loss.
            let _closed = writeln!(stream, "{}", text.trim_end_matches('\n'));
        }
    };
    line(Box::new(std::io::stdout()), &outcome.output);
    line(Box::new(std::io::stderr()), &outcome.errors);
    ExitCode::from(outcome.status)
}
