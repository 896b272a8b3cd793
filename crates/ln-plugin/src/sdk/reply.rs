//! Answering a request, at once or later.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use ln_rpc::jsonrpc::{
    LogLevel, Stage, write_error, write_message, write_progress, write_raw_result,
};
use ln_rpc::{RpcError, RpcErrorCode};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use super::Log;

/// Whoever waits for the answer to a request: can be told how it goes. Cheap to clone.
#[derive(Clone)]
pub struct Asker {
    id: Arc<RawValue>,
    log: Log,
}

impl fmt::Debug for Asker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Asker({})", self.id)
    }
}

impl Asker {
    pub(super) fn new(id: &RawValue, log: &Log) -> Self {
        Self {
            id: id.to_owned().into(),
            log: log.clone(),
        }
    }

    /// The request's id, as JSON: with the one before the slash the client asked the node.
    pub fn id(&self) -> &RawValue {
        &self.id
    }

    /// The way to the node's log.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// Shows a line to the client whose request this is; `lightning-cli` prints it.
    pub fn message(&self, level: LogLevel, text: &str) {
        let mut out = Vec::new();
        write_message(&mut out, &self.id, level, text);
        self.log.send(&out);
    }

    /// Tells the client that step `number` (from 0) of `total` begins, perhaps of a part of the work.
    pub fn progress(&self, number: u32, total: u32, stage: Option<Stage>) {
        let mut out = Vec::new();
        write_progress(&mut out, &self.id, number, total, stage);
        self.log.send(&out);
    }
}

/// One request's answer: given once, or an error when this goes away without one.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) asker: Asker,
    is_given: bool,
}

impl Reply {
    pub(super) fn new(asker: Asker) -> Self {
        Self {
            asker,
            is_given: false,
        }
    }

    pub(super) fn give<R: Serialize>(mut self, outcome: Result<R, RpcError>) {
        let written = outcome.and_then(|result| {
            to_raw_value(&result)
                .map_err(|error| RpcError::lightningd(format!("the result is no JSON: {error}")))
        });
        self.write(written);
    }

    fn write(&mut self, outcome: Result<Box<RawValue>, RpcError>) {
        self.is_given = true;
        let mut out = Vec::new();
        match outcome {
            Ok(result) => write_raw_result(&mut out, &self.asker.id, &result),
            Err(error) => write_error(&mut out, Some(self.asker.id.get()), &error),
        }
        self.asker.log.send(&out);
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        if !self.is_given {
            let text = "the plugin's handler ended without an answer";
            self.write(Err(RpcError::new(RpcErrorCode::PluginError, text)));
        }
    }
}

/// What a handler answers with when it is ready: from any thread, whenever it likes. No thread waits meanwhile, so a plugin may hold
/// thousands.
///
/// One that is dropped unused answers with an error.
#[derive(Debug)]
#[must_use = "dropped unused it answers with an error"]
pub struct Responder<R> {
    reply: Reply,
    result: PhantomData<fn(R)>,
}

impl<R: Serialize> Responder<R> {
    pub(super) fn new(reply: Reply) -> Self {
        Self {
            reply,
            result: PhantomData,
        }
    }

    /// Whoever waits.
    pub fn asker(&self) -> &Asker {
        &self.reply.asker
    }

    /// Answers.
    pub fn answer(self, result: R) {
        self.reply.give(Ok(result));
    }

    /// Answers with an error. lightningd goes on after an error to a hook as if the plugin had not been asked; Core Lightning ends.
    pub fn fail(self, error: RpcError) {
        self.reply.give::<R>(Err(error));
    }

    /// Answers either way.
    pub fn finish(self, outcome: Result<R, RpcError>) {
        self.reply.give(outcome);
    }
}
