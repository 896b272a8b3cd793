//! `rpc_command`: what becomes of a client's request.

use ln_rpc::RpcError;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Hook;

/// Asked about each request of a client. Filters name methods; without any, every request of every client waits for this plugin.
pub const RPC_COMMAND: Hook<RpcCommand, RpcCommandAnswer> = Hook::named("rpc_command");

/// What is told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RpcCommand {
    /// The request.
    pub rpc_command: Command,
}

/// A client's request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Command {
    /// Always `2.0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jsonrpc: Option<String>,
    /// The client's id.
    pub id: Value,
    /// The method.
    pub method: String,
    /// Its parameters: an array or an object.
    #[serde(default)]
    pub params: Value,
    /// Which parts of the result are wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<Value>,
}

/// What may be answered. The first plugin that changes a request wins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum RpcCommandAnswer {
    /// Another request takes its place.
    Replace {
        /// That request.
        replace: Replacement,
    },
    /// This is the answer.
    Return {
        /// That answer.
        #[serde(rename = "return")]
        outcome: RpcCommandOutcome,
    },
    /// Go on.
    Continue {
        /// Always `continue`.
        result: String,
    },
}

/// A request in place of another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Replacement {
    /// Always `2.0`.
    pub jsonrpc: String,
    /// The client's id.
    pub id: Value,
    /// The method.
    pub method: String,
    /// Its parameters: an array or an object.
    pub params: Value,
}

/// An answer in place of the node's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RpcCommandOutcome {
    /// It succeeds.
    Result(Value),
    /// It fails.
    Error(CommandError),
}

/// A client's error.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CommandError {
    /// What went wrong, as a number.
    pub code: i32,
    /// What went wrong, for people.
    pub message: String,
    /// More about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
}

impl RpcCommandAnswer {
    /// Nothing to change.
    pub fn go_on() -> Self {
        Self::Continue {
            result: "continue".to_owned(),
        }
    }

    /// Another method, or other parameters, in place of what the client asked.
    pub fn replace(command: Command, method: impl Into<String>, params: Value) -> Self {
        Self::Replace {
            replace: Replacement {
                jsonrpc: "2.0".to_owned(),
                id: command.id,
                method: method.into(),
                params,
            },
        }
    }

    /// The answer, in place of the node's.
    pub fn answer(outcome: Result<Value, RpcError>) -> Self {
        let outcome = match outcome {
            Ok(result) => RpcCommandOutcome::Result(result),
            Err(error) => RpcCommandOutcome::Error(CommandError {
                code: error.code.number(),
                message: error.message,
                data: error.data.map(|data| *data),
            }),
        };
        Self::Return { outcome }
    }
}

impl Default for RpcCommandAnswer {
    fn default() -> Self {
        Self::go_on()
    }
}
