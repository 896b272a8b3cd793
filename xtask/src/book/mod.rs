//! The book: its links are followed, and mdbook makes pages for a browser of it.

mod links;
mod render;

use std::io::{self, Write as _};
use std::path::Path;

use anyhow::{Result, bail};

pub(crate) use render::{is_at_hand, render};

use crate::cargo;

/// `cargo xtask book`
pub(crate) fn run(arguments: &[&str]) -> Result<()> {
    let only_check = match arguments {
        [] => false,
        ["--check"] => true,
        _ => bail!("book takes --check, not '{}'", arguments.join(" ")),
    };
    let followed = links::check(&cargo::root())?;
    writeln!(io::stdout(), "{followed} links lead somewhere")?;
    if !only_check {
        let place = cargo::target_directory()?.join("book");
        render(&place)?;
        writeln!(io::stdout(), "{}", index(&place).display())?;
    }
    Ok(())
}

fn index(place: &Path) -> std::path::PathBuf {
    place.join("index.html")
}
