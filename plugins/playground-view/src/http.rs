//! As much of HTTP/1.1 as a page needs: one request for each connection.

use std::io::{self, Read, Write};

/// How long a request may be.
const LONGEST: usize = 16 * 1024;

/// What the browser may do with what it gets: nothing from elsewhere, nowhere but here.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; img-src data:; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// A request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// Without what follows a question mark.
    pub(crate) path: String,
    /// The name and port we are called by.
    pub(crate) host: Option<String>,
}

/// Why there is no request.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// The connection is gone, or too slow.
    Gone,
    /// Not HTTP, or too long.
    Bad,
}

impl From<io::Error> for Refusal {
    fn from(_: io::Error) -> Self {
        Self::Gone
    }
}

impl Request {
    /// Reads up to the empty line; a body is not looked at.
    pub(crate) fn read(mut from: impl Read) -> Result<Self, Refusal> {
        let mut bytes = Vec::new();
        let mut chunk = [0; 1024];
        loop {
            if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                bytes.truncate(end);
                break;
            }
            if bytes.len() > LONGEST {
                return Err(Refusal::Bad);
            }
            match from.read(&mut chunk)? {
                0 => return Err(Refusal::Gone),
                count => bytes.extend_from_slice(chunk.get(..count).unwrap_or_default()),
            }
        }
        let text = String::from_utf8(bytes).map_err(|_| Refusal::Bad)?;
        Self::parse(&text).ok_or(Refusal::Bad)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.split("\r\n");
        let mut words = lines.next()?.split(' ');
        let (method, target, version) = (words.next()?, words.next()?, words.next()?);
        if words.next().is_some() || !version.starts_with("HTTP/1.") || !target.starts_with('/') {
            return None;
        }
        let path = target.split(['?', '#']).next().unwrap_or_default();
        let mut hosts = lines
            .filter_map(|line| line.split_once(':'))
            .filter(|(name, _)| name.eq_ignore_ascii_case("host"))
            .map(|(_, value)| value.trim().to_owned());
        let host = hosts.next();
        // Two would be for two readers.
        if hosts.next().is_some() {
            return None;
        }
        Some(Self {
            method: method.to_owned(),
            path: path.to_owned(),
            host,
        })
    }

    /// Whether we are called by a name of this machine: a page of somebody else's whose name leads here is not.
    pub(crate) fn is_for_this_machine(&self) -> bool {
        let host = self.host.as_deref().unwrap_or_default();
        let name = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
            _ => host,
        };
        matches!(name, "127.0.0.1" | "localhost" | "[::1]")
    }
}

/// Writes the beginning of an answer; the end of the connection is the end of the body.
pub(crate) fn write_head(mut to: impl Write, status: &str, kind: &str) -> io::Result<()> {
    write!(
        to,
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nConnection: close\r\nCache-Control: no-store\r\n\
         X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\nContent-Security-Policy: {POLICY}\r\n\r\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Request> {
        Request::read(text.as_bytes()).ok()
    }

    #[test]
    fn a_request_is_read() {
        let request =
            read("GET /state?x=1 HTTP/1.1\r\nhost: localhost:80\r\nX: y\r\n\r\n").unwrap();
        assert_eq!(
            (request.method.as_str(), request.path.as_str()),
            ("GET", "/state")
        );
        assert!(request.is_for_this_machine());
    }

    #[test]
    fn garbage_is_refused() {
        for text in [
            "",
            "GET / HTTP/1.1\r\nHost: x",
            "GET /\r\n\r\n",
            "GET / HTTP/1.1 more\r\n\r\n",
            "GET / SPDY/9\r\n\r\n",
            "GET http://x/ HTTP/1.1\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n",
            "\r\n\r\n",
        ] {
            assert_eq!(read(text), None, "{text:?}");
        }
        let long = format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(2 * LONGEST));
        assert_eq!(read(&long), None);
        assert!(Request::read(b"\xff\xff\r\n\r\n".as_slice()).is_err());
    }

    #[test]
    fn other_names_are_not_ours() {
        for (host, ours) in [
            ("127.0.0.1:8080", true),
            ("localhost", true),
            ("[::1]:1", true),
            ("evil.example:8080", false),
            ("127.0.0.1.evil.example", false),
            ("localhost:80:80", false),
            ("", false),
        ] {
            let text = format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n");
            assert_eq!(read(&text).unwrap().is_for_this_machine(), ours, "{host}");
        }
    }
}
