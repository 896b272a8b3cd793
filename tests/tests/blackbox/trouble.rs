//! docs/book/src/operate/trouble.md explains messages that the programs really say: each is in the source, whatever stands for what differs.

use std::fs;
use std::path::{Path, PathBuf};

/// A part that is shorter says nothing.
const SHORTEST: usize = 4;

fn sources(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn every_message_that_is_explained_is_in_the_source() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files = Vec::new();
    for dir in ["crates", "plugins"] {
        sources(&root.join(dir), &mut files);
    }
    let source: String = files
        .iter()
        .map(|file| fs::read_to_string(file).unwrap())
        .collect();
    let page = fs::read_to_string(root.join("docs/book/src/operate/trouble.md")).unwrap();
    let headings: Vec<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("### "))
        .collect();
    assert!(headings.len() > 30, "{headings:?}");
    for heading in headings {
        let message = heading
            .strip_prefix('`')
            .and_then(|text| text.strip_suffix('`'));
        let message = message.unwrap_or_else(|| panic!("no message: {heading}"));
        let mut parts = message
            .split('…')
            .map(|part| part.trim_matches([' ', ':', '(', ')', ',']))
            .filter(|part| part.len() >= SHORTEST)
            .peekable();
        assert!(parts.peek().is_some(), "nothing to look for: {heading}");
        for part in parts {
            assert!(source.contains(part), "nobody says \"{part}\" of {heading}");
        }
    }
}
