//! Links of the book and of the other documents: files, headings, and the list of chapters.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, bail};
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

/// Where documents are; of directories all below them.
const PLACES: &[&str] = &[
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "README.md",
    "SECURITY.md",
    "contrib",
    "docs",
];
/// The chapters.
const BOOK: &str = "docs/book/src";
const SUMMARY: &str = "SUMMARY.md";

/// What matters of a document.
#[derive(Debug, Default, PartialEq, Eq)]
struct Document {
    /// The names that its headings can be linked by.
    anchors: BTreeSet<String>,
    /// Where its links lead, with the line each is in.
    links: Vec<(usize, String)>,
}

/// Follows all links inside the repository; returns how many there are.
pub(crate) fn check(root: &Path) -> Result<usize> {
    let mut documents = BTreeMap::new();
    for place in PLACES {
        collect(root, Path::new(place), &mut documents)?;
    }
    let mut problems = Vec::new();
    let mut followed = 0_usize;
    for (path, document) in &documents {
        for (line, link) in &document.links {
            if let Some(problem) = problem_of(root, &documents, path, link) {
                problems.push(format!("{}:{line}: {link}: {problem}", path.display()));
            } else {
                followed = followed.saturating_add(1);
            }
        }
    }
    problems.extend(chapters(&documents)?);
    if problems.is_empty() {
        return Ok(followed);
    }
    bail!("links that lead nowhere:\n{}", problems.join("\n"))
}

fn collect(root: &Path, path: &Path, documents: &mut BTreeMap<PathBuf, Document>) -> Result<()> {
    let here = root.join(path);
    if here.is_dir() {
        for entry in fs::read_dir(&here)? {
            collect(root, &path.join(entry?.file_name()), documents)?;
        }
    } else if path.extension().is_some_and(|extension| extension == "md") {
        let text =
            fs::read_to_string(&here).with_context(|| format!("reading {}", here.display()))?;
        let text = included(&here, &text)?;
        documents.insert(path.to_owned(), read(&text));
    }
    Ok(())
}

/// A chapter that is nothing but `{{#include FILE}}` is that file.
fn included(path: &Path, text: &str) -> Result<String> {
    let name = text.trim().strip_prefix("{{#include ");
    let Some(name) = name.and_then(|rest| rest.strip_suffix("}}")) else {
        return Ok(text.to_owned());
    };
    let file = path.with_file_name(name.trim());
    fs::read_to_string(&file).with_context(|| format!("{} includes {name}", path.display()))
}

fn read(text: &str) -> Document {
    let mut document = Document::default();
    let mut heading: Option<String> = None;
    for (event, range) in Parser::new_ext(text, Options::ENABLE_TABLES).into_offset_iter() {
        if let Event::Start(Tag::Heading { .. }) = event {
            heading = Some(String::new());
        } else if let Event::End(TagEnd::Heading(_)) = event {
            let name = anchor(&heading.take().unwrap_or_default());
            let taken = |name: &String| document.anchors.contains(name);
            let mut others = (1..).map(|number| format!("{name}-{number}"));
            let free = if taken(&name) {
                others.find(|other| !taken(other))
            } else {
                Some(name)
            };
            document.anchors.extend(free);
        } else if let Event::Text(part) | Event::Code(part) = &event
            && let Some(heading) = &mut heading
        {
            heading.push_str(part);
        } else if let Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) = event
        {
            let before = text.get(..range.start).unwrap_or_default();
            let line = before.matches('\n').count().saturating_add(1);
            document.links.push((line, dest_url.to_string()));
        }
    }
    document
}

/// The name of a heading, as mdbook and forges make it.
fn anchor(heading: &str) -> String {
    let letters = heading.trim().chars().filter_map(|letter| {
        if letter.is_whitespace() {
            Some('-')
        } else {
            let stays = letter.is_alphanumeric() || matches!(letter, '-' | '_');
            stays.then_some(letter)
        }
    });
    letters.collect::<String>().to_lowercase()
}

/// What is wrong with a link.
fn problem_of(
    root: &Path,
    documents: &BTreeMap<PathBuf, Document>,
    from: &Path,
    link: &str,
) -> Option<String> {
    if link.contains("://") || link.starts_with("mailto:") {
        return None;
    }
    let (file, heading) = match link.split_once('#') {
        Some((file, heading)) => (file, Some(heading)),
        None => (link, None),
    };
    let target = if file.is_empty() {
        from.to_owned()
    } else {
        match flat(&from.with_file_name(file)) {
            Some(target) => target,
            None => return Some("it leads out of the repository".to_owned()),
        }
    };
    if !root.join(&target).exists() {
        return Some(format!("there is no {}", target.display()));
    }
    if from.starts_with(BOOK) && !target.starts_with(BOOK) {
        return Some(
            "the book is read without the repository: name the file instead of linking it"
                .to_owned(),
        );
    }
    let heading = heading?;
    let known = documents.get(&target)?;
    (!known.anchors.contains(heading)).then(|| format!("{} has no such heading", target.display()))
}

/// A path without `..`, if it stays inside.
fn flat(path: &Path) -> Option<PathBuf> {
    let mut flat = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                if !flat.pop() {
                    return None;
                }
            }
            Component::Normal(name) => flat.push(name),
            Component::CurDir | Component::Prefix(_) | Component::RootDir => {}
        }
    }
    Some(flat)
}

/// Chapters that the summary does not list, or lists twice.
fn chapters(documents: &BTreeMap<PathBuf, Document>) -> Result<Vec<String>> {
    let book = Path::new(BOOK);
    let summary = documents
        .get(&book.join(SUMMARY))
        .context("the book has no SUMMARY.md")?;
    let mut listed = BTreeSet::new();
    let mut problems = Vec::new();
    for (_, link) in &summary.links {
        if !listed.insert(book.join(link)) {
            problems.push(format!("{BOOK}/{SUMMARY} lists {link} twice"));
        }
    }
    for path in documents.keys().filter(|path| path.starts_with(book)) {
        if !listed.contains(path) && !path.ends_with(SUMMARY) {
            problems.push(format!("{}: {SUMMARY} does not list it", path.display()));
        }
    }
    Ok(problems)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_have_names_and_links_are_found() {
        let document = read("# A `b` c!\n\n## X\n\n## X\n\n[y](z.md#x)\n");
        assert_eq!(Vec::from_iter(&document.anchors), ["a-b-c", "x", "x-1"]);
        assert_eq!(document.links, [(7, "z.md#x".to_owned())]);
    }

    #[test]
    fn wrong_links_are_told() {
        let root = crate::cargo::root();
        let chapter = Path::new(BOOK).join("concepts.md");
        let mut documents = BTreeMap::new();
        documents.insert(chapter.clone(), read("## Amounts\n"));
        let problem = |link: &str| problem_of(&root, &documents, &chapter, link);
        assert_eq!(problem("#amounts"), None);
        assert_eq!(problem("https://example.com"), None);
        assert!(problem("#sums").is_some_and(|text| text.ends_with("no such heading")));
        assert!(problem("nowhere.md").is_some());
        assert!(
            problem("../../../README.md").is_some_and(|text| text.starts_with("the book is read"))
        );
        assert!(problem("../../../../x.md").is_some());
    }

    #[test]
    fn the_documents_of_the_repository_lead_somewhere() {
        check(&crate::cargo::root()).unwrap();
    }
}
