//! Something between a node and its chain that answers some calls itself.

use std::io::{self, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};

/// What to refuse: the error for a method, or nothing to pass the call on.
type Refusal = Arc<Mutex<dyn FnMut(&str) -> Option<Value> + Send>>;

/// What to change about the result of a method.
type Change = Arc<Mutex<dyn FnMut(&str, &mut Value) + Send>>;

/// A proxy in front of a chain's RPC.
pub(crate) struct ChainProxy {
    port: u16,
}

impl ChainProxy {
    /// Passes calls on to a port of 127.0.0.1, but for those that `refuse` has an error for.
    pub(crate) fn start(
        chain: u16,
        refuse: impl FnMut(&str) -> Option<Value> + Send + 'static,
    ) -> Self {
        Self::run(chain, Arc::new(Mutex::new(refuse)), None)
    }

    /// Passes all calls on and changes what comes back.
    pub(crate) fn changing(
        chain: u16,
        change: impl FnMut(&str, &mut Value) + Send + 'static,
    ) -> Self {
        let change: Change = Arc::new(Mutex::new(change));
        Self::run(chain, Arc::new(Mutex::new(|_: &str| None)), Some(change))
    }

    fn run(chain: u16, refuse: Refusal, change: Option<Change>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (refuse, change) = (Arc::clone(&refuse), change.clone());
                // A node that is gone, or a chain, ends its connection.
                thread::spawn(move || {
                    stream.and_then(|stream| serve(stream, chain, &refuse, change.as_ref()))
                });
            }
        });
        Self { port }
    }

    /// Its port on 127.0.0.1.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }
}

fn serve(
    mut node: TcpStream,
    chain: u16,
    refuse: &Refusal,
    change: Option<&Change>,
) -> io::Result<()> {
    let mut from_node = BufReader::new(node.try_clone()?);
    let mut chain = TcpStream::connect(("127.0.0.1", chain))?;
    let mut from_chain = BufReader::new(chain.try_clone()?);
    loop {
        let (head, body) = read_message(&mut from_node)?;
        let call: Value = serde_json::from_slice(&body)?;
        let method = call["method"].as_str().unwrap_or_default();
        if let Some(error) = (refuse.lock().unwrap())(method) {
            let body = json!({"result": null, "error": error, "id": call["id"]}).to_string();
            let length = body.len();
            let head = "HTTP/1.1 500 Internal Server Error";
            write!(node, "{head}\r\nContent-Length: {length}\r\n\r\n{body}")?;
            continue;
        }
        chain.write_all(&[head, body].concat())?;
        let (head, body) = read_message(&mut from_chain)?;
        if let Some(change) = change {
            let mut reply: Value = serde_json::from_slice(&body)?;
            (change.lock().unwrap())(method, &mut reply["result"]);
            let body = reply.to_string();
            let length = body.len();
            let status = if reply["error"].is_null() {
                "200 OK"
            } else {
                "500 Internal Server Error"
            };
            write!(
                node,
                "HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n{body}"
            )?;
            continue;
        }
        node.write_all(&[head, body].concat())?;
    }
}

/// The head of an HTTP message, with the empty line, and its body.
fn read_message(from: &mut impl io::BufRead) -> io::Result<(Vec<u8>, Vec<u8>)> {
    let mut head = String::new();
    let mut length = 0;
    loop {
        let start = head.len();
        if from.read_line(&mut head)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let line = head[start..].trim_end().to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().map_err(io::Error::other)?;
        }
        if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    from.read_exact(&mut body)?;
    Ok((head.into_bytes(), body))
}
