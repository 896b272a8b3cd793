//! What a page asks its reader to type, and what it shows.

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

/// One page, in order.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// What is done, one after the other.
    pub steps: Vec<Step>,
    /// It is read in a clone of the repository, not in the home directory.
    pub in_repository: bool,
    /// It needs this Python package.
    pub needs_python: Option<String>,
}

/// A step and the line it begins at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its first line, from 1.
    pub line: usize,
    /// What it is.
    pub what: What,
}

/// What a page has that matters here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// Commands for a shell, and what they print.
    Type {
        /// The commands.
        text: String,
        /// What the page shows of their output, if it does.
        shown: Option<Shown>,
    },
    /// A file the reader makes with an editor.
    File {
        /// Its path, for the shell.
        path: String,
        /// What is in it.
        text: String,
    },
    /// A command that readers do not see: it waits for what their typing gives time for.
    Meanwhile(String),
    /// The page goes on where another one has come to.
    After {
        /// The other page, from this one's directory.
        page: String,
        /// The heading of it to stop at.
        until: Option<String>,
    },
    /// Commands that are not typed, for a reason.
    LeftOut(String),
    /// A heading.
    Heading(String),
}

/// Output on a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The lines.
    pub text: String,
    /// All of the output is there, from its first line to its last; else a part of it.
    pub whole: bool,
}

/// What a comment says of the block behind it.
#[derive(Debug)]
enum Mark {
    NotRun(String),
    File(String),
}

/// Languages that are shown and not typed.
const ONLY_SHOWN: &[&str] = &["ini", "json", "python", "rust", "text", "toml"];

impl Page {
    /// Reads a page.
    ///
    /// # Errors
    /// What breaks the rules, each with its line.
    pub fn parse(text: &str) -> Result<Self, Vec<String>> {
        let mut reader = Reader::default();
        let mut block: Option<(usize, String, String)> = None;
        let mut heading: Option<(usize, String)> = None;
        for (event, range) in Parser::new_ext(text, Options::ENABLE_TABLES).into_offset_iter() {
            let before = text.get(..range.start).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            #[expect(
                clippy::wildcard_enum_match_arm,
                reason = "prose is not looked at, whatever is in it"
            )]
            match event {
                Event::Start(Tag::CodeBlock(kind)) => {
                    let language = match kind {
                        CodeBlockKind::Fenced(info) => info.to_string(),
                        CodeBlockKind::Indented => "indented".to_owned(),
                    };
                    block = Some((line, language, String::new()));
                }
                Event::End(TagEnd::CodeBlock) => {
                    if let Some((line, language, text)) = block.take() {
                        reader.block(line, &language, &text);
                    }
                }
                Event::Start(Tag::Heading { .. }) => heading = Some((line, String::new())),
                Event::End(TagEnd::Heading(_)) => {
                    if let Some((line, title)) = heading.take() {
                        reader.push(line, What::Heading(title));
                    }
                }
                Event::Html(html) | Event::InlineHtml(html) => reader.comment(line, &html),
                Event::Text(part) | Event::Code(part) => {
                    if let Some((_, _, text)) = &mut block {
                        text.push_str(&part);
                    } else if let Some((_, title)) = &mut heading {
                        title.push_str(&part);
                    }
                }
                _ => {}
            }
        }
        reader.finish()
    }

    /// How many blocks and lines are typed, and how many blocks are not.
    pub fn counts(&self) -> (usize, usize) {
        let of = |wanted: fn(&What) -> bool| {
            let steps = self.steps.iter();
            steps.filter(|step| wanted(&step.what)).count()
        };
        (
            of(|what| matches!(what, What::Type { .. } | What::File { .. })),
            of(|what| matches!(what, What::LeftOut(_))),
        )
    }
}

#[derive(Debug, Default)]
struct Reader {
    page: Page,
    mark: Option<(usize, Mark)>,
    problems: Vec<String>,
}

impl Reader {
    fn push(&mut self, line: usize, what: What) {
        self.page.steps.push(Step { line, what });
    }

    fn problem(&mut self, line: usize, what: &str) {
        self.problems.push(format!("line {line}: {what}"));
    }

    /// A comment of HTML; only those that begin with `book:` are for us.
    fn comment(&mut self, line: usize, html: &str) {
        let inner = html.trim().strip_prefix("<!--");
        let inner = inner.and_then(|rest| rest.strip_suffix("-->"));
        let Some(said) = inner.and_then(|inner| inner.trim().strip_prefix("book:")) else {
            return;
        };
        let said = said.trim();
        if said == "in the repository" {
            self.page.in_repository = true;
        } else if let Some(reason) = said.strip_prefix("not run:") {
            self.set_mark(line, Mark::NotRun(reason.trim().to_owned()));
        } else if let Some(path) = said.strip_prefix("file ") {
            self.set_mark(line, Mark::File(path.trim().to_owned()));
        } else if let Some(package) = said.strip_prefix("needs python ") {
            self.page.needs_python = Some(package.trim().to_owned());
        } else if let Some(command) = said.strip_prefix("meanwhile ") {
            self.push(line, What::Meanwhile(command.trim().to_owned()));
        } else if let Some(other) = said.strip_prefix("after ") {
            let (page, until) = match other.split_once(" up to ") {
                Some((page, until)) => (page, Some(until.trim().to_owned())),
                None => (other, None),
            };
            let page = page.trim().to_owned();
            self.push(line, What::After { page, until });
        } else {
            self.problem(line, &format!("what is 'book: {said}'?"));
        }
    }

    fn set_mark(&mut self, line: usize, mark: Mark) {
        if let Some((unused, _)) = self.mark.replace((line, mark)) {
            self.problem(unused, "a mark without a block behind it");
        }
    }

    fn block(&mut self, line: usize, language: &str, text: &str) {
        match self.mark.take() {
            Some((_, Mark::NotRun(reason))) if reason.is_empty() => {
                self.problem(line, "say why it is not run");
            }
            Some((_, Mark::NotRun(reason))) => self.push(line, What::LeftOut(reason)),
            Some((_, Mark::File(path))) => {
                let text = text.to_owned();
                self.push(line, What::File { path, text });
            }
            None if language == "sh" => {
                let text = text.to_owned();
                self.push(line, What::Type { text, shown: None });
            }
            None if language.is_empty() && text.lines().any(|line| line.starts_with("$ ")) => {
                self.transcript(line, text);
            }
            None if language.is_empty() => self.output(line, text),
            None if ONLY_SHOWN.contains(&language) => {}
            None => self.problem(
                line,
                &format!(
                    "a block of '{language}': write sh, {}, or nothing",
                    ONLY_SHOWN.join(", ")
                ),
            ),
        }
    }

    /// Lines of `$ command`, each with its output below.
    fn transcript(&mut self, start: usize, text: &str) {
        // The line of the fence is the block's.
        let mut current: Option<(usize, String, String)> = None;
        for (number, line) in (start.saturating_add(1)..).zip(text.lines()) {
            match (line.strip_prefix("$ "), &mut current) {
                (Some(command), _) => {
                    let begun = (number, command.to_owned(), String::new());
                    let done = current.replace(begun);
                    self.typed(done);
                }
                (None, Some((_, command, shown))) => {
                    let goes_on = shown.is_empty() && command.ends_with('\\');
                    let to = if goes_on { command } else { shown };
                    to.push('\n');
                    to.push_str(line);
                }
                (None, None) => self.problem(number, "output above the first command"),
            }
        }
        self.typed(current);
    }

    fn typed(&mut self, command: Option<(usize, String, String)>) {
        let Some((line, text, shown)) = command else {
            return;
        };
        let shown = (!shown.trim().is_empty()).then_some(Shown {
            text: shown,
            whole: true,
        });
        self.push(line, What::Type { text, shown });
    }

    /// A block that is part of the output of the commands above it.
    fn output(&mut self, line: usize, text: &str) {
        if let Some(Step {
            what: What::Type { shown, .. },
            ..
        }) = self.page.steps.last_mut()
            && shown.is_none()
        {
            *shown = Some(Shown {
                text: text.to_owned(),
                whole: false,
            });
        } else {
            self.problem(
                line,
                "no commands whose output this could be: put `$ command` above it, or mark it as text",
            );
        }
    }

    fn finish(mut self) -> Result<Page, Vec<String>> {
        if let Some((line, _)) = self.mark.take() {
            self.problem(line, "a mark without a block behind it");
        }
        if self.problems.is_empty() {
            Ok(self.page)
        } else {
            Err(self.problems)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(text: &str) -> Vec<What> {
        let page = Page::parse(text).unwrap();
        page.steps.into_iter().map(|step| step.what).collect()
    }

    #[test]
    fn blocks_are_commands_with_their_output() {
        let text = "```sh\na\nb\n```\n\nIt says\n\n```\nc\n```\n\n```\n$ d \\\n  e\nf\n$ g\n```\n";
        let shown = |text: &str, whole| {
            Some(Shown {
                text: text.to_owned(),
                whole,
            })
        };
        assert_eq!(
            steps(text),
            [
                What::Type {
                    text: "a\nb\n".to_owned(),
                    shown: shown("c\n", false)
                },
                What::Type {
                    text: "d \\\n  e".to_owned(),
                    shown: shown("\nf", true)
                },
                What::Type {
                    text: "g".to_owned(),
                    shown: None
                },
            ]
        );
    }

    #[test]
    fn marks_count_for_the_next_block() {
        let text = "<!-- book: not run: root -->\n```sh\na\n```\n\n<!-- book: file x.py -->\n```python\nb\n```\n\n\
                    <!-- book: meanwhile c -->\n\n<!-- book: after y.md up to Z -->\n";
        assert_eq!(
            steps(text),
            [
                What::LeftOut("root".to_owned()),
                What::File {
                    path: "x.py".to_owned(),
                    text: "b\n".to_owned()
                },
                What::Meanwhile("c".to_owned()),
                What::After {
                    page: "y.md".to_owned(),
                    until: Some("Z".to_owned())
                },
            ]
        );
    }

    #[test]
    fn what_breaks_the_rules_is_named_with_its_line() {
        for (text, problem) in [
            ("x\n\n```\nout\n```\n", "line 3: no commands"),
            ("```bash\na\n```\n", "line 1: a block of 'bash'"),
            ("<!-- book: run -->\n", "line 1: what is 'book: run'?"),
            (
                "<!-- book: not run: -->\n```sh\na\n```\n",
                "line 2: say why",
            ),
            ("<!-- book: not run: x -->\n", "line 1: a mark without"),
        ] {
            let problems = Page::parse(text).unwrap_err();
            assert!(problems[0].starts_with(problem), "{problems:?}");
        }
    }
}
