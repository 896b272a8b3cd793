//! The command line.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail, ensure};

use crate::shape::Shape;

/// The most nodes: their coins come from one block's reward, and a machine has to carry them.
pub(crate) const MOST_NODES: usize = 100;

pub(crate) const USAGE: &str = "\
Usage: lightning-playground [OPTIONS]
       lightning-playground demo [--stay] [--keep]
       lightning-playground --clean [--dir DIR]

Starts a private chain and nodes l1, l2, ... that have coins and channels with each other, and a web page on this machine that shows
them. They run until ctrl-c. demo is short for --script talk.

  --nodes N        how many nodes; 2 if left out
  --shape SHAPE    how they are connected: line (if left out), ring, or star, with l1 in the middle
  --script talk    start with nothing and show l1 and l2 connecting, opening a channel, paying and closing it, command by command;
                   then end, or go on if --stay is there
  --stay           leave a shell with the commands l1, l2, ... and btc, and end with it
  --dir DIR        keep everything in this directory, which must be empty or not there; it is a new one for temporary files if left out
  --keep           do not remove the directory at the end
  --port PORT      where the page is; any free port if left out
  --no-page        no page
  --clean          remove what playgrounds left behind that were killed: their processes and directories
  --help           this text

With BITCOIND=/path/to/bitcoind that program runs the chain instead of our own small one.
";

/// What the command line asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Order {
    /// To be told what there is.
    Usage,
    /// Nodes to play with.
    Play(Wishes),
    /// No trace of earlier ones, or of the one in this directory.
    Clean(Option<PathBuf>),
}

/// What kind of playground.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wishes {
    pub(crate) nodes: usize,
    pub(crate) shape: Shape,
    pub(crate) talk: bool,
    pub(crate) stay: bool,
    pub(crate) keep: bool,
    pub(crate) dir: Option<PathBuf>,
    pub(crate) page: Page,
}

/// Whether there is a page, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Page {
    No,
    AnyPort,
    Port(u16),
}

impl Default for Wishes {
    fn default() -> Self {
        Self {
            nodes: 2,
            shape: Shape::Line,
            talk: false,
            stay: false,
            keep: false,
            dir: None,
            page: Page::AnyPort,
        }
    }
}

impl Order {
    /// Reads the words after the program's name.
    pub(crate) fn read(words: &[String]) -> Result<Self> {
        if words.is_empty() {
            return Ok(Self::Usage);
        }
        let mut wishes = Wishes::default();
        let mut clean = false;
        let mut words = words.iter();
        while let Some(word) = words.next() {
            // Both `--nodes 3` and `--nodes=3`.
            let (name, mut inline) = match word.split_once('=') {
                Some((name, value)) if name.starts_with("--") => (name, Some(value.to_owned())),
                _ => (word.as_str(), None),
            };
            let mut value = || {
                let value = inline.take().or_else(|| words.next().cloned());
                value.with_context(|| format!("{name} needs a value"))
            };
            match name {
                "--nodes" => wishes.nodes = nodes(&value()?)?,
                "--shape" => wishes.shape = value()?.parse()?,
                "--script" => match value()?.as_str() {
                    "talk" => wishes.talk = true,
                    other => bail!("there is no script '{other}', only talk"),
                },
                "demo" if !wishes.talk => wishes.talk = true,
                "--dir" => wishes.dir = Some(PathBuf::from(value()?)),
                "--port" => wishes.page = port(&value()?)?,
                "--no-page" => wishes.page = Page::No,
                "--stay" => wishes.stay = true,
                "--keep" => wishes.keep = true,
                "--clean" => clean = true,
                "-h" | "--help" => return Ok(Self::Usage),
                _ => bail!("unknown argument '{word}': see --help"),
            }
            ensure!(inline.is_none(), "{name} takes no value");
        }
        if clean {
            let only = Wishes {
                dir: wishes.dir.clone(),
                ..Wishes::default()
            };
            ensure!(wishes == only, "--clean goes with --dir only");
            return Ok(Self::Clean(wishes.dir));
        }
        ensure!(
            !wishes.talk || wishes.nodes >= 2,
            "the talk needs two nodes"
        );
        Ok(Self::Play(wishes))
    }
}

fn nodes(text: &str) -> Result<usize> {
    let count: usize = text
        .parse()
        .ok()
        .with_context(|| format!("--nodes takes a number from 1 to {MOST_NODES}, not '{text}'"))?;
    ensure!(
        (1..=MOST_NODES).contains(&count),
        "--nodes takes a number from 1 to {MOST_NODES}, not {count}"
    );
    Ok(count)
}

fn port(text: &str) -> Result<Page> {
    let port: u16 = text
        .parse()
        .ok()
        .with_context(|| format!("--port takes a number from 0 to 65535, not '{text}'"))?;
    Ok(if port == 0 {
        Page::AnyPort
    } else {
        Page::Port(port)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Order> {
        let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        Order::read(&words)
    }

    #[test]
    fn the_command_line_is_read() {
        let talk = Wishes {
            talk: true,
            ..Wishes::default()
        };
        assert_eq!(read("demo").unwrap(), Order::Play(talk.clone()));
        assert_eq!(read("--script talk").unwrap(), Order::Play(talk.clone()));
        let all = Wishes {
            stay: true,
            keep: true,
            ..talk
        };
        assert_eq!(read("demo --stay --keep").unwrap(), Order::Play(all));
        assert_eq!(read("").unwrap(), Order::Usage);
        assert_eq!(read("demo --help").unwrap(), Order::Usage);
        let ring = Wishes {
            nodes: 30,
            shape: Shape::Ring,
            page: Page::Port(8080),
            dir: Some("/x".into()),
            ..Wishes::default()
        };
        assert_eq!(
            read("--nodes=30 --shape ring --port 8080 --dir /x").unwrap(),
            Order::Play(ring)
        );
        assert_eq!(read("--clean").unwrap(), Order::Clean(None));
        assert_eq!(
            read("--dir /x --clean").unwrap(),
            Order::Clean(Some("/x".into()))
        );
    }

    #[test]
    fn nonsense_is_refused_with_what_would_do() {
        for (words, part) in [
            ("--nodes 0", "from 1 to 100, not 0"),
            ("--nodes 101", "from 1 to 100, not 101"),
            ("--nodes many", "not 'many'"),
            ("--nodes -3", "not '-3'"),
            ("--nodes 99999999999999999999999", "from 1 to 100"),
            ("--nodes", "needs a value"),
            ("--shape cube", "line, ring or star"),
            ("--script dance", "only talk"),
            ("--nodes 1 --script talk", "two nodes"),
            ("--port 70000", "not '70000'"),
            ("--stay=yes", "takes no value"),
            ("--clean --nodes 3", "goes with --dir only"),
            ("demo demo", "unknown argument 'demo'"),
            ("--fast", "unknown argument '--fast'"),
        ] {
            let error = read(words).unwrap_err().to_string();
            assert!(error.contains(part), "{words}: {error}");
        }
    }
}
