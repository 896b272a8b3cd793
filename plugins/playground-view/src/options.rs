//! The options.

use std::path::{Path, PathBuf};

use ln_plugin::{Init, Plugin, PluginOption};

use crate::View;

const PORT: PluginOption<i64> = PluginOption::new(
    "playground-view-port",
    "the port of the page on this machine; any free one if it is 0",
)
.with_default("0");
const NODES: PluginOption<Vec<String>> = PluginOption::new(
    "playground-view-node",
    "a node to draw, as NAME=PATH of its RPC socket; this node if there is none",
);

/// A node to draw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Source {
    /// What it is called; its alias if there is no name.
    pub(crate) name: Option<String>,
    /// Where it answers.
    pub(crate) socket: PathBuf,
}

/// The options as they are set.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) port: u16,
    pub(crate) nodes: Vec<Source>,
}

pub(crate) fn declare(plugin: Plugin<View>) -> Plugin<View> {
    plugin.option(&PORT).option(&NODES)
}

/// Reads them; a text says which one is wrong.
pub(crate) fn read(init: &Init) -> Result<Options, String> {
    let port = init.option(&PORT).unwrap_or_default();
    let port = u16::try_from(port)
        .map_err(|_| format!("playground-view-port must be a port, not {port}"))?;
    let given = init.option(&NODES).unwrap_or_default();
    let mut nodes = given
        .iter()
        .map(|text| source(text))
        .collect::<Result<Vec<_>, String>>()?;
    if nodes.is_empty() {
        let own = init.configuration();
        nodes.push(Source {
            name: None,
            socket: Path::new(&own.lightning_dir).join(&own.rpc_file),
        });
    }
    Ok(Options { port, nodes })
}

fn source(text: &str) -> Result<Source, String> {
    match text.split_once('=') {
        Some((name, path)) if !name.is_empty() && !path.is_empty() => Ok(Source {
            name: Some(name.to_owned()),
            socket: PathBuf::from(path),
        }),
        _ => Err(format!(
            "playground-view-node takes NAME=PATH, not '{text}'"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_has_a_name_and_a_path() {
        let good = source("l1=/tmp/a=b/lightning-rpc").unwrap();
        assert_eq!(good.name.as_deref(), Some("l1"));
        assert_eq!(good.socket, Path::new("/tmp/a=b/lightning-rpc"));
        for bad in ["", "l1", "=x", "l1="] {
            assert!(source(bad).is_err(), "{bad}");
        }
    }
}
