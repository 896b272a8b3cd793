//! As much of HTTP/1.1 as JSON-RPC needs, with bounds on everything.

use std::io::{self, BufRead, Read, Write};

/// Largest request line and headers together, in bytes.
const MAX_HEAD: u64 = 16 * 1024;
/// Largest body, in bytes.
const MAX_BODY: u64 = 32 * 1024 * 1024;

/// A request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// `POST` and the like.
    pub method: String,
    /// The path, without query.
    pub path: String,
    /// Value of the `Authorization` header.
    pub authorization: Option<String>,
    /// Whether the connection stays open after the reply.
    pub keep_alive: bool,
    /// The body.
    pub body: Vec<u8>,
}

/// Why no request could be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The other side closed the connection between requests, or was silent for too long.
    #[error("connection closed")]
    Closed,
    /// The bytes are no request we can serve; the status to answer with.
    #[error("bad request: {1}")]
    Bad(u16, &'static str),
    /// The connection broke.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Reads one request. `writer` gets the interim reply that clients with large bodies wait for.
pub fn read_request(
    reader: &mut impl BufRead,
    writer: &mut impl Write,
) -> Result<Request, ReadError> {
    let mut head = reader.by_ref().take(MAX_HEAD);
    let mut line = String::new();
    // Empty lines before a request are allowed.
    while line.trim().is_empty() {
        line.clear();
        if read_line(&mut head, &mut line)? == 0 {
            return Err(ReadError::Closed);
        }
    }
    let mut words = line.split_whitespace();
    let (Some(method), Some(target), Some(version), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(ReadError::Bad(400, "malformed request line"));
    };
    if !version.starts_with("HTTP/1.") {
        return Err(ReadError::Bad(505, "only HTTP/1 is spoken here"));
    }
    let path = target.split('?').next().unwrap_or_default().to_owned();
    let mut request = Request {
        method: method.to_owned(),
        path,
        authorization: None,
        keep_alive: version != "HTTP/1.0",
        body: Vec::new(),
    };
    let (length, expects) = read_headers(&mut head, &mut request)?;
    if length > MAX_BODY {
        return Err(ReadError::Bad(413, "body too large"));
    }
    if expects && length > 0 {
        writer.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        writer.flush()?;
    }
    reader
        .by_ref()
        .take(length)
        .read_to_end(&mut request.body)?;
    if u64::try_from(request.body.len()).ok() != Some(length) {
        return Err(ReadError::Closed);
    }
    Ok(request)
}

/// Length of the body, and whether the client waits for leave to send it.
fn read_headers(head: &mut impl BufRead, request: &mut Request) -> Result<(u64, bool), ReadError> {
    let (mut length, mut expects) = (0, false);
    let mut line = String::new();
    loop {
        line.clear();
        if read_line(head, &mut line)? == 0 || !line.ends_with('\n') {
            return Err(ReadError::Bad(431, "headers too large or cut off"));
        }
        let trimmed = line.trim_end_matches(['\r', '\n']);
        if trimmed.is_empty() {
            return Ok((length, expects));
        }
        let Some((name, value)) = trimmed.split_once(':') else {
            return Err(ReadError::Bad(400, "malformed header"));
        };
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            "content-length" => {
                length = value
                    .parse()
                    .map_err(|_| ReadError::Bad(400, "malformed length"))?;
            }
            "transfer-encoding" => return Err(ReadError::Bad(501, "send a Content-Length")),
            "authorization" => request.authorization = Some(value.to_owned()),
            "expect" => expects = value.eq_ignore_ascii_case("100-continue"),
            "connection" => match value.to_ascii_lowercase().as_str() {
                "close" => request.keep_alive = false,
                "keep-alive" => request.keep_alive = true,
                _ => {}
            },
            _ => {}
        }
    }
}

fn read_line(reader: &mut impl BufRead, line: &mut String) -> Result<usize, ReadError> {
    match reader.read_line(line) {
        Ok(count) => Ok(count),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            Err(ReadError::Bad(400, "headers are not text"))
        }
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
            ) =>
        {
            Err(ReadError::Closed)
        }
        Err(error) => Err(error.into()),
    }
}

fn status_text(status: u16) -> &'static str {
    match status {
        200 => "OK",
        204 => "No Content",
        400 => "Bad Request",
        401 => "Unauthorized",
        404 => "Not Found",
        405 => "Method Not Allowed",
        413 => "Content Too Large",
        431 => "Request Header Fields Too Large",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        505 => "HTTP Version Not Supported",
        _ => "Internal Server Error",
    }
}

/// Writes a reply.
pub fn write_reply(
    writer: &mut impl Write,
    status: u16,
    body: &str,
    keep_alive: bool,
) -> io::Result<()> {
    let kind = if body.starts_with(['{', '[']) {
        "application/json"
    } else {
        "text/plain"
    };
    let challenge = if status == 401 {
        "WWW-Authenticate: Basic realm=\"jsonrpc\"\r\n"
    } else {
        ""
    };
    let connection = if keep_alive { "keep-alive" } else { "close" };
    let head = format!(
        "HTTP/1.1 {status} {}\r\n{challenge}Content-Type: {kind}\r\nContent-Length: {}\r\n\
         Connection: {connection}\r\n\r\n",
        status_text(status),
        body.len()
    );
    // One write, so that small replies leave in one packet.
    let mut bytes = head.into_bytes();
    bytes.extend_from_slice(body.as_bytes());
    writer.write_all(&bytes)?;
    writer.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Request, ReadError> {
        read_request(&mut text.as_bytes(), &mut Vec::new())
    }

    #[test]
    fn a_plain_request_is_read() {
        let request =
            read("POST /wallet/a?x HTTP/1.1\r\nAuthorization: Basic eA==\r\nContent-Length: 2\r\n\r\n{}rest")
                .unwrap();
        assert_eq!(
            (request.method.as_str(), request.path.as_str()),
            ("POST", "/wallet/a")
        );
        assert_eq!(request.body, b"{}");
        assert_eq!(request.authorization.as_deref(), Some("Basic eA=="));
        assert!(request.keep_alive);
    }

    #[test]
    fn bad_requests_have_a_status() {
        let status = |text: &str| match read(text) {
            Err(ReadError::Bad(status, _)) => status,
            other => panic!("expected a refusal, got {other:?}"),
        };
        assert_eq!(status("nonsense\r\n\r\n"), 400);
        assert_eq!(status("GET / HTTP/2\r\n\r\n"), 505);
        assert_eq!(status("POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n"), 400);
        assert_eq!(
            status("POST / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n"),
            413
        );
        assert_eq!(
            status(&format!(
                "GET / HTTP/1.1\r\nx: {}\r\n\r\n",
                "a".repeat(20_000)
            )),
            431
        );
        assert!(matches!(read(""), Err(ReadError::Closed)));
        assert!(matches!(
            read("POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n{}"),
            Err(ReadError::Closed)
        ));
    }
}
