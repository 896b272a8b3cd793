//! A bitcoind that says what the test wants, and lightningd's end of the plugin.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, PipeReader, PipeWriter, Read, Write, pipe};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ln_plugin::protocol::{Message, write_request};
use ln_rpc::RpcError;
use ln_rpc::jsonrpc::Splitter;
use serde_json::{Value, json};

/// What the server does with one request.
pub(crate) enum Act {
    /// Answers with a result.
    Result(Value),
    /// Answers with an error, as bitcoind does: HTTP 500.
    Error(i64, &'static str),
    /// Answers with these bytes and keeps the connection.
    Raw(String),
    /// Answers with these bytes and closes.
    RawAndClose(String),
    /// Closes without an answer.
    Close,
    /// Answers, then closes the connection while it is idle.
    ResultAndClose(Value),
    /// Never answers.
    Hang,
}

/// One request as it came.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Seen {
    /// Counted from 0.
    pub(crate) connection: usize,
    pub(crate) authorization: String,
    pub(crate) method: String,
    pub(crate) params: Value,
}

#[derive(Default)]
struct Script {
    acts: VecDeque<Act>,
    seen: Vec<Seen>,
    hanging: Vec<TcpStream>,
}

/// A scripted bitcoind.
pub(crate) struct FakeBitcoind {
    pub(crate) port: u16,
    script: Arc<Mutex<Script>>,
}

impl FakeBitcoind {
    /// Listens; the first act answers the plugin's first call, and so on.
    pub(crate) fn start(acts: Vec<Act>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let script = Arc::new(Mutex::new(Script {
            acts: acts.into(),
            ..Script::default()
        }));
        let shared = Arc::clone(&script);
        std::thread::spawn(move || {
            for (connection, stream) in listener.incoming().enumerate() {
                let shared = Arc::clone(&shared);
                let stream = stream.unwrap();
                std::thread::spawn(move || serve(stream, connection, &shared));
            }
        });
        Self { port, script }
    }

    /// Adds acts.
    pub(crate) fn then(&self, acts: Vec<Act>) {
        self.script.lock().unwrap().acts.extend(acts);
    }

    /// The requests so far, but for the first, which is the plugin's greeting.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.script.lock().unwrap().seen[1..].to_vec()
    }

    /// Methods and parameters of the requests so far.
    pub(crate) fn calls(&self) -> Vec<(String, Value)> {
        let seen = self.seen().into_iter();
        seen.map(|seen| (seen.method, seen.params)).collect()
    }
}

fn http(status: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n{body}")
}

fn serve(stream: TcpStream, connection: usize, script: &Mutex<Script>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut stream = stream;
    while let Some((authorization, body)) = read_request(&mut reader) {
        let request: Value = serde_json::from_str(&body).unwrap();
        let act = {
            let mut script = script.lock().unwrap();
            script.seen.push(Seen {
                connection,
                authorization,
                method: request["method"].as_str().unwrap().to_owned(),
                params: request["params"].clone(),
            });
            script.acts.pop_front()
        };
        let ok = |result: Value| {
            http(
                "200 OK",
                &json!({"result": result, "error": null, "id": "bcli"}).to_string(),
            )
        };
        let (answer, close) = match act {
            None => (http("500 Oops", "no act left"), false),
            Some(Act::Result(result)) => (ok(result), false),
            Some(Act::ResultAndClose(result)) => (ok(result), true),
            Some(Act::Error(code, message)) => {
                let error = json!({"result": null, "error": {"code": code, "message": message}});
                (http("500 Internal Server Error", &error.to_string()), false)
            }
            Some(Act::Raw(bytes)) => (bytes, false),
            Some(Act::RawAndClose(bytes)) => (bytes, true),
            Some(Act::Close) => return,
            Some(Act::Hang) => return script.lock().unwrap().hanging.push(stream),
        };
        if stream.write_all(answer.as_bytes()).is_err() || close {
            return;
        }
    }
}

fn read_request(reader: &mut impl BufRead) -> Option<(String, String)> {
    let (mut authorization, mut length) = (String::new(), 0);
    let mut first = String::new();
    reader.read_line(&mut first).ok().filter(|read| *read > 0)?;
    assert_eq!(first, "POST / HTTP/1.1\r\n");
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        match line.trim().split_once(": ") {
            None => break,
            Some(("Authorization", value)) => value.clone_into(&mut authorization),
            Some(("Content-Length", value)) => length = value.parse().unwrap(),
            Some(_) => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((authorization, String::from_utf8(body).unwrap()))
}

/// A raw answer of HTTP 200.
pub(crate) fn html(body: &str) -> String {
    http("200 OK", body)
}

/// A raw answer with another status.
pub(crate) fn status(status: &str, body: &str) -> String {
    http(status, body)
}

/// The greeting every plugin needs first.
pub(crate) fn greeting() -> Act {
    Act::Result(json!({"version": 270_000, "localrelay": true}))
}

/// lightningd's end of a plugin in a thread.
pub(crate) struct Host {
    to: PipeWriter,
    from: PipeReader,
    splitter: Splitter,
    /// Lines of the log so far.
    pub(crate) log: Vec<String>,
}

impl Host {
    /// Starts the plugin without `init`.
    pub(crate) fn new() -> Self {
        let (input, to) = pipe().unwrap();
        let (from, output) = pipe().unwrap();
        std::thread::spawn(move || {
            bcli::plugin(Duration::from_millis(1)).run_on(input, output, true)
        });
        Self {
            to,
            from,
            splitter: Splitter::new(),
            log: Vec::new(),
        }
    }

    /// Starts the plugin on a bitcoind at `port` with more options.
    pub(crate) fn start(port: u16, more: Value) -> Self {
        let mut host = Self::new();
        host.init(port, more).unwrap();
        host
    }

    pub(crate) fn init(&mut self, port: u16, more: Value) -> Result<Value, RpcError> {
        let mut options = json!({
            "bitcoin-rpcport": port,
            "bitcoin-rpcuser": "rpcuser",
            "bitcoin-rpcpassword": "rpcpass",
            "bitcoin-datadir": "/nonexistent",
            "bitcoin-retry-timeout": 0,
        });
        let options = options.as_object_mut().unwrap();
        for (name, value) in more.as_object().unwrap() {
            if value.is_null() {
                options.remove(name);
            } else {
                options.insert(name.clone(), value.clone());
            }
        }
        let configuration = json!({
            "lightning-dir": "/nonexistent", "rpc-file": "lightning-rpc", "startup": true, "network": "regtest",
        });
        self.call(
            "init",
            json!({"options": options, "configuration": configuration}),
        )
    }

    pub(crate) fn call(&mut self, method: &str, params: Value) -> Result<Value, RpcError> {
        let mut out = Vec::new();
        write_request(&mut out, "cln:call#1", method, &params).unwrap();
        self.to.write_all(&out).unwrap();
        let mut buffer = vec![0; 65536];
        loop {
            while let Some(text) = self.splitter.next_text().unwrap() {
                match Message::parse(text).unwrap() {
                    Message::Response { outcome, .. } => {
                        return outcome.map(|result| serde_json::from_str(result.get()).unwrap());
                    }
                    Message::Notification { params, .. } => {
                        let params: Value = serde_json::from_str(params.unwrap().get()).unwrap();
                        self.log
                            .push(params["message"].as_str().unwrap().to_owned());
                    }
                    Message::Request { .. } => panic!("a plugin has no requests"),
                }
            }
            let count = self.from.read(&mut buffer).unwrap();
            assert_ne!(count, 0, "the plugin ended: {:?}", self.log);
            self.splitter.push(&buffer[..count]);
        }
    }
}
