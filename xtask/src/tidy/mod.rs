//! What the compiler does not check.

mod citations;
mod deny;
mod dependencies;
mod layers;
mod names;
mod purity;
mod sizes;

use std::io::{self, Write as _};

use anyhow::{Result, bail};

use crate::{bolts, cargo, source};

/// Runs all checks, tells everything that is wrong, and fails if anything is.
pub(crate) fn run(show_sections: bool) -> Result<()> {
    let root = cargo::root();
    let packages = cargo::packages()?;
    let sources = source::all(&root)?;
    let sections = bolts::read_sections(&root)?;
    let citations = citations::check(&sources, &sections);
    let mut problems = Vec::new();
    problems.extend(layers::check(&packages));
    problems.extend(purity::check(&root, &packages)?);
    problems.extend(dependencies::check(&root, &packages)?);
    problems.extend(deny::check(&root, &cargo::foreign_crates()?)?);
    problems.extend(names::check(&sources));
    problems.extend(sizes::check(&sources));
    problems.extend(citations.problems);
    let mut out = io::stdout().lock();
    if show_sections {
        writeln!(out, "sections that nothing cites:")?;
        for section in &citations.uncited {
            writeln!(out, "  {section}")?;
        }
    } else {
        writeln!(
            out,
            "{} of {} sections of the BOLTs are cited (`cargo xtask tidy --sections` lists the others)",
            citations.cited,
            citations.uncited.len().saturating_add(citations.cited)
        )?;
    }
    for problem in &problems {
        writeln!(out, "{problem}")?;
    }
    match problems.len() {
        0 => Ok(()),
        1 => bail!("one thing is untidy"),
        count => bail!("{count} things are untidy"),
    }
}
