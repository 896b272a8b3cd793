//! What dependencies may be: the licences, versions and sources of `deny.toml`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use spdx::{Expression, LicenseReq, ParseMode};
use toml::Table;

use crate::cargo::ForeignCrate;

const RULES: &str = "deny.toml";

/// What `deny.toml` lets through.
#[derive(Debug, Default)]
struct Rules {
    licenses: BTreeSet<String>,
    /// `name@version` of crates that may be there beside another version.
    doubles: BTreeSet<String>,
}

pub(super) fn check(root: &Path, crates: &[ForeignCrate]) -> Result<Vec<String>> {
    let text = fs::read_to_string(root.join(RULES)).with_context(|| format!("reading {RULES}"))?;
    let rules = read(&text).with_context(|| format!("{RULES} can't be read"))?;
    Ok(problems(&rules, crates))
}

fn read(text: &str) -> Result<Rules> {
    let table: Table = text.parse()?;
    let list = |section: &str, name: &str| {
        let list = table.get(section).and_then(|section| section.get(name));
        list.and_then(toml::Value::as_array)
            .with_context(|| format!("no list '{name}' in [{section}]"))
    };
    let word = |value: &toml::Value| value.as_str().map(ToOwned::to_owned);
    Ok(Rules {
        licenses: list("licenses", "allow")?.iter().filter_map(word).collect(),
        doubles: list("bans", "skip")?
            .iter()
            .filter_map(|entry| entry.get("crate").and_then(word))
            .collect(),
    })
}

fn problems(rules: &Rules, crates: &[ForeignCrate]) -> Vec<String> {
    let mut problems = Vec::new();
    let mut by_name: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for found in crates {
        let id = format!("{}@{}", found.name, found.version);
        if !found.source.starts_with("registry+") {
            problems.push(format!(
                "{id}: comes from {}, not from the registry",
                found.source
            ));
        }
        if !is_allowed(rules, &found.license) {
            problems.push(format!(
                "{id}: licence '{}' is not in {RULES}",
                found.license
            ));
        }
        by_name.entry(&found.name).or_default().push(id);
    }
    let mut excused = BTreeSet::new();
    for (name, mut ids) in by_name {
        if ids.len() < 2 {
            continue;
        }
        ids.retain(|id| !(rules.doubles.contains(id) && excused.insert(id.clone())));
        if ids.len() > 1 {
            problems.push(format!(
                "{name}: several versions ({}), and {RULES} gives no reason",
                ids.join(", ")
            ));
        }
    }
    let gone = rules.doubles.iter().filter(|id| !excused.contains(*id));
    problems.extend(gone.map(|id| format!("{id}: {RULES} excuses it, but it is not there twice")));
    problems
}

fn is_allowed(rules: &Rules, license: &str) -> bool {
    let allowed = |request: &LicenseReq| rules.licenses.contains(&request.to_string());
    Expression::parse_mode(license, ParseMode::LAX)
        .is_ok_and(|expression| expression.evaluate(allowed))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
        [licenses]
        allow = ["MIT", "Apache-2.0"]
        [bans]
        skip = [{ crate = "a@1.0.0", reason = "b" }]
    "#;

    fn found(name: &str, version: &str, license: &str) -> ForeignCrate {
        ForeignCrate {
            name: name.to_owned(),
            version: version.to_owned(),
            source: "registry+https://registry.example".to_owned(),
            license: license.to_owned(),
        }
    }

    #[test]
    fn what_is_allowed_passes() {
        let crates = [
            found("a", "1.0.0", "MIT/Apache-2.0"),
            found("a", "2.0.0", "MIT OR GPL-3.0"),
            found("b", "1.0.0", "(MIT OR GPL-3.0) AND Apache-2.0"),
        ];
        assert_eq!(problems(&read(TEXT).unwrap(), &crates), [""; 0]);
    }

    #[test]
    fn licences_sources_and_doubles_are_told() {
        let elsewhere = ForeignCrate {
            source: "git+https://somewhere.example".to_owned(),
            ..found("c", "1.0.0", "MIT AND GPL-3.0")
        };
        let crates = [
            found("b", "1.0.0", "MIT"),
            found("b", "2.0.0", "MIT"),
            elsewhere,
            found("d", "1.0.0", ""),
        ];
        let told = problems(&read(TEXT).unwrap(), &crates).join("\n");
        for part in [
            "c@1.0.0: comes from git+",
            "c@1.0.0: licence 'MIT AND GPL-3.0'",
            "d@1.0.0: licence ''",
            "b: several versions (b@1.0.0, b@2.0.0)",
            "a@1.0.0: deny.toml excuses it",
        ] {
            assert!(told.contains(part), "{part} in {told}");
        }
    }
}
