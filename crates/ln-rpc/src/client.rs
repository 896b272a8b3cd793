//! A small blocking client over the node's unix socket, for `lightning-cli` and for tests.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::RpcError;
use crate::jsonrpc::{LogLevel, SplitError, Splitter, Stage};

/// The longest path a socket address holds, with its end.
const MAX_SOCKET_PATH: usize = 107;
/// How much a reply may hold: lists of a large node are long.
const MAX_REPLY: usize = 2 * 1024 * 1024 * 1024;
/// How much is read at once.
const READ_CHUNK: usize = 64 * 1024;

/// Why a call has no result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The node answered with an error.
    #[error("{0}")]
    Rpc(RpcError),
    /// The socket failed.
    #[error("the connection to the node failed")]
    Io(#[from] io::Error),
    /// The connection ended before the answer.
    #[error("the node closed the connection before it answered")]
    Closed,
    /// The answer is no JSON text.
    #[error("the answer can't be read")]
    Garbage(#[from] SplitError),
    /// The answer is JSON, but no answer.
    #[error("not an answer to the request: {0}")]
    NotAnAnswer(String),
}

/// What the node tells while a command runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notification {
    /// A line for people.
    Message {
        /// How much it matters.
        level: LogLevel,
        /// What it says.
        message: String,
    },
    /// How far the work is.
    Progress {
        /// The step, counted from 0.
        num: u32,
        /// How many steps there are.
        total: u32,
        /// The part of the work these steps belong to.
        stage: Option<Stage>,
    },
}

/// A call to be made.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// The method.
    pub method: &'a str,
    /// Its parameters: an array or an object.
    pub params: &'a RawValue,
    /// The shape to cut the result to.
    pub filter: Option<&'a RawValue>,
    /// The id, which shows up in the node's log.
    pub id: &'a str,
}

/// An answer as the node wrote it.
#[derive(Debug, Clone)]
pub enum Answer {
    /// The method succeeded.
    Result(Box<RawValue>),
    /// It failed.
    Error(Box<RawValue>),
}

#[derive(Serialize)]
struct RequestText<'a> {
    jsonrpc: &'static str,
    id: &'a str,
    method: &'a str,
    params: &'a RawValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    filter: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct AnswerText<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    method: Option<&'a RawValue>,
    #[serde(borrow)]
    params: Option<&'a RawValue>,
    #[serde(borrow)]
    result: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct NotificationText {
    level: Option<String>,
    message: Option<String>,
    num: Option<u32>,
    total: Option<u32>,
    stage: Option<StageText>,
}

#[derive(Deserialize)]
struct StageText {
    num: u32,
    total: u32,
}

/// A connection to a node.
#[derive(Debug)]
pub struct Client {
    stream: UnixStream,
    splitter: Splitter,
    next_id: u64,
}

/// Connects to a socket however long its path is.
fn connect(path: &Path) -> io::Result<UnixStream> {
    if path.as_os_str().len() <= MAX_SOCKET_PATH {
        return UnixStream::connect(path);
    }
    let (Some(directory), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    // The kernel takes the directory by descriptor, whose name is short.
    let directory = File::open(directory)?;
    let link = format!("/proc/self/fd/{}", directory.as_raw_fd());
    UnixStream::connect(Path::new(&link).join(name))
}

impl Client {
    /// Connects to the socket at `path`.
    pub fn connect(path: &Path) -> io::Result<Self> {
        connect(path).map(Self::from_stream)
    }

    /// Uses a connection that is already made.
    pub fn from_stream(stream: UnixStream) -> Self {
        Self {
            stream,
            splitter: Splitter::with_limit(MAX_REPLY),
            next_id: 1,
        }
    }

    /// How long to wait for bytes before a call fails with [`ClientError::Io`]; for ever if `None`, as commands may take long.
    pub fn set_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.stream.set_read_timeout(timeout)?;
        self.stream.set_write_timeout(timeout)
    }

    /// Calls a method and waits for its result. Notifications are dropped.
    pub fn call(&mut self, method: &str, params: &impl Serialize) -> Result<Value, ClientError> {
        let params = serde_json::value::to_raw_value(params)
            .map_err(|error| ClientError::NotAnAnswer(error.to_string()))?;
        let id = format!("{method}#{}", self.next_id);
        self.next_id = self.next_id.wrapping_add(1);
        let call = Call {
            method,
            params: &params,
            filter: None,
            id: &id,
        };
        let read = |raw: &RawValue| {
            serde_json::from_str(raw.get())
                .map_err(|error| ClientError::NotAnAnswer(error.to_string()))
        };
        match self.call_raw(call, |_| {})? {
            Answer::Result(result) => read(&result),
            Answer::Error(error) => Err(ClientError::Rpc(RpcError::from_value(&read(&error)?))),
        }
    }

    /// Calls a method and waits for its answer as the node wrote it; `notified` gets what the node tells meanwhile.
    pub fn call_raw(
        &mut self,
        call: Call<'_>,
        mut notified: impl FnMut(Notification),
    ) -> Result<Answer, ClientError> {
        let request = RequestText {
            jsonrpc: "2.0",
            id: call.id,
            method: call.method,
            params: call.params,
            filter: call.filter,
        };
        let mut text = serde_json::to_vec(&request).map_err(io::Error::from)?;
        text.extend_from_slice(b"\n\n");
        self.stream.write_all(&text)?;
        loop {
            let text = self.read_text()?;
            let answer: AnswerText<'_> = serde_json::from_str(&text)
                .map_err(|error| ClientError::NotAnAnswer(error.to_string()))?;
            if answer.method.is_some() {
                if let Some(notification) = answer.notification() {
                    notified(notification);
                }
                continue;
            }
            return answer
                .into_answer(call.id)
                .ok_or(ClientError::NotAnAnswer(text));
        }
    }

    /// Waits for the next whole text.
    fn read_text(&mut self) -> Result<String, ClientError> {
        let mut chunk = vec![0; READ_CHUNK];
        loop {
            if let Some(text) = self.splitter.next_text()? {
                return Ok(text.to_owned());
            }
            let count = match self.stream.read(&mut chunk) {
                Ok(0) => return Err(ClientError::Closed),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error.into()),
            };
            self.splitter.push(chunk.get(..count).unwrap_or_default());
        }
    }
}

impl AnswerText<'_> {
    /// The answer this is, if it is one to the request with this id. An error may come without an id: then the node could not read
    /// the request.
    fn into_answer(self, id: &str) -> Option<Answer> {
        let given: Option<String> = self
            .id
            .map(|given| serde_json::from_str(given.get()).unwrap_or_default());
        let ours = given.as_deref() == Some(id);
        match (self.error, self.result) {
            (Some(error), _) if ours || given.is_none() => Some(Answer::Error(error.to_owned())),
            (None, Some(result)) if ours => Some(Answer::Result(result.to_owned())),
            _ => None,
        }
    }

    /// The notification this is, if it is one we know.
    fn notification(&self) -> Option<Notification> {
        let params: NotificationText = serde_json::from_str(self.params?.get()).ok()?;
        match self.method?.get() {
            "\"message\"" => Some(Notification::Message {
                level: LogLevel::from_name(params.level.as_deref()?)?,
                message: params.message?,
            }),
            "\"progress\"" => Some(Notification::Progress {
                num: params.num?,
                total: params.total?,
                stage: params.stage.map(|stage| Stage {
                    num: stage.num,
                    total: stage.total,
                }),
            }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use serde_json::json;

    use super::*;

    /// Answers the requests of one connection with these texts, one for each request.
    fn serve(mut stream: UnixStream, answers: Vec<String>) -> thread::JoinHandle<Vec<Value>> {
        thread::spawn(move || {
            let mut splitter = Splitter::new();
            let mut requests = Vec::new();
            let mut chunk = [0; 1000];
            for answer in answers {
                let text = loop {
                    if let Some(text) = splitter.next_text().unwrap() {
                        break text;
                    }
                    let count = stream.read(&mut chunk).unwrap();
                    splitter.push(&chunk[..count]);
                };
                requests.push(serde_json::from_str(text).unwrap());
                stream.write_all(answer.as_bytes()).unwrap();
            }
            requests
        })
    }

    #[test]
    fn results_errors_and_notifications_arrive() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let server = serve(
            theirs,
            vec![
                r#"{"jsonrpc":"2.0","method":"message","params":{"id":"x","level":"info","message":"hi"}}

{"jsonrpc":"2.0","id":"x","result":{"a":1.50}}"#
                    .to_owned(),
                r#"{"jsonrpc":"2.0","id":"no#1","error":{"code":205,"message":"no route"}}"#
                    .to_owned(),
                r#"{"jsonrpc":"2.0","id":"other","result":{}}"#.to_owned(),
            ],
        );
        let mut client = Client::from_stream(ours);
        let params: Box<RawValue> = serde_json::from_str("[1]").unwrap();
        let call = Call {
            method: "m",
            params: &params,
            filter: Some(&params),
            id: "x",
        };
        let mut told = Vec::new();
        let answer = client.call_raw(call, |note| told.push(note)).unwrap();
        let Answer::Result(result) = answer else {
            panic!("a result was sent");
        };
        assert_eq!(result.get(), r#"{"a":1.50}"#);
        assert_eq!(
            told,
            [Notification::Message {
                level: LogLevel::Info,
                message: "hi".to_owned()
            }]
        );
        let Err(ClientError::Rpc(error)) = client.call("no", &json!({})) else {
            panic!("an error was sent");
        };
        assert_eq!(error.code.number(), 205);
        let wrong = client.call("id", &json!([]));
        assert!(matches!(wrong, Err(ClientError::NotAnAnswer(_))));
        assert!(matches!(
            client.call("gone", &json!([])),
            Err(ClientError::Closed | ClientError::Io(_))
        ));
        let requests = server.join().unwrap();
        assert_eq!(
            requests[0],
            json!({"jsonrpc": "2.0", "id": "x", "method": "m", "params": [1], "filter": [1]})
        );
    }

    #[test]
    fn garbage_is_not_an_answer() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        theirs.write_all(b"HTTP/1.1 400 Bad Request").unwrap();
        let mut client = Client::from_stream(ours);
        assert!(matches!(
            client.call("m", &json!([])),
            Err(ClientError::Garbage(SplitError::Garbage(b'H')))
        ));
    }
}
