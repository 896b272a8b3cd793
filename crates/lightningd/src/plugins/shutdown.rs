//! The end of plugins when the node ends.

use std::rc::Rc;
use std::time::Duration;

use futures_util::future::join_all;
use ln_plugin::protocol::Manifest;
use serde_json::json;

use super::host::PluginHost;
use super::process::PluginProcess;
use super::topics::SHUTDOWN;

/// How long a plugin that wants to know of the end may take to end.
const GRACE: Duration = Duration::from_secs(30);

impl PluginHost {
    /// Ends all plugins: those that subscribed to `shutdown` have some time, the others have none. Those that keep a copy of the
    /// database are the last, after `flushed`: whatever was queued to be written.
    pub(crate) async fn shut_down(&self, flushed: impl Future<Output = ()>) {
        self.closing();
        let beside = self.visit_beside(|all| all.clone());
        for process in &beside {
            process.kill();
        }
        let copiers = self.copiers();
        let copies = |plugin: &Rc<PluginProcess>| copiers.iter().any(|one| Rc::ptr_eq(one, plugin));
        let mut plugins = self.visit(<[Rc<PluginProcess>]>::to_vec);
        plugins.retain(|plugin| !copies(plugin));
        join_all(plugins.iter().map(|plugin| self.end(plugin))).await;
        flushed.await;
        join_all(copiers.iter().map(|plugin| self.end(plugin))).await;
        join_all(beside.iter().map(|process| process.wait_ended())).await;
    }

    /// Ends one plugin and waits until it has ended.
    pub(super) async fn end(&self, plugin: &PluginProcess) {
        if plugin.manifest().is_some_and(wants_to_know) {
            // One that does as it is told has not failed, and is not started again.
            plugin.may_end();
            plugin.tell(self.log(), SHUTDOWN, &json!({ "shutdown": {} }));
            let ended = tokio::time::timeout(GRACE, plugin.wait_ended()).await;
            if ended.is_err() {
                let text = format!("did not end within {} seconds: killed", GRACE.as_secs());
                self.log().unusual(&plugin.origin, text);
            }
        }
        plugin.kill();
        plugin.wait_ended().await;
    }
}

/// Whether a plugin hears of the end: by its name, or because it hears of everything.
fn wants_to_know(manifest: &Manifest) -> bool {
    let mut topics = manifest.subscriptions.iter();
    topics.any(|wanted| wanted == SHUTDOWN || wanted == "*")
}
