//! `db_write`: plugins that keep a copy of the database.
//!
//! The database's thread waits for them before each commit; everything else goes on. A plugin that can't say it has a transaction has
//! lost its copy: it is ended, so that it can't pretend, and the node goes on without it. If it is important the node does not go on:
//! what it has not is not committed (ADR 0011).

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::join_all;
use ln_db::CommitWatch;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::chain::{PATIENCE, declared, result};
use crate::plugins::PluginError;
use crate::plugins::excerpt::excerpt;
use crate::plugins::host::PluginHost;
use crate::plugins::process::{PluginProcess, Stage};

pub(in crate::plugins) const HOOK: &str = "db_write";

/// The writing thread's question.
struct Question {
    data_version: u32,
    writes: Vec<String>,
    answer: std::sync::mpsc::Sender<Result<(), String>>,
}

/// The writing thread's way to the plugins.
pub(crate) struct DbWatch {
    wanted: Arc<AtomicBool>,
    questions: mpsc::UnboundedSender<Question>,
}

impl CommitWatch for DbWatch {
    fn is_wanted(&self) -> bool {
        self.wanted.load(Ordering::Acquire)
    }

    fn before_commit(&self, data_version: u32, writes: Vec<String>) -> Result<(), String> {
        let ended =
            || "the node is ending, and with it the plugins that copy the database".to_owned();
        let (answer, answered) = std::sync::mpsc::channel();
        let question = Question {
            data_version,
            writes,
            answer,
        };
        self.questions.send(question).map_err(|_| ended())?;
        answered.recv().map_err(|_| ended())?
    }
}

impl PluginHost {
    /// Who is asked before each commit from now on.
    pub(crate) fn watch_db(self: &Rc<Self>) -> DbWatch {
        let (questions, mut asked) = mpsc::unbounded_channel::<Question>();
        let host = Rc::clone(self);
        tokio::task::spawn_local(async move {
            while let Some(question) = asked.recv().await {
                let answer = host.copy(question.data_version, &question.writes).await;
                drop(question.answer.send(answer));
            }
        });
        DbWatch {
            wanted: Arc::clone(&self.copies_db),
            questions,
        }
    }

    /// Notes whether anybody keeps a copy. While the node ends this stays: what no copy can have any more is not committed.
    pub(in crate::plugins) fn note_copies(&self) {
        if !self.is_closing() {
            let any = !self.copiers().is_empty();
            self.copies_db.store(any, Ordering::Release);
        }
    }

    /// The plugins that keep a copy. They do so before they are told to work.
    pub(in crate::plugins) fn copiers(&self) -> Vec<Rc<PluginProcess>> {
        self.visit(|plugins| {
            let copiers = plugins.iter().filter(|plugin| {
                matches!(plugin.stage(), Stage::Known | Stage::Running)
                    && declared(plugin, HOOK).is_some()
            });
            copiers.cloned().collect()
        })
    }

    /// Gives a transaction to all who keep a copy. An error: it must not be committed.
    async fn copy(&self, data_version: u32, writes: &[String]) -> Result<(), String> {
        let copiers = self.copiers();
        if copiers.is_empty() && self.is_closing() {
            return Err("the plugins that copy the database have ended with the node".to_owned());
        }
        let params = json!({ "data_version": data_version, "writes": writes });
        let params = serde_json::value::to_raw_value(&params).map_err(|error| error.to_string())?;
        let asked = copiers
            .iter()
            .map(|plugin| self.copy_to(plugin, data_version, &params));
        join_all(asked).await.into_iter().collect()
    }

    async fn copy_to(
        &self,
        plugin: &PluginProcess,
        data_version: u32,
        params: &RawValue,
    ) -> Result<(), String> {
        let Err(problem) = self.ask_copier(plugin, data_version, params).await else {
            return Ok(());
        };
        if self.is_ending() {
            return Err(problem);
        }
        if plugin.important.get() {
            let text = format!("{problem}: nothing is committed without it, the node stops");
            self.log().broken(&plugin.origin, text);
            // Its end is the node's.
            plugin.kill();
            return Err(format!("important plugin {} {problem}", plugin.name));
        }
        if plugin.was_told_to_end() {
            return Ok(());
        }
        let text = format!(
            "{problem}: its copy of the database ends here. The plugin is ended, the node goes on without it"
        );
        self.log().broken(&plugin.origin, text);
        plugin.kill();
        Ok(())
    }

    /// Asks one of them. Whoever is important may take as long as it likes; the log says that everybody waits.
    async fn ask_copier(
        &self,
        plugin: &PluginProcess,
        data_version: u32,
        params: &RawValue,
    ) -> Result<(), String> {
        let patience = self
            .config
            .hook_timeouts
            .patience(&plugin.name, HOOK, Some(PATIENCE));
        let mut asked = Box::pin(plugin.call_typed::<Value>(HOOK, params));
        let answer = loop {
            let turn = patience.unwrap_or(PATIENCE);
            match tokio::time::timeout(turn, &mut asked).await {
                Ok(answer) => break answer,
                Err(_) if plugin.important.get() || patience.is_none() => {
                    let text = format!(
                        "has not answered {HOOK} {data_version} for {} seconds: nothing can be committed meanwhile",
                        turn.as_secs()
                    );
                    self.log().broken(&plugin.origin, text);
                }
                Err(_) => {
                    let seconds = turn.as_secs();
                    return Err(format!(
                        "did not answer {HOOK} {data_version} within {seconds} seconds"
                    ));
                }
            }
        };
        match answer {
            Ok(answer) if result(&answer) == Ok("continue") => Ok(()),
            Ok(answer) => Err(format!(
                "answered {HOOK} {data_version} with {}",
                excerpt(&answer.to_string())
            )),
            Err(PluginError::Terminated(_)) => Err(format!(
                "ended while it was asked about {HOOK} {data_version}"
            )),
            Err(error) => Err(format!("failed in {HOOK} {data_version}: {error}")),
        }
    }
}
