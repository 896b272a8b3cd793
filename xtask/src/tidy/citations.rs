//! Comments cite sections of the BOLTs that exist.

use std::collections::BTreeSet;

use crate::bolts::Sections;
use crate::source::Source;

/// What begins a citation, up to the number.
const BOLT: &str = "BOLT ";
/// Headings that stand in many sections and say nothing alone.
const GENERIC: &[&str] = &[
    "Acknowledgments",
    "Authors",
    "Overview",
    "Rationale",
    "References",
    "Requirements",
    "Table of Contents",
    "Test Vectors",
];

/// What came of the check.
pub(super) struct Citations {
    pub(super) problems: Vec<String>,
    pub(super) cited: usize,
    pub(super) uncited: Vec<String>,
}

pub(super) fn check(sources: &[Source], sections: &Sections) -> Citations {
    let mut problems = Vec::new();
    let mut cited = BTreeSet::new();
    for source in sources
        .iter()
        .filter(|source| !source.path.starts_with("xtask"))
    {
        for (line, number, text) in citations(&source.text) {
            let headings = sections.get(&number).map(Vec::as_slice).unwrap_or_default();
            match heading_of(&text, headings) {
                Some(heading) => {
                    cited.insert((number, heading.to_owned()));
                }
                None => problems.push(format!(
                    "{}:{line}: BOLT {number} has no section that begins \"{}\" (docs/bolt-sections.txt lists them)",
                    source.path.display(),
                    text.chars().take(60).collect::<String>()
                )),
            }
        }
    }
    let uncited: Vec<String> = sections
        .iter()
        .flat_map(|(number, headings)| headings.iter().map(move |heading| (*number, heading)))
        .filter(|(number, heading)| {
            let generic = GENERIC.contains(&heading.as_str()) || heading.starts_with("Appendix");
            !generic && !cited.contains(&(*number, (*heading).clone()))
        })
        .map(|(number, heading)| format!("BOLT {number} \u{a7}{heading}"))
        .collect();
    Citations {
        problems,
        cited: cited.len(),
        uncited,
    }
}

/// Each citation: its line, the number of the BOLT, and what follows the sign, with the next line of the comment, as a heading may
/// be broken there.
fn citations(text: &str) -> Vec<(usize, u32, String)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let next = lines
            .get(index.saturating_add(1))
            .map(|next| next.trim_start())
            .filter(|next| next.starts_with("//"))
            .map_or("", |next| {
                next.trim_start_matches(['/', '!', '~']).trim_start()
            });
        let mut rest = *line;
        while let Some((_, after)) = rest.split_once(BOLT) {
            rest = after;
            let Some((number, heading)) = after.split_once(" \u{a7}") else {
                continue;
            };
            if let Ok(number) = number.parse() {
                let text = format!("{} {next}", heading.trim_end());
                found.push((index.saturating_add(1), number, text));
            }
        }
    }
    found
}

/// The longest heading that the text begins with; backticks don't count.
fn heading_of<'a>(text: &str, headings: &'a [String]) -> Option<&'a str> {
    let plain = |text: &str| text.replace('`', "").to_lowercase();
    let text = plain(text);
    headings
        .iter()
        .filter(|heading| {
            text.strip_prefix(&plain(heading)).is_some_and(|rest| {
                !rest.starts_with(|letter: char| letter.is_alphanumeric() || letter == '_')
            })
        })
        .max_by_key(|heading| heading.len())
        .map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sections() -> Sections {
        let headings = [
            "The `open_channel` Message",
            "Dust Limits",
            "Requirements",
            "Key",
            "Key Derivation",
        ];
        Sections::from([(2, headings.map(ToOwned::to_owned).to_vec())])
    }

    fn checked(comment: &str) -> Citations {
        let source = Source {
            path: "crates/x/src/lib.rs".into(),
            text: comment.to_owned(),
        };
        check(&[source], &sections())
    }

    #[test]
    fn a_citation_must_name_a_heading() {
        for comment in [
            "// BOLT 2 \u{a7}The open_channel Message: own words",
            "/// See BOLT 2 \u{a7}The `open_channel` Message.",
            "// BOLT 2 \u{a7}The\n// open_channel Message: broken over lines",
            "// BOLT 2 \u{a7}Key Derivation",
            "// BOLT 2 alone, and the word BOLT",
        ] {
            assert!(checked(comment).problems.is_empty(), "{comment}");
        }
        for comment in [
            "// BOLT 2 \u{a7}The accept_channel Message",
            "// BOLT 3 \u{a7}Key",
            "// BOLT 2 \u{a7}Keys",
        ] {
            assert_eq!(checked(comment).problems.len(), 1, "{comment}");
        }
    }

    #[test]
    fn what_nobody_cites_is_listed() {
        let citations = checked("// BOLT 2 \u{a7}Key Derivation, BOLT 2 \u{a7}Dust Limits");
        assert_eq!(citations.cited, 2);
        assert_eq!(
            citations.uncited,
            [
                "BOLT 2 \u{a7}The `open_channel` Message",
                "BOLT 2 \u{a7}Key"
            ]
        );
    }
}
