//! There is no drawer for everything: a thing that is shared has a name.

use crate::source::Source;

const DRAWERS: &[&str] = &["common", "helper", "helpers", "misc", "util", "utils"];

pub(super) fn check(sources: &[Source]) -> Vec<String> {
    sources
        .iter()
        .filter(|source| {
            source.path.with_extension("").iter().any(|part| {
                let part = part.to_string_lossy();
                DRAWERS
                    .iter()
                    .any(|drawer| part == *drawer || part.ends_with(&format!("-{drawer}")))
            })
        })
        .map(|source| {
            format!(
                "{}: a name like this says nothing; name the thing",
                source.path.display()
            )
        })
        .collect()
}
