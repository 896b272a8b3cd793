//! `recover`: the node was made from another's secret.

use serde_json::{Value, json};

use super::chain::{Next, PATIENCE, Question, result, unknown};
use crate::plugins::host::PluginHost;

const HOOK: &str = "recover";

impl PluginHost {
    /// Lets plugins look for what belongs to a secret, which they get as the operator gave it.
    pub(crate) async fn recovering(&self, secret: &str) {
        let question = Question {
            hook: HOOK,
            patience: Some(PATIENCE),
            payload: json!({ "codex32": secret }),
        };
        let read = |answer: &Value| match result(answer)? {
            "continue" => Ok(Next::<()>::Ask),
            other => Err(unknown(other, "continue")),
        };
        let chain = self.chain(HOOK);
        self.ask_chain(chain, question, |_, _, answer| read(answer))
            .await;
    }
}
