//! Typing a page.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use ln_testkit::nodes::patience;

use super::compare::compare;
use super::page::{Page, Shown, Step, What};
use super::place::Place;
use super::shell::{Shell, Typed};

/// Words of commands that only look: they may be typed again until they show what the page shows, as readers do.
const LOOKING: &[&str] = &["cat", "curl", "grep", "head", "ls", "ps", "pstree", "tail"];

/// What was done with a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Blocks and `$` lines that were typed.
    pub typed: usize,
    /// How many of them were compared with what the page shows.
    pub compared: usize,
    /// Blocks that were left out, with the reason.
    pub left_out: Vec<String>,
}

/// The repository's directory.
pub fn repository() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// All pages with commands: the README and the book, as paths in the repository.
///
/// # Panics
/// If the book can't be read.
pub fn book() -> Vec<String> {
    let mut pages = vec!["README.md".to_owned()];
    let mut directories = vec!["docs/book/src".to_owned()];
    while let Some(directory) = directories.pop() {
        let entries = fs::read_dir(repository().join(&directory)).expect("the book is there");
        for entry in entries {
            let entry = entry.expect("its directories can be read");
            let path = format!("{directory}/{}", entry.file_name().display());
            if entry.path().is_dir() {
                directories.push(path);
            } else if Path::new(&path)
                .extension()
                .is_some_and(|extension| extension == "md")
            {
                pages.push(path);
            }
        }
    }
    pages.sort();
    pages
}

/// Reads a page of the repository.
///
/// # Errors
/// If it is not there or breaks the rules.
pub fn read(page: &str) -> Result<Page, String> {
    let text =
        fs::read_to_string(repository().join(page)).map_err(|error| format!("{page}: {error}"))?;
    Page::parse(&text).map_err(|problems| {
        let problems = problems.into_iter();
        let lines: Vec<String> = problems
            .map(|problem| format!("{page}, {problem}"))
            .collect();
        lines.join("\n")
    })
}

/// Types a page of the repository in a fresh home.
///
/// # Errors
/// The first command that failed or showed something else.
pub fn run(page: &str) -> Result<Report, String> {
    let read = read(page)?;
    let place = Place::new().map_err(|error| error.to_string())?;
    let directory = if read.in_repository {
        repository()
    } else {
        place.home()
    };
    let shell = Shell::start(&place, &directory).map_err(|error| error.to_string())?;
    let mut typist = Typist {
        shell,
        report: Report {
            typed: 0,
            compared: 0,
            left_out: Vec::new(),
        },
    };
    typist.page(page, &read, None)?;
    Ok(typist.report)
}

struct Typist<'a> {
    shell: Shell<'a>,
    report: Report,
}

impl Typist<'_> {
    fn page(&mut self, name: &str, page: &Page, until: Option<&str>) -> Result<(), String> {
        for step in &page.steps {
            if let (What::Heading(heading), Some(until)) = (&step.what, until)
                && heading == until
            {
                return Ok(());
            }
            self.step(name, step)
                .map_err(|error| format!("{name}, line {}: {error}\n{}", step.line, self.logs()))?;
        }
        match until {
            Some(until) => Err(format!("{name} has no heading '{until}'")),
            None => Ok(()),
        }
    }

    fn step(&mut self, page: &str, step: &Step) -> Result<(), String> {
        match &step.what {
            What::Type { text, shown } => self.type_in(text, shown.as_ref()),
            What::Meanwhile(command) => self.type_in(command, None),
            What::File { path, text } => self.write(path, text),
            What::LeftOut(reason) => {
                self.report
                    .left_out
                    .push(format!("{page}, line {}: {reason}", step.line));
                Ok(())
            }
            What::After { page: other, until } => {
                let directory = Path::new(page).parent().unwrap_or(Path::new(""));
                let other = flat(&directory.join(other));
                let read = read(&other)?;
                let before = self.report.clone();
                self.page(&other, &read, until.as_deref())?;
                // That page is reported with itself.
                self.report = before;
                Ok(())
            }
            What::Heading(_) => Ok(()),
        }
    }

    fn type_in(&mut self, text: &str, shown: Option<&Shown>) -> Result<(), String> {
        self.report.typed += 1;
        let typed = self.shell.type_in(text);
        let Some(shown) = shown else {
            return succeeded(text, &typed);
        };
        self.report.compared += 1;
        // A transcript may show an error; a block of commands goes on only if all is well.
        if !shown.whole {
            succeeded(text, &typed)?;
        }
        let again = last_line(text).filter(|line| only_looks(line));
        let end = Instant::now() + patience();
        let mut output = typed.output;
        loop {
            let Err(difference) = compare(&shown.text, &output, shown.whole) else {
                return Ok(());
            };
            let Some(again) = again.filter(|_| Instant::now() < end) else {
                return Err(format!(
                    "{difference}\n$ {text}\nthe page shows\n{}\nthis came\n{output}",
                    shown.text
                ));
            };
            std::thread::sleep(std::time::Duration::from_millis(100));
            output = self.shell.type_in(again).output;
        }
    }

    fn write(&mut self, path: &str, text: &str) -> Result<(), String> {
        self.report.typed += 1;
        let end = "END_OF_THE_FILE";
        let executable = if text.starts_with("#!") {
            format!("\nchmod +x {path}")
        } else {
            String::new()
        };
        let command = format!("cat > {path} <<'{end}'\n{text}{end}{executable}");
        succeeded(path, &self.shell.type_in(&command))
    }

    /// The ends of the logs in the home, for who looks for what went wrong.
    fn logs(&mut self) -> String {
        let found = self
            .shell
            .type_in("find ~ /tmp/ -type f -name log -exec tail -n 15 {} +; true");
        found.output
    }
}

fn succeeded(text: &str, typed: &Typed) -> Result<(), String> {
    match &typed.failed {
        None => Ok(()),
        Some(failed) => Err(format!("{failed}\n$ {text}\n{}", typed.output)),
    }
}

fn last_line(text: &str) -> Option<&str> {
    text.lines().rfind(|line| !line.trim().is_empty())
}

/// Whether a command changes nothing, so that it may be typed again.
fn only_looks(line: &str) -> bool {
    if line.contains(['>', ';', '&']) {
        return false;
    }
    let mut words = line.split_whitespace();
    let first = words.next().unwrap_or_default();
    LOOKING.contains(&first) || words.any(|word| word == "getinfo" || word.starts_with("list"))
}

/// A path without `..`.
fn flat(path: &Path) -> String {
    let mut parts: Vec<String> = Vec::new();
    for part in path.components() {
        match part.as_os_str().to_str() {
            Some("..") => {
                parts.pop();
            }
            Some(name) => parts.push(name.to_owned()),
            None => {}
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_changes_nothing_is_typed_again() {
        assert!(only_looks("l1 listfunds"));
        assert!(only_looks("tail -n 2 log | grep x"));
        assert!(!only_looks("l1 pay lnbc"));
        assert!(!only_looks("cat > config"));
        assert_eq!(flat(Path::new("a/b/../c.md")), "a/c.md");
    }
}
