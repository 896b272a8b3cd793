//! Finding whole JSON texts in a stream of bytes.

use std::ops::Range;

use memchr::{memchr, memchr2};

/// How much one text may hold when nothing else is said: more than the largest block in hex with room to spare.
const DEFAULT_MAX_BYTES: usize = 256 * 1024 * 1024;
/// How deep objects and arrays may be nested: far beyond any request, far below what could exhaust a stack.
const MAX_DEPTH: u32 = 100;
/// How much of a text is shown to whoever must find out where it came from.
const SHOWN: usize = 1024;
/// How much memory stays when a huge text is gone, and how many consumed bytes stay at most when there is more to come.
const KEPT: usize = 64 * 1024;

/// Why the stream can't be read any further. After one of these the connection is to be closed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SplitError {
    /// Something else than an object where a request should begin.
    #[error("expected a JSON object, got the byte 0x{0:02x}")]
    Garbage(u8),
    /// The text goes on and on.
    #[error("JSON text is longer than {0} bytes")]
    TooLong(usize),
    /// The text is nested too deeply.
    #[error("JSON text is nested deeper than {0} levels")]
    TooDeep(u32),
    /// The text is not UTF-8.
    #[error("JSON text is not UTF-8 at byte {0}")]
    NotUtf8(usize),
}

/// Cuts a stream into JSON texts. It looks at each byte once, checks brackets and strings only (the parser does the rest), and
/// holds at most one unfinished text of bounded length.
#[derive(Debug)]
pub struct Splitter {
    buffer: Vec<u8>,
    /// Where the text that is being read begins.
    start: usize,
    /// Up to where it was looked at.
    scanned: usize,
    nesting: Nesting,
    /// Whether an empty line behind a line shows that the line is a text.
    in_lines: bool,
    max_bytes: usize,
    failed: Option<SplitError>,
    /// The beginning of what failed.
    offending: Vec<u8>,
}

/// Where in a text the scan is.
#[derive(Debug, Default)]
struct Nesting {
    depth: u32,
    in_string: bool,
    escaped: bool,
}

impl Nesting {
    /// Goes on over bytes: how many it passed, and whether the last of them ends the text.
    fn pass(&mut self, bytes: &[u8]) -> Result<(usize, bool), SplitError> {
        let mut rest = bytes;
        let passed = |rest: &[u8]| bytes.len().saturating_sub(rest.len());
        loop {
            if self.escaped {
                let Some((_, after)) = rest.split_first() else {
                    break;
                };
                self.escaped = false;
                rest = after;
            }
            if self.in_string {
                let Some(at) = memchr2(b'"', b'\\', rest) else {
                    break;
                };
                self.escaped = rest.get(at) == Some(&b'\\');
                self.in_string = self.escaped;
                rest = rest.get(at.saturating_add(1)..).unwrap_or_default();
                continue;
            }
            let Some((byte, after)) = rest.split_first() else {
                break;
            };
            rest = after;
            match byte {
                b'"' => self.in_string = true,
                b'{' | b'[' => {
                    self.depth = self.depth.saturating_add(1);
                    if self.depth > MAX_DEPTH {
                        return Err(SplitError::TooDeep(MAX_DEPTH));
                    }
                }
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == 0 {
                        return Ok((passed(rest), true));
                    }
                }
                _ => {}
            }
        }
        Ok((bytes.len(), false))
    }
}

/// The beginning of a text.
fn shown(text: &[u8]) -> &[u8] {
    text.get(..SHOWN).unwrap_or(text)
}

impl Default for Splitter {
    fn default() -> Self {
        Self::with_limit(DEFAULT_MAX_BYTES)
    }
}

impl Splitter {
    /// A splitter with the usual limit.
    pub fn new() -> Self {
        Self::default()
    }

    /// For a sender that writes each text into one line and an empty line behind it, as lightningd does to plugins: such a text is found
    /// without a look at each byte. What is written otherwise is read as usual.
    pub fn of_lines() -> Self {
        Self {
            in_lines: true,
            ..Self::default()
        }
    }

    /// A splitter whose texts hold at most `max_bytes`.
    pub fn with_limit(max_bytes: usize) -> Self {
        Self {
            buffer: Vec::new(),
            start: 0,
            scanned: 0,
            nesting: Nesting::default(),
            in_lines: false,
            max_bytes,
            failed: None,
            offending: Vec::new(),
        }
    }

    /// Adds what was read. After each call, take the texts with [`Splitter::next_text`] until there is none.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.failed.is_none() {
            if self.start >= KEPT {
                self.compact();
            }
            self.buffer.extend_from_slice(bytes);
        }
    }

    /// Whether bytes of an unfinished text are held: then the end of the stream cuts a text in two.
    pub fn is_mid_text(&self) -> bool {
        self.nesting.depth > 0
    }

    /// The beginning, up to 1 KiB, of the text that is not whole yet.
    pub fn unfinished(&self) -> &[u8] {
        shown(self.buffer.get(self.start..).unwrap_or_default())
    }

    /// The beginning of the text that could not be read, after an error.
    pub fn offending(&self) -> &[u8] {
        &self.offending
    }

    /// The next whole text, or `None` until more is pushed. An error stays: every later call returns it again.
    pub fn next_text(&mut self) -> Result<Option<&str>, SplitError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let error = match self.scan() {
            Ok(None) => return Ok(None),
            Ok(Some(found)) => {
                let bytes = self.buffer.get(found).unwrap_or_default();
                match std::str::from_utf8(bytes) {
                    Ok(text) => return Ok(Some(text)),
                    Err(error) => {
                        self.offending = shown(bytes).to_vec();
                        SplitError::NotUtf8(error.valid_up_to())
                    }
                }
            }
            Err(error) => {
                self.offending = self.unfinished().to_vec();
                self.buffer = Vec::new();
                error
            }
        };
        self.failed = Some(error.clone());
        Err(error)
    }

    fn scan(&mut self) -> Result<Option<Range<usize>>, SplitError> {
        if self.nesting.depth == 0 {
            self.skip_space()?;
            if self.in_lines
                && let Some(end) = self.end_of_line()
            {
                let found = self.start..end;
                (self.start, self.scanned) = (end, end);
                return Ok(Some(found));
            }
        }
        let limit = self.start.saturating_add(self.max_bytes);
        let end = self.buffer.len().min(limit);
        let bytes = self.buffer.get(self.scanned..end).unwrap_or_default();
        let (passed, is_whole) = self.nesting.pass(bytes)?;
        self.scanned = self.scanned.saturating_add(passed);
        if is_whole {
            let found = self.start..self.scanned;
            self.start = self.scanned;
            return Ok(Some(found));
        }
        if self.buffer.len() > limit {
            return Err(SplitError::TooLong(self.max_bytes));
        }
        self.compact();
        Ok(None)
    }

    /// Where the line ends that begins here, if an empty one is behind it.
    fn end_of_line(&self) -> Option<usize> {
        let rest = self.buffer.get(self.start..)?;
        let length = memchr(b'\n', rest.get(..self.max_bytes).unwrap_or(rest))?;
        let after = rest.get(length.saturating_add(1))?;
        (*after == b'\n').then(|| self.start.saturating_add(length))
    }

    /// Passes white space between texts and checks that an object or array begins after it.
    fn skip_space(&mut self) -> Result<(), SplitError> {
        while let Some(byte) = self.buffer.get(self.scanned).copied() {
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' => self.scanned = self.scanned.saturating_add(1),
                b'{' | b'[' => break,
                other => {
                    self.start = self.scanned;
                    return Err(SplitError::Garbage(other));
                }
            }
        }
        self.start = self.scanned;
        Ok(())
    }

    /// Drops what was consumed, and the memory of a huge text that is gone.
    fn compact(&mut self) {
        self.buffer.drain(..self.start);
        self.scanned = self.scanned.saturating_sub(self.start);
        self.start = 0;
        if self.buffer.capacity() > KEPT.saturating_mul(4) && self.buffer.len() < KEPT {
            self.buffer.shrink_to(KEPT);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(splitter: &mut Splitter) -> Vec<String> {
        std::iter::from_fn(|| splitter.next_text().unwrap().map(str::to_owned)).collect()
    }

    #[test]
    fn texts_are_found_however_the_stream_is_cut() {
        let stream = "  {\"a\":\"}\\\"{\"}\n\n{\"b\":[1,{\"c\":\"é\"}]}{}".as_bytes();
        let want = ["{\"a\":\"}\\\"{\"}", "{\"b\":[1,{\"c\":\"é\"}]}", "{}"];
        for size in 1..stream.len() {
            let mut splitter = Splitter::new();
            let mut got = Vec::new();
            for chunk in stream.chunks(size) {
                splitter.push(chunk);
                got.extend(texts(&mut splitter));
            }
            assert_eq!(got, want, "in chunks of {size}");
            assert!(!splitter.is_mid_text());
        }
    }

    #[test]
    fn texts_in_lines_are_found_however_they_are_written() {
        let stream = "{\"a\":\"\\n}{\"}\n\n{\"b\":\n[1]}\n{}{\"c\":2}\n\n{\"d\":{}}\n\n".as_bytes();
        let want = [
            "{\"a\":\"\\n}{\"}",
            "{\"b\":\n[1]}",
            "{}",
            "{\"c\":2}",
            "{\"d\":{}}",
        ];
        // Two in one line stay together where the whole line is there: whoever writes so must not promise lines.
        for size in 1..6 {
            let mut splitter = Splitter::of_lines();
            let mut got = Vec::new();
            for chunk in stream.chunks(size) {
                splitter.push(chunk);
                got.extend(texts(&mut splitter));
            }
            assert_eq!(got, want, "in chunks of {size}");
        }
        let mut splitter = Splitter::of_lines();
        splitter.push(stream);
        assert_eq!(
            texts(&mut splitter),
            [want[0], want[1], "{}{\"c\":2}", want[4]]
        );
        let mut splitter = Splitter::of_lines();
        splitter.push(b"{}\n\nhello\n\n");
        assert_eq!(splitter.next_text(), Ok(Some("{}")));
        assert_eq!(splitter.next_text(), Err(SplitError::Garbage(b'h')));
    }

    #[test]
    fn what_is_not_json_is_refused_at_once_and_for_good() {
        let mut splitter = Splitter::new();
        splitter.push(b"{} GET / HTTP/1.1");
        assert_eq!(splitter.next_text(), Ok(Some("{}")));
        assert_eq!(splitter.next_text(), Err(SplitError::Garbage(b'G')));
        assert_eq!(splitter.offending(), b"GET / HTTP/1.1");
        splitter.push(b"{}");
        assert_eq!(splitter.next_text(), Err(SplitError::Garbage(b'G')));
    }

    #[test]
    fn length_depth_and_encoding_have_bounds() {
        let mut splitter = Splitter::with_limit(8);
        splitter.push(b"{\"1234");
        assert_eq!(splitter.next_text(), Ok(None));
        splitter.push(b"567");
        assert_eq!(splitter.next_text(), Err(SplitError::TooLong(8)));

        let mut splitter = Splitter::new();
        splitter.push(&b"[".repeat(101));
        assert_eq!(splitter.next_text(), Err(SplitError::TooDeep(100)));

        let mut splitter = Splitter::new();
        splitter.push(b"{\"\xff\"}");
        assert_eq!(splitter.next_text(), Err(SplitError::NotUtf8(2)));
    }
}
