//! As much of HTTP/1.1 as a JSON-RPC client needs: one POST, one reply, on a connection that stays open.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

/// The longest body: a block of 4 MB is 8 MB of hex.
const MAX_BODY: u64 = 64 << 20;
/// The longest head.
const MAX_HEAD: u64 = 64 << 10;

/// A reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    /// The status code.
    pub(crate) status: u16,
    /// The body.
    pub(crate) body: Vec<u8>,
    /// Whether the connection can be used again.
    pub(crate) keep: bool,
}

/// Why there is no reply.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HttpError {
    /// The connection ended before a byte of the reply came: if it had been idle, the server had closed it meanwhile.
    #[error("the connection was closed before the reply: {0}")]
    BeforeReply(io::Error),
    /// Anything later.
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// An open connection.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: BufReader<Timed>,
    host: String,
}

/// A stream whose every operation must end before one deadline.
#[derive(Debug)]
struct Timed {
    stream: TcpStream,
    deadline: Instant,
}

impl Timed {
    fn left(&self) -> io::Result<Duration> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(timed_out());
        }
        Ok(left)
    }
}

fn timed_out() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "no complete reply in time")
}

impl Read for Timed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(Some(self.left()?))?;
        match self.stream.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Err(timed_out()),
            other => other,
        }
    }
}

fn bad(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the reply's {what}"))
}

impl Connection {
    /// Connects within `timeout` to the first address of `host` that answers.
    pub(crate) fn open(host: &str, port: u16, timeout: Duration) -> io::Result<Self> {
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
        for address in (host, port).to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, timeout) {
                Ok(stream) => {
                    stream.set_nodelay(true)?;
                    let deadline = Instant::now();
                    return Ok(Self {
                        stream: BufReader::new(Timed { stream, deadline }),
                        host: format!("{host}:{port}"),
                    });
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// Sends a JSON body and waits for the whole reply.
    pub(crate) fn post(
        &mut self,
        authorization: &str,
        body: &[u8],
        timeout: Duration,
    ) -> Result<Reply, HttpError> {
        let now = Instant::now();
        let timed = self.stream.get_mut();
        timed.deadline = now.checked_add(timeout).unwrap_or(now);
        let request = format!(
            "POST / HTTP/1.1\r\nHost: {}\r\nConnection: keep-alive\r\nAuthorization: {authorization}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            self.host,
            body.len()
        );
        let mut bytes = request.into_bytes();
        bytes.extend_from_slice(body);
        let stream = &mut timed.stream;
        stream
            .set_write_timeout(Some(timeout.max(Duration::from_millis(1))))
            .and_then(|()| stream.write_all(&bytes))
            .map_err(HttpError::BeforeReply)?;
        match self.stream.fill_buf() {
            Ok([]) => Err(HttpError::BeforeReply(io::ErrorKind::UnexpectedEof.into())),
            Ok(_) => Ok(read_reply(&mut self.stream)?),
            Err(error) if error.kind() == io::ErrorKind::TimedOut => Err(error.into()),
            Err(error) => Err(HttpError::BeforeReply(error)),
        }
    }
}

/// What the head says about the body.
struct Head {
    status: u16,
    length: Option<u64>,
    chunked: bool,
    keep: bool,
}

fn read_reply(stream: &mut impl BufRead) -> io::Result<Reply> {
    let mut head = read_head(stream)?;
    // Interim replies announce the real one.
    while head.status == 100 {
        head = read_head(stream)?;
    }
    let mut body = Vec::new();
    if head.chunked {
        read_chunks(stream, &mut body)?;
    } else if let Some(length) = head.length {
        read_exactly(stream, length, &mut body)?;
    } else {
        head.keep = false;
        stream.take(MAX_BODY).read_to_end(&mut body)?;
    }
    Ok(Reply {
        status: head.status,
        body,
        keep: head.keep,
    })
}

fn read_line(stream: &mut impl BufRead) -> io::Result<String> {
    let mut line = Vec::new();
    stream.take(MAX_HEAD).read_until(b'\n', &mut line)?;
    if line.pop() != Some(b'\n') {
        return Err(bad("head is cut off"));
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    String::from_utf8(line).map_err(|_| bad("head is no text"))
}

fn read_head(stream: &mut impl BufRead) -> io::Result<Head> {
    let status_line = read_line(stream)?;
    let mut words = status_line.split(' ');
    let version = words.next().unwrap_or_default();
    let status = words.next().and_then(|word| word.parse().ok());
    let (true, Some(status)) = (version.starts_with("HTTP/1."), status) else {
        return Err(bad("first line is not HTTP"));
    };
    let mut head = Head {
        status,
        length: None,
        chunked: false,
        keep: version == "HTTP/1.1",
    };
    for _ in 0..100 {
        let line = read_line(stream)?;
        if line.is_empty() {
            return Ok(head);
        }
        let (name, value) = line
            .split_once(':')
            .ok_or_else(|| bad("header is malformed"))?;
        let value = value.trim().to_ascii_lowercase();
        match name.to_ascii_lowercase().as_str() {
            "content-length" => {
                let length = value.parse().map_err(|_| bad("length is no number"))?;
                head.length = Some(length);
            }
            "transfer-encoding" => head.chunked = value.ends_with("chunked"),
            "connection" => head.keep = value != "close",
            _ => {}
        }
    }
    Err(bad("head has too many lines"))
}

fn read_exactly(stream: &mut impl BufRead, length: u64, body: &mut Vec<u8>) -> io::Result<()> {
    let held = u64::try_from(body.len()).unwrap_or(u64::MAX);
    if held.saturating_add(length) > MAX_BODY {
        return Err(bad("body is too long"));
    }
    let read = stream.take(length).read_to_end(body)?;
    if u64::try_from(read).ok() != Some(length) {
        return Err(bad("body is cut off"));
    }
    Ok(())
}

fn read_chunks(stream: &mut impl BufRead, body: &mut Vec<u8>) -> io::Result<()> {
    loop {
        let line = read_line(stream)?;
        let size = line.split(';').next().unwrap_or_default().trim();
        let size = u64::from_str_radix(size, 16).map_err(|_| bad("chunk has no size"))?;
        if size == 0 {
            // Trailers end in an empty line, as a head does.
            while !read_line(stream)?.is_empty() {}
            return Ok(());
        }
        read_exactly(stream, size, body)?;
        if !read_line(stream)?.is_empty() {
            return Err(bad("chunk is longer than its size"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(mut text: &[u8]) -> Result<(u16, String, bool), String> {
        let reply = read_reply(&mut text).map_err(|error| error.to_string())?;
        let body = String::from_utf8(reply.body).unwrap();
        Ok((reply.status, body, reply.keep))
    }

    #[test]
    fn bodies_of_every_framing_are_read() {
        let ok = |body: &str, keep| Ok((200, body.to_owned(), keep));
        assert_eq!(
            read(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}x"),
            ok("{}", true)
        );
        assert_eq!(
            read(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1;x\r\n}\r\n0\r\n\r\n"),
            ok("{}", true)
        );
        assert_eq!(
            read(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nconnection: Close\r\n\r\n{}"),
            ok("{}", false)
        );
        assert_eq!(
            read(b"HTTP/1.0 200 OK\ncontent-length: 0\n\n"),
            ok("", false)
        );
    }

    #[test]
    fn replies_that_are_cut_off_or_strange_are_refused() {
        for text in [
            "",
            "HTTP/1.1 200 OK\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{}",
            "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n{}",
            "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n{}",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n{}",
            "SSH-2.0-x\r\n\r\n",
            "HTTP/1.1 abc\r\n\r\n",
        ] {
            assert!(read(text.as_bytes()).is_err(), "{text}");
        }
        let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "a: b\r\n".repeat(101));
        assert!(read(many.as_bytes()).is_err());
    }
}
