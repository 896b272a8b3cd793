//! Finding whole JSON texts in a stream of bytes.

use memchr::memchr2;

/// How much one text may hold when nothing else is said: more than the largest block in hex with room to spare.
const DEFAULT_MAX_BYTES: usize = 256 * 1024 * 1024;
/// How deep objects and arrays may be nested: far beyond any request, far below what could exhaust a stack.
const MAX_DEPTH: u32 = 100;
/// How much of a text is shown to whoever must find out where it came from.
const SHOWN: usize = 1024;
/// Consumed bytes are dropped from the front once they are this many.
const COMPACT_AT: usize = 64 * 1024;

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

    /// A splitter whose texts hold at most `max_bytes`.
    pub fn with_limit(max_bytes: usize) -> Self {
        Self {
            buffer: Vec::new(),
            start: 0,
            scanned: 0,
            nesting: Nesting::default(),
            max_bytes,
            failed: None,
            offending: Vec::new(),
        }
    }

    /// Adds what was read. After each call, take the texts with [`Splitter::next_text`] until there is none.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.failed.is_none() {
            self.buffer.extend_from_slice(bytes);
        }
    }

    /// Whether bytes of an unfinished text are held: then the end of the stream cuts a text in two.
    pub fn is_mid_text(&self) -> bool {
        self.nesting.depth > 0
    }

    /// The beginning, up to 1 KiB, of the text that is not whole yet.
    pub fn unfinished(&self) -> &[u8] {
        let rest = self.buffer.get(self.start..).unwrap_or_default();
        rest.get(..SHOWN).unwrap_or(rest)
    }

    /// The beginning of the text that could not be read, after an error.
    pub fn offending(&self) -> &[u8] {
        &self.offending
    }

    /// The next whole text, or `None` until more is pushed. An error stays: every later call returns it again.
    pub fn next_text(&mut self) -> Result<Option<String>, SplitError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let result = self.scan();
        if let Err(error) = &result {
            self.failed = Some(error.clone());
            self.offending = self.unfinished().to_vec();
            self.buffer = Vec::new();
        }
        result
    }

    fn scan(&mut self) -> Result<Option<String>, SplitError> {
        if self.nesting.depth == 0 {
            self.skip_space()?;
        }
        let limit = self.start.saturating_add(self.max_bytes);
        let end = self.buffer.len().min(limit);
        let bytes = self.buffer.get(self.scanned..end).unwrap_or_default();
        let (passed, is_whole) = self.nesting.pass(bytes)?;
        self.scanned = self.scanned.saturating_add(passed);
        if is_whole {
            return self.take().map(Some);
        }
        if self.buffer.len() > limit {
            return Err(SplitError::TooLong(self.max_bytes));
        }
        self.compact();
        Ok(None)
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

    fn take(&mut self) -> Result<String, SplitError> {
        let bytes = self
            .buffer
            .get(self.start..self.scanned)
            .unwrap_or_default();
        let text = std::str::from_utf8(bytes)
            .map_err(|error| SplitError::NotUtf8(error.valid_up_to()))?
            .to_owned();
        self.start = self.scanned;
        if self.start >= COMPACT_AT || self.start == self.buffer.len() {
            self.compact();
        }
        Ok(text)
    }

    /// Drops what was consumed, and the memory of a huge text that is gone.
    fn compact(&mut self) {
        self.buffer.drain(..self.start);
        self.scanned = self.scanned.saturating_sub(self.start);
        self.start = 0;
        if self.buffer.capacity() > COMPACT_AT.saturating_mul(4) && self.buffer.len() < COMPACT_AT {
            self.buffer.shrink_to(COMPACT_AT);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(splitter: &mut Splitter) -> Vec<String> {
        std::iter::from_fn(|| splitter.next_text().unwrap()).collect()
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
    fn what_is_not_json_is_refused_at_once_and_for_good() {
        let mut splitter = Splitter::new();
        splitter.push(b"{} GET / HTTP/1.1");
        assert_eq!(splitter.next_text(), Ok(Some("{}".to_owned())));
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
