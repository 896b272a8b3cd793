//! A blocking JSON-RPC client over HTTP, for the command line and the test harness.

use data_encoding::BASE64;
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

/// Largest reply, in bytes.
const MAX_REPLY: u64 = 512 << 20;

/// Why a call got no result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// Nobody listens there, or the connection broke.
    #[error("cannot talk to {0}: {1}")]
    Io(String, io::Error),
    /// User or password are wrong.
    #[error("user or password are wrong")]
    Unauthorized,
    /// The reply is not JSON-RPC; status and body.
    #[error("server replied with status {0}: {1}")]
    Malformed(u16, String),
    /// The call failed: bitcoind's code and message.
    #[error("{1} (code {0})")]
    Rpc(i64, String),
}

/// A connection to one server, made when needed and kept open.
#[derive(Debug)]
pub struct Client {
    address: String,
    credentials: String,
    timeout: Option<Duration>,
    stream: Option<BufReader<TcpStream>>,
}

impl Client {
    /// A client for `host:port` with `user:password`. No timeout waits for ever.
    pub fn new(address: &str, credentials: &str, timeout: Option<Duration>) -> Self {
        Self {
            address: address.to_owned(),
            credentials: BASE64.encode(credentials.as_bytes()),
            timeout,
            stream: None,
        }
    }

    /// The `host:port` it talks to.
    pub fn address(&self) -> &str {
        &self.address
    }

    fn connect(&self) -> io::Result<TcpStream> {
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
        for address in self.address.to_socket_addrs()? {
            match TcpStream::connect(address) {
                Ok(stream) => {
                    stream.set_nodelay(true)?;
                    stream.set_read_timeout(self.timeout)?;
                    return Ok(stream);
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// Posts a body; status and body of the reply.
    pub fn post(&mut self, path: &str, body: &str) -> Result<(u16, String), ClientError> {
        let wrap = |address: &str, error| ClientError::Io(address.to_owned(), error);
        // A kept connection may have been closed meanwhile; then the request was not read.
        if let Some(mut stream) = self.stream.take() {
            match self.exchange(&mut stream, path, body) {
                Ok((status, reply, keep)) => {
                    self.stream = keep.then_some(stream);
                    return Ok((status, reply));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Err(wrap(&self.address, error));
                }
                Err(_) => {}
            }
        }
        let stream = self.connect().map_err(|error| wrap(&self.address, error))?;
        let mut stream = BufReader::new(stream);
        let exchanged = self.exchange(&mut stream, path, body);
        let (status, reply, keep) = exchanged.map_err(|error| wrap(&self.address, error))?;
        self.stream = keep.then_some(stream);
        Ok((status, reply))
    }

    fn exchange(
        &self,
        stream: &mut BufReader<TcpStream>,
        path: &str,
        body: &str,
    ) -> io::Result<(u16, String, bool)> {
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Basic {}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.address,
            self.credentials,
            body.len()
        );
        stream.get_mut().write_all(request.as_bytes())?;
        let bad = || io::Error::new(io::ErrorKind::InvalidData, "the reply is not HTTP");
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let status: u16 = line
            .split_whitespace()
            .nth(1)
            .and_then(|code| code.parse().ok())
            .ok_or_else(bad)?;
        // No content has no length either.
        let (mut length, mut keep) = ((status == 204).then_some(0), true);
        loop {
            line.clear();
            if stream.read_line(&mut line)? == 0 {
                return Err(bad());
            }
            let header = line.trim().to_ascii_lowercase();
            if header.is_empty() {
                break;
            }
            let Some((name, value)) = header.split_once(':') else {
                return Err(bad());
            };
            match (name, value.trim()) {
                ("content-length", value) => length = value.parse::<u64>().ok(),
                ("connection", "close") => keep = false,
                _ => {}
            }
        }
        let mut reply = Vec::new();
        match length {
            Some(length) if length <= MAX_REPLY => {
                stream.take(length).read_to_end(&mut reply)?;
            }
            Some(_) => return Err(bad()),
            None => {
                keep = false;
                stream.take(MAX_REPLY).read_to_end(&mut reply)?;
            }
        }
        String::from_utf8(reply)
            .map(|reply| (status, reply, keep))
            .map_err(|_| bad())
    }

    /// Calls a method; the result as the server wrote it.
    pub fn call_raw(
        &mut self,
        path: &str,
        method: &str,
        params: &Value,
    ) -> Result<String, ClientError> {
        let body = serde_json::json!({"method": method, "params": params, "id": 1}).to_string();
        let (status, reply) = self.post(path, &body)?;
        if status == 401 {
            return Err(ClientError::Unauthorized);
        }
        let malformed = || ClientError::Malformed(status, reply.clone());
        let members: HashMap<String, Box<RawValue>> =
            serde_json::from_str(&reply).map_err(|_| malformed())?;
        match members.get("error").map(|error| error.get()) {
            None | Some("null") => {}
            Some(error) => {
                let error: Value = serde_json::from_str(error).map_err(|_| malformed())?;
                let code = error.get("code").and_then(Value::as_i64).unwrap_or(-1);
                let message = error
                    .get("message")
                    .and_then(Value::as_str)
                    .unwrap_or_default();
                return Err(ClientError::Rpc(code, message.to_owned()));
            }
        }
        members
            .get("result")
            .map(|result| result.get().to_owned())
            .ok_or_else(malformed)
    }

    /// Calls a method; the result as a value.
    pub fn call(&mut self, method: &str, params: &Value) -> Result<Value, ClientError> {
        let raw = self.call_raw("/", method, params)?;
        serde_json::from_str(&raw).map_err(|_| ClientError::Malformed(200, raw))
    }
}
