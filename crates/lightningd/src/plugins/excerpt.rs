//! What of a text from outside stands in a line of ours.

use std::fmt::Write as _;

/// How many characters are shown: enough to recognise who wrote it and where.
const SHOWN: usize = 120;

/// The start of a text in one line: control characters are escaped, and what is left out is told.
pub(super) fn excerpt(text: &str) -> String {
    let text = text.trim();
    let mut out = String::new();
    let mut shown = 0;
    for letter in text.chars().take(SHOWN) {
        shown += letter.len_utf8();
        if letter.is_control() {
            out.extend(letter.escape_default());
        } else {
            out.push(letter);
        }
    }
    if shown < text.len() {
        // Writing to a string can't fail.
        let _ = write!(out, "... ({} bytes)", text.len());
    }
    out
}

/// All of a text in one line.
pub(super) fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ")
}

/// [`excerpt`] of bytes that may be no text at all.
pub(super) fn excerpt_bytes(bytes: &[u8]) -> String {
    // A character has four bytes at most, and one more shows that there is more.
    let start = bytes.get(..SHOWN * 4 + 4).unwrap_or(bytes);
    excerpt(&String::from_utf8_lossy(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_short_and_harms_no_terminal() {
        assert_eq!(excerpt(" hello\n"), "hello");
        assert_eq!(excerpt("a\u{1b}[2J\nb"), "a\\u{1b}[2J\\nb");
        let long = "é".repeat(1000);
        assert_eq!(
            excerpt(&long),
            format!("{}... (2000 bytes)", "é".repeat(120))
        );
        assert_eq!(excerpt_bytes(b"\xffa"), "\u{fffd}a");
        assert!(excerpt_bytes(&vec![b'x'; 1_000_000]).len() < 200);
    }
}
