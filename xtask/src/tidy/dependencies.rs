//! Each crate we depend on has a line that says why.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::cargo::Package;

const REASONS: &str = "docs/dependencies.md";

pub(super) fn check(root: &Path, packages: &[Package]) -> Result<Vec<String>> {
    let text =
        fs::read_to_string(root.join(REASONS)).with_context(|| format!("reading {REASONS}"))?;
    let used: BTreeSet<&str> = packages
        .iter()
        .flat_map(|package| &package.dependencies)
        .filter(|dependency| !dependency.is_ours)
        .map(|dependency| dependency.name.as_str())
        .collect();
    let mut problems: Vec<String> = used
        .iter()
        .filter(|name| !explained(&text).any(|line| line == **name))
        .map(|name| format!("{name}: why we depend on it is not in {REASONS}"))
        .collect();
    problems.extend(
        explained(&text)
            .filter(|name| !used.contains(name))
            .map(|name| format!("{name}: {REASONS} explains it, but nothing uses it")),
    );
    Ok(problems)
}

/// The crates with a line: `| name | why |`.
fn explained(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| {
        let name = line.strip_prefix("| `")?.split('`').next()?;
        (!name.is_empty()).then_some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_table_are_found() {
        let text = "# x\n| crate | why |\n|---|---|\n| `serde` | JSON |\n| `ring` | BOLT 8 |\n";
        assert_eq!(explained(text).collect::<Vec<_>>(), ["serde", "ring"]);
    }
}
