//! The manual pages of programs, made from chapters of the book and what the programs say of themselves.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

use crate::cargo;
use crate::roff::Page;

/// How much of a chapter a page has.
enum Part {
    /// All of it, without its title.
    Whole,
    /// All of it, under this section.
    Under(&'static str),
    /// What stands below the heading with this text.
    Below(&'static str),
}

/// One page.
struct Source {
    name: &'static str,
    section: &'static str,
    summary: &'static str,
    synopsis: &'static str,
    /// Chapters below docs/book/src, each with how much of it.
    chapters: &'static [(&'static str, Part)],
    /// The program whose `--help` is the list of options.
    help_of: Option<&'static str>,
    see_also: &'static str,
}

const PAGES: &[Source] = &[
    Source {
        name: "lightningd",
        section: "8",
        summary: "a Lightning Network node",
        synopsis: "lightningd [--conf=FILE] [--lightning-dir=DIR] [--network=NAME] [OPTIONS]",
        chapters: &[
            ("operate/running.md", Part::Whole),
            ("operate/directory.md", Part::Under("FILES")),
        ],
        help_of: None,
        see_also: "lightningd-config(5), lightning-cli(1), lightning-hsmtool(8)",
    },
    Source {
        name: "lightningd-config",
        section: "5",
        summary: "the options of lightningd and its configuration files",
        synopsis: "~/.lightning/config, ~/.lightning/NETWORK/config",
        chapters: &[("operate/options.md", Part::Whole)],
        help_of: Some("lightningd"),
        see_also: "lightningd(8), lightning-listconfigs(7)",
    },
    Source {
        name: "lightning-cli",
        section: "1",
        summary: "sends commands to a running lightningd",
        synopsis: "lightning-cli [OPTIONS] COMMAND [PARAMETERS]",
        chapters: &[("rpc/basics.md", Part::Whole)],
        help_of: Some("lightning-cli"),
        see_also: "lightningd(8), lightning-help(7)",
    },
    Source {
        name: "lightning-hsmtool",
        section: "8",
        summary: "works on a node's hsm_secret",
        synopsis: "lightning-hsmtool METHOD [ARGUMENTS]",
        chapters: &[(
            "operate/tools.md",
            Part::Below("`lightning-hsmtool`: the secret"),
        )],
        help_of: Some("lightning-hsmtool"),
        see_also: "lightningd(8)",
    },
    Source {
        name: "bolt11-cli",
        section: "1",
        summary: "reads and writes Lightning invoices",
        synopsis: "bolt11-cli decode BOLT11, bolt11-cli encode PRIVKEY FIELD=VALUE...",
        chapters: &[("operate/tools.md", Part::Below("`bolt11-cli`: invoices"))],
        help_of: Some("bolt11-cli"),
        see_also: "lightning-cli(1), lightning-decode(7)",
    },
    Source {
        name: "lightning-playground",
        section: "1",
        summary: "any number of Lightning nodes on a private chain, to play with",
        synopsis: "lightning-playground [OPTIONS], lightning-playground demo [--stay]",
        chapters: &[("playground.md", Part::Whole)],
        help_of: Some("lightning-playground"),
        see_also: "lightningd(8), lightning-cli(1), regtest-bitcoind(1)",
    },
    Source {
        name: "regtest-bitcoind",
        section: "1",
        summary: "a private chain with bitcoind's command line and RPC",
        synopsis: "regtest-bitcoind -regtest [OPTIONS], regtest-cli -regtest [OPTIONS] COMMAND [PARAMETERS]",
        chapters: &[("operate/chain.md", Part::Below("A private chain"))],
        help_of: Some("regtest-bitcoind"),
        see_also: "lightningd(8), lightning-playground(1)",
    },
];

/// All of them, by their path below docs/.
pub(crate) fn all() -> Result<BTreeMap<PathBuf, Vec<u8>>> {
    PAGES
        .iter()
        .map(|source| {
            let path = format!("man/{}.{}", source.name, source.section);
            Ok((PathBuf::from(path), render(source)?.into_bytes()))
        })
        .collect()
}

fn render(source: &Source) -> Result<String> {
    let mut page = Page::new(source.name, source.section, source.summary);
    page.section("SYNOPSIS");
    page.markdown(source.synopsis);
    page.section("DESCRIPTION");
    for (chapter, part) in source.chapters {
        let path = cargo::root().join("docs/book/src").join(chapter);
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        match part {
            Part::Whole => page.markdown(&text),
            Part::Under(section) => {
                page.section(section);
                page.markdown(&text);
            }
            Part::Below(title) => {
                let part = part_of(&text, title);
                page.markdown(part.with_context(|| format!("{chapter} has no part '{title}'"))?);
            }
        }
    }
    if let Some(program) = source.help_of {
        page.section("OPTIONS");
        let help = help_of(program)?;
        if program == "lightningd" {
            options(&mut page, &help);
        } else {
            page.verbatim(&help);
        }
    }
    page.section("SEE ALSO");
    page.markdown(source.see_also);
    Ok(page.finish())
}

/// What stands below a heading of the second level.
fn part_of<'a>(text: &'a str, title: &str) -> Option<&'a str> {
    let heading = format!("## {title}\n");
    let (_, rest) = text.split_once(&heading)?;
    Some(rest.split("\n## ").next().unwrap_or(rest))
}

/// Lines of `  --name    what it means`.
fn options(page: &mut Page, help: &str) {
    for line in help.lines() {
        let option = line.trim_start().strip_prefix("--");
        if let Some((name, meaning)) = option.and_then(|option| option.split_once(' ')) {
            page.term(&format!("--{name}"), meaning.trim());
        }
    }
}

fn help_of(program: &str) -> Result<String> {
    let directory = std::env::temp_dir().join("fulgurite-no-such-directory");
    let place = format!("--lightning-dir={}", directory.display());
    let mut words = vec!["--help"];
    // What an operator has configured here does not belong into the manual.
    if program == "lightningd" {
        words.extend(["--network=bitcoin", &place]);
    }
    let output = cargo::output(
        &[
            &[
                "run",
                "--quiet",
                "--package",
                program,
                "--bin",
                program,
                "--",
            ],
            words.as_slice(),
        ]
        .concat(),
    )?;
    ensure!(
        output.status.success(),
        "{program} --help failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).context("--help is no UTF-8")?;
    Ok(text.replace(&directory.display().to_string(), "~/.lightning"))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn man_shows_every_page_without_a_warning() {
        let pages = cargo::root().join("docs/man");
        let mut shown = 0;
        for entry in fs::read_dir(pages).expect("the pages are in the repository") {
            let path = entry.expect("a directory can be read").path();
            let run = Command::new("man")
                .args(["--warnings=w", "--encoding=UTF-8", "--local-file"])
                .arg(&path)
                .output();
            let Ok(output) = run else {
                eprintln!("man is not here: the pages were not tried");
                return;
            };
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(
                output.status.success() && said.is_empty(),
                "{path:?}: {said}"
            );
            shown += 1;
        }
        assert!(shown > PAGES.len());
    }
}
