//! `dev-plugin-autoreload`: plugins are reloaded when their files change.

use std::collections::HashMap;
use std::fs;
use std::rc::{Rc, Weak};
use std::time::{Duration, SystemTime};

use super::host::HostConfig;
use super::host::PluginHost;
use super::process::PluginProcess;
use super::reload::Reload;

/// How often files are looked at.
const PAUSE: Duration = Duration::from_secs(1);

/// What can be told of a file without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Look {
    modified: Option<SystemTime>,
    len: u64,
}

impl Look {
    fn at(path: &str) -> Option<Self> {
        let metadata = fs::metadata(path).ok()?;
        Some(Self {
            modified: metadata.modified().ok(),
            len: metadata.len(),
        })
    }
}

/// What was seen of the files of plugins.
#[derive(Debug, Default)]
struct Seen {
    /// The last look at each, and whether it is known what it means.
    looks: HashMap<Rc<str>, (Look, bool)>,
    /// What the files held that could not be used.
    refused: HashMap<Rc<str>, u64>,
}

impl Seen {
    /// Whether a file looks otherwise than before and has been left alone since: whoever writes it is done.
    fn is_settled(&mut self, path: &Rc<str>) -> bool {
        let Some(look) = Look::at(path) else {
            return false;
        };
        let before = self.looks.get(path).copied();
        let same = before.is_some_and(|(before, _)| before == look);
        self.looks.insert(Rc::clone(path), (look, same));
        same && before.is_some_and(|(_, known)| !known)
    }

    /// The checksum of a plugin's file, if it holds something new.
    fn news(&mut self, config: &HostConfig, plugin: &PluginProcess) -> Option<u64> {
        if plugin.builtin || !plugin.is_running() || !self.is_settled(&plugin.path) {
            return None;
        }
        let sum = config.checksum(&plugin.path);
        let refused = self.refused.get(&plugin.path) == Some(&sum);
        (sum != plugin.checksum && !refused).then_some(sum)
    }
}

/// Reloads plugins whose files change, for as long as the node runs.
pub(super) async fn watch_files(host: Weak<PluginHost>) {
    let mut seen = Seen::default();
    loop {
        tokio::time::sleep(PAUSE).await;
        let Some(host) = host.upgrade() else { return };
        let Some(node) = host.node() else { return };
        if host.is_ending() {
            return;
        }
        for absent in host.absent() {
            if seen.is_settled(&absent.path) {
                absent.hurry();
            }
        }
        for plugin in host.all() {
            let Some(sum) = seen.news(&host.config, &plugin) else {
                continue;
            };
            let log = host.log();
            log.info(&plugin.origin, "its file has changed: reloading it");
            let settings = node.settings();
            let outcome = host.reload(&plugin, Reload::default(), &settings);
            if let Err(problem) = outcome.await {
                seen.refused.insert(Rc::clone(&plugin.path), sum);
                log.unusual(&plugin.origin, &*problem.message);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_once_it_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("plugin");
        let path: Rc<str> = file.to_string_lossy().into();
        let mut seen = Seen::default();
        assert!(!seen.is_settled(&path));
        fs::write(&file, "1").unwrap();
        assert!(!seen.is_settled(&path));
        assert!(seen.is_settled(&path));
        assert!(!seen.is_settled(&path));
        fs::write(&file, "12").unwrap();
        assert!(!seen.is_settled(&path));
        fs::write(&file, "123").unwrap();
        assert!(!seen.is_settled(&path));
        assert!(seen.is_settled(&path));
        assert!(!seen.is_settled(&path));
    }
}
