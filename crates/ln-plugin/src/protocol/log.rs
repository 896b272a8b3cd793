//! What a plugin sends unasked.

use ln_rpc::jsonrpc::{LogLevel, Stage};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

/// `log`: lines for the node's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogParams {
    /// How much they matter.
    #[serde(default = "info", deserialize_with = "level")]
    pub level: LogLevel,
    /// The text; each line becomes an entry.
    pub message: String,
    /// Whether it tells of a panic: what happened on the first line, the backtrace on those after it, each behind `backtrace: `. Only the kit says
    /// so, and only Fulgurite looks at it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub panic: bool,
}

/// `message`: a line for the client whose request this is about.
#[derive(Debug, Clone, Deserialize)]
pub struct MessageParams {
    /// The request's id as lightningd gave it.
    pub id: Box<RawValue>,
    /// How much it matters.
    #[serde(default = "info", deserialize_with = "level")]
    pub level: LogLevel,
    /// The text.
    pub message: String,
}

/// `progress`: how far a request is; forwarded as it came, but for the id.
#[derive(Debug, Clone, Deserialize)]
pub struct ProgressParams {
    /// The request's id as lightningd gave it.
    pub id: Box<RawValue>,
    /// The step, from 0.
    pub num: u32,
    /// How many steps there are.
    pub total: u32,
    /// The part of a longer work, `{num, total}`.
    #[serde(default)]
    pub stage: Option<Stage>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_false(value: &bool) -> bool {
    !*value
}

fn info() -> LogLevel {
    LogLevel::Info
}

/// Plugins may say `warn` and `error`; an unknown word counts as unusual, so that nothing is lost.
fn level<'de, D: Deserializer<'de>>(from: D) -> Result<LogLevel, D::Error> {
    let text = String::deserialize(from)?;
    Ok(match text.as_str() {
        "warn" => LogLevel::Unusual,
        "error" => LogLevel::Broken,
        other => LogLevel::from_name(other).unwrap_or(LogLevel::Unusual),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_have_second_names_and_a_default() {
        let level = |text: &str| serde_json::from_str::<LogParams>(text).unwrap().level;
        assert_eq!(level(r#"{"message":"x"}"#), LogLevel::Info);
        assert_eq!(
            level(r#"{"level":"warn","message":"x"}"#),
            LogLevel::Unusual
        );
        assert_eq!(
            level(r#"{"level":"error","message":"x"}"#),
            LogLevel::Broken
        );
        assert_eq!(level(r#"{"level":"trace","message":"x"}"#), LogLevel::Trace);
    }
}
