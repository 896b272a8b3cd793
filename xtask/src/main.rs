//! The project's own tasks, run as `cargo xtask <task>`.

mod bolts;
mod book;
mod cargo;
mod deb;
mod generate;
mod install;
mod pages;
mod roff;
mod source;
mod tidy;

use std::env;
use std::io::{self, Write as _};
use std::process::ExitCode;

use anyhow::{Result, bail};

const USAGE: &str = "\
Usage: cargo xtask <task>

  ci                 everything below that must pass before a change goes in
  test [ARGS]        all tests (with nextest where it is installed); ARGS go to the runner; --no-interop leaves out those that need
                     python3 and its package index
  interop [ARGS]     only those; ARGS go to pytest
  demo               two nodes that pay each other on a private chain
  tidy [--sections]  what the compiler does not check: layers, sizes, citations, dependencies; with --sections also the sections of
                     the BOLTs that nothing cites
  gen [--check]      write docs/schemas, docs/man, docs/completions and the lists of the book; --check only compares
  book [--check]     follow all links of the documents and make the book with mdbook, which is compiled the first time; --check only
                     follows the links
  install [--prefix DIR] [--destdir DIR] [--debug]
                     programs, manual, completions and systemd unit to DIR (default: /usr/local)
  deb [--debug] [--check]
                     a package for Debian; --check installs it into a directory and runs the demo from there
  bench              the benchmarks
  bolt-sections DIR  write docs/bolt-sections.txt from the BOLTs in DIR
";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // If this can't be written, the exit code has to do.
            let _ = writeln!(io::stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["ci"] => ci(),
        ["test", "--no-interop"] => cargo::test(&[]),
        ["test"] => cargo::test(&[]).and_then(|()| cargo::interop(&[])),
        ["test", rest @ ..] => cargo::test(rest),
        ["interop", rest @ ..] => cargo::interop(rest),
        ["demo", rest @ ..] => cargo::demo(rest),
        ["install", rest @ ..] => install::run(rest),
        ["deb", rest @ ..] => deb::run(rest),
        ["tidy"] => tidy::run(false),
        ["tidy", "--sections"] => tidy::run(true),
        ["book", rest @ ..] => book::run(rest),
        ["gen"] => generate::run(false),
        ["gen", "--check"] => generate::run(true),
        ["bench", rest @ ..] => cargo::run_release("benches", rest),
        ["bolt-sections", directory] => bolts::write_sections(directory.as_ref()),
        _ => {
            io::stderr().write_all(USAGE.as_bytes())?;
            bail!("no such task: {}", words.join(" "));
        }
    }
}

fn ci() -> Result<()> {
    cargo::format_check()?;
    cargo::clippy()?;
    tidy::run(false)?;
    generate::run(true)?;
    book::run(&[])?;
    cargo::test(&[])?;
    if deb::is_possible() {
        deb::run(&["--debug", "--check"])?;
    } else {
        writeln!(io::stderr(), "dpkg-deb is not here: no package was tried")?;
    }
    cargo::interop(&[])
}
