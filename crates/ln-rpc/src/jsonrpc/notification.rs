//! What a connection is told while a command runs, once it switched notifications on.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// How much a log line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// Bytes in and out.
    Io,
    /// Every step.
    Trace,
    /// What helps to find a bug.
    Debug,
    /// What an operator may want to know.
    Info,
    /// What an operator should look at.
    Unusual,
    /// A bug or a fault.
    Broken,
}

impl LogLevel {
    /// All levels, from the most talkative.
    pub const ALL: [Self; 6] = [
        Self::Io,
        Self::Trace,
        Self::Debug,
        Self::Info,
        Self::Unusual,
        Self::Broken,
    ];

    /// The name users type.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Io => "io",
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Unusual => "unusual",
            Self::Broken => "broken",
        }
    }

    /// The level with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.name() == name)
    }
}

/// Which of several parts of a long work is going on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stage {
    /// Counted from 0.
    pub num: u32,
    /// How many there are.
    pub total: u32,
}

#[derive(Serialize)]
struct Notification<'a, P> {
    jsonrpc: &'static str,
    method: &'a str,
    params: P,
}

fn write(out: &mut Vec<u8>, method: &str, params: impl Serialize) {
    let before = out.len();
    let notification = Notification {
        jsonrpc: "2.0",
        method,
        params,
    };
    match serde_json::to_writer(&mut *out, &notification) {
        Ok(()) => out.extend_from_slice(b"\n\n"),
        Err(_) => out.truncate(before),
    }
}

/// Appends a `message` about the command with this id.
pub fn write_message(out: &mut Vec<u8>, id: &RawValue, level: LogLevel, message: &str) {
    #[derive(Serialize)]
    #[expect(clippy::struct_field_names, reason = "the wire has this name")]
    struct Message<'a> {
        id: &'a RawValue,
        level: LogLevel,
        message: &'a str,
    }
    write(out, "message", Message { id, level, message });
}

/// Appends a `progress`: step `num` (from 0) of `total`.
pub fn write_progress(
    out: &mut Vec<u8>,
    id: &RawValue,
    num: u32,
    total: u32,
    stage: Option<Stage>,
) {
    #[derive(Serialize)]
    struct Progress<'a> {
        id: &'a RawValue,
        num: u32,
        total: u32,
        #[serde(skip_serializing_if = "Option::is_none")]
        stage: Option<Stage>,
    }
    let params = Progress {
        id,
        num,
        total,
        stage,
    };
    write(out, "progress", params);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notifications_carry_the_id_of_their_command() {
        let id: &RawValue = serde_json::from_str("7").unwrap();
        let mut out = Vec::new();
        write_message(&mut out, id, LogLevel::Unusual, "hm");
        write_progress(&mut out, id, 1, 3, Some(Stage { num: 0, total: 2 }));
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "{\"jsonrpc\":\"2.0\",\"method\":\"message\",\"params\":{\"id\":7,\"level\":\"unusual\",\"message\":\"hm\"}}\n\n\
             {\"jsonrpc\":\"2.0\",\"method\":\"progress\",\"params\":{\"id\":7,\"num\":1,\"total\":3,\"stage\":{\"num\":0,\"total\":2}}}\n\n"
        );
    }
}
