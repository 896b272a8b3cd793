//! The headings of the BOLTs, which our comments cite.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::cargo::root;

/// Where the headings are kept.
pub(crate) const SECTIONS: &str = "docs/bolt-sections.txt";

const HEADER: &str = "\
# The headings of the BOLTs, one a line: number of the BOLT, tab, heading. Comments cite them as `BOLT 2 \u{a7}Heading: own words`.
# Written by `cargo xtask bolt-sections <directory of the BOLTs>`.
";

/// Headings by number of the BOLT.
pub(crate) type Sections = BTreeMap<u32, Vec<String>>;

/// Writes the list from the BOLTs in a directory.
pub(crate) fn write_sections(directory: &Path) -> Result<()> {
    let mut files: Vec<_> = fs::read_dir(directory)
        .with_context(|| format!("reading {}", directory.display()))?
        .collect::<Result<_, _>>()?;
    files.sort_by_key(fs::DirEntry::file_name);
    let mut out = HEADER.to_owned();
    for file in files {
        let name = file.file_name();
        let number = name.to_str().and_then(|name| {
            let (number, _) = name.strip_suffix(".md")?.split_once('-')?;
            number.parse::<u32>().ok()
        });
        if let Some(number) = number {
            for heading in headings(&fs::read_to_string(file.path())?) {
                out.extend([number.to_string().as_str(), "\t", &heading, "\n"]);
            }
        }
    }
    ensure!(
        out.len() > HEADER.len(),
        "no BOLT in {}",
        directory.display()
    );
    fs::write(root().join(SECTIONS), out)?;
    Ok(())
}

/// The headings of one document, each once, in order; the title without its number.
fn headings(text: &str) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let mut in_code = false;
    let mut found = Vec::new();
    for line in text.lines() {
        if line.starts_with("```") {
            in_code = !in_code;
        }
        let Some(heading) = line.strip_prefix('#').filter(|_| !in_code) else {
            continue;
        };
        let heading = heading.trim_start_matches('#');
        let Some(heading) = heading.strip_prefix(' ') else {
            continue;
        };
        let heading = match heading.split_once(": ") {
            Some((number, title)) if number.trim().starts_with("BOLT #") => title,
            _ => heading,
        };
        let heading = heading.trim().trim_end_matches('#').trim();
        if seen.insert(heading.to_owned()) {
            found.push(heading.to_owned());
        }
    }
    found
}

/// Reads the list.
pub(crate) fn read_sections(root: &Path) -> Result<Sections> {
    let text = fs::read_to_string(root.join(SECTIONS)).with_context(|| {
        format!("{SECTIONS} is missing: write it with `cargo xtask bolt-sections`")
    })?;
    let mut sections = Sections::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (number, heading) = line.split_once('\t').context("a line without a tab")?;
        sections
            .entry(number.parse()?)
            .or_default()
            .push(heading.to_owned());
    }
    Ok(sections)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_are_taken_and_code_is_not() {
        let text = "# BOLT #2: Peer Protocol\n## A `b` ##\n```\n# comment\n```\n### Requirements\n#not\n### Requirements\n";
        assert_eq!(headings(text), ["Peer Protocol", "A `b`", "Requirements"]);
    }
}
