//! Markdown as roff, the language of manual pages.

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};

/// A page that grows.
#[derive(Debug, Default)]
pub(crate) struct Page {
    out: String,
    /// What was said since the last line was written.
    text: String,
}

/// The row of a table that is being read.
#[derive(Debug, Default)]
struct Row {
    cells: Vec<String>,
    is_head: bool,
}

impl Page {
    /// A page with its name and section: `lightning-cli`, `1`.
    pub(crate) fn new(name: &str, section: &str, summary: &str) -> Self {
        let mut page = Self::default();
        page.line(&format!(
            ".TH \"{}\" \"{section}\" \"\" \"Fulgurite\" \"Fulgurite manual\"",
            name.to_uppercase()
        ));
        page.section("NAME");
        page.words(&format!("{name} - {summary}"));
        page.end_text();
        page
    }

    /// The page's text.
    pub(crate) fn finish(self) -> String {
        self.out
    }

    pub(crate) fn section(&mut self, title: &str) {
        self.line(&format!(".SH \"{}\"", escaped(&title.to_uppercase())));
    }

    /// A word and what it means.
    pub(crate) fn term(&mut self, word: &str, meaning: &str) {
        self.line(".TP");
        self.text = format!("\\fB{}\\fR", escaped(word));
        self.end_text();
        self.words(meaning);
        self.end_text();
    }

    /// Lines that stay as they are.
    pub(crate) fn verbatim(&mut self, text: &str) {
        self.line(".PP\n.nf");
        for line in text.lines() {
            self.words(line);
            self.text.push('\n');
            self.flush();
        }
        self.line(".fi");
    }

    /// A chapter without its title; its headings become sections.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "what Markdown has besides adds nothing to a manual page"
    )]
    pub(crate) fn markdown(&mut self, text: &str) {
        let mut row = Row::default();
        let mut quiet = false;
        for event in Parser::new_ext(text, Options::ENABLE_TABLES) {
            match event {
                Event::Start(Tag::Heading { level, .. }) => quiet = level == HeadingLevel::H1,
                Event::End(TagEnd::Heading(level)) => {
                    let title = std::mem::take(&mut self.text);
                    let command = if level == HeadingLevel::H2 {
                        "SH"
                    } else {
                        "SS"
                    };
                    if !std::mem::take(&mut quiet) {
                        let title = title.replace("\\fB", "").replace("\\fR", "");
                        let title = if level == HeadingLevel::H2 {
                            title.to_uppercase()
                        } else {
                            title
                        };
                        self.line(&format!(".{command} \"{title}\""));
                    }
                }
                Event::Start(Tag::Paragraph) => self.line(".PP"),
                Event::Start(Tag::Item) => self.line(".IP \\(bu 3"),
                Event::End(TagEnd::Paragraph | TagEnd::Item) => self.end_text(),
                Event::Start(Tag::CodeBlock(_)) => {
                    self.end_text();
                    self.line(".PP\n.nf");
                }
                Event::End(TagEnd::CodeBlock) => {
                    self.flush();
                    self.line(".fi");
                }
                Event::Start(Tag::TableHead) => row.is_head = true,
                Event::End(TagEnd::TableCell) => row.cells.push(std::mem::take(&mut self.text)),
                Event::End(TagEnd::TableHead | TagEnd::TableRow) => {
                    self.row(&std::mem::take(&mut row));
                }
                Event::Start(Tag::Strong) => self.text.push_str("\\fB"),
                Event::Start(Tag::Emphasis) => self.text.push_str("\\fI"),
                Event::End(TagEnd::Strong | TagEnd::Emphasis) => self.text.push_str("\\fR"),
                Event::Code(code) => {
                    self.text.push_str("\\fB");
                    self.words(&code);
                    self.text.push_str("\\fR");
                }
                Event::Text(text) => self.words(&text),
                Event::SoftBreak | Event::HardBreak => self.text.push(' '),
                _ => {}
            }
        }
    }

    /// A table's row: its first cell is the word, the others are its meaning.
    fn row(&mut self, row: &Row) {
        let Some((word, meaning)) = row.cells.split_first() else {
            return;
        };
        if row.is_head {
            return;
        }
        self.line(".TP");
        self.text.clone_from(word);
        self.end_text();
        let meaning: Vec<&str> = meaning
            .iter()
            .map(String::as_str)
            .filter(|cell| !cell.is_empty())
            .collect();
        self.text = meaning.join("; ");
        self.end_text();
    }

    fn words(&mut self, text: &str) {
        self.text.push_str(&escaped(text));
    }

    /// Ends a paragraph.
    fn end_text(&mut self) {
        if !self.text.is_empty() {
            self.text.push('\n');
            self.flush();
        }
    }

    /// Writes what was said, so that no line is taken for a command.
    fn flush(&mut self) {
        for line in std::mem::take(&mut self.text).lines() {
            if line.starts_with(['.', '\'']) {
                self.out.push_str("\\&");
            }
            self.line(line);
        }
    }

    fn line(&mut self, line: &str) {
        self.out.push_str(line);
        self.out.push('\n');
    }
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\e")
        .replace('-', "\\-")
        .replace('"', "\\(dq")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chapter_becomes_a_page() {
        let mut page = Page::new("x", "1", "does x");
        page.markdown("# Title\n\nText with `code`\nand [a link](there.md).\n\n## Part\n\n- one\n\n| a | b |\n|---|---|\n| `k` | v |\n\n```\n.code\n```\n");
        assert_eq!(
            page.finish(),
            ".TH \"X\" \"1\" \"\" \"Fulgurite\" \"Fulgurite manual\"\n.SH \"NAME\"\nx \\- does x\n.PP\nText with \\fBcode\\fR and a link.\n\
             .SH \"PART\"\n.IP \\(bu 3\none\n.TP\n\\fBk\\fR\nv\n.PP\n.nf\n\\&.code\n.fi\n"
        );
    }
}
