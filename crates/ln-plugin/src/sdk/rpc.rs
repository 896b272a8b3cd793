//! Calling the node back.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ln_rpc::client::{Client, ClientError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::protocol::Configuration;

/// The node's RPC: connections are made when they are needed and kept. Clones share them; any thread may call.
///
/// A call waits for its answer. A handler that calls the node while lightningd waits for the handler (in a hook) must not call what waits
/// for that hook.
#[derive(Debug, Clone)]
pub struct Rpc {
    socket: Arc<PathBuf>,
    idle: Arc<Mutex<Vec<Client>>>,
}

impl Rpc {
    /// The RPC behind a socket.
    pub fn at(socket: impl Into<PathBuf>) -> Self {
        Self {
            socket: Arc::new(socket.into()),
            idle: Arc::default(),
        }
    }

    pub(super) fn of(configuration: &Configuration) -> Self {
        Self::at(Path::new(&configuration.lightning_dir).join(&configuration.rpc_file))
    }

    /// Where the socket is.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// Calls a method; `params` is an object or an array (`&json!({})` for none).
    pub fn call(&self, method: &str, params: &impl Serialize) -> Result<Value, ClientError> {
        let kept = self.lock().pop();
        if let Some(mut client) = kept {
            match client.call(method, params) {
                // It was cut off while nobody used it: nothing was answered and nothing can have been read of an answer.
                Err(ClientError::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
                    self.lock().clear();
                }
                outcome => return self.keep(client, outcome),
            }
        }
        let mut client = Client::connect(&self.socket)?;
        let outcome = client.call(method, params);
        self.keep(client, outcome)
    }

    /// Calls a method and reads its result.
    pub fn call_typed<T: DeserializeOwned>(
        &self,
        method: &str,
        params: &impl Serialize,
    ) -> Result<T, ClientError> {
        let result = self.call(method, params)?;
        serde_json::from_value(result).map_err(|error| ClientError::NotAnAnswer(error.to_string()))
    }

    /// Keeps a connection for the next call if nothing is wrong with it.
    fn keep(
        &self,
        client: Client,
        outcome: Result<Value, ClientError>,
    ) -> Result<Value, ClientError> {
        if matches!(outcome, Ok(_) | Err(ClientError::Rpc(_))) {
            self.lock().push(client);
        }
        outcome
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Client>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
