//! What Tor's control port answers: lines of a status and a text.

use super::control::TorError;

/// Bytes of a line.
pub(super) const MAX_LINE: usize = 4096;
/// Lines of an answer.
pub(super) const MAX_LINES: usize = 64;

/// Whether more lines of the answer follow, and the line's text. A line of another shape is none of Tor's.
pub(super) fn line(text: &str) -> Result<(u16, bool, &str), TorError> {
    let not_tor = || TorError::NotTor;
    let status = text.get(..3).and_then(|status| status.parse().ok());
    let more = match text.as_bytes().get(3) {
        Some(b' ') => false,
        Some(b'-') => true,
        _ => return Err(not_tor()),
    };
    let rest = text.get(4..).ok_or_else(not_tor)?;
    Ok((status.ok_or_else(not_tor)?, more, rest))
}

/// How Tor wants to know that we may give it orders.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Methods {
    /// Anybody may.
    pub(super) null: bool,
    /// Who knows the password.
    pub(super) password: bool,
    /// Who can read this file.
    pub(super) cookie_file: Option<String>,
}

/// Reads the answer to `PROTOCOLINFO`.
pub(super) fn methods(lines: &[String]) -> Option<Methods> {
    let line = lines.iter().find_map(|line| line.strip_prefix("AUTH "))?;
    let names = line.strip_prefix("METHODS=")?;
    let (names, rest) = names.split_once(' ').unwrap_or((names, ""));
    let has = |method| names.split(',').any(|name| name == method);
    let cookie = rest.strip_prefix("COOKIEFILE=").and_then(quoted);
    Some(Methods {
        null: has("NULL"),
        password: has("HASHEDPASSWORD"),
        cookie_file: cookie.filter(|_| has("COOKIE")),
    })
}

/// A text in quotes, without them and without backslashes.
fn quoted(text: &str) -> Option<String> {
    let mut letters = text.strip_prefix('"')?.chars();
    let mut plain = String::new();
    loop {
        match letters.next()? {
            '"' => return Some(plain),
            '\\' => plain.push(letters.next()?),
            letter => plain.push(letter),
        }
    }
}

/// A text as Tor reads it in quotes.
pub(super) fn quote(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> Option<Methods> {
        methods(&[
            "PROTOCOLINFO 1".to_owned(),
            line.to_owned(),
            "OK".to_owned(),
        ])
    }

    #[test]
    fn lines_have_a_status_and_say_whether_more_come() {
        assert_eq!(
            line("250-AUTH METHODS=NULL").unwrap(),
            (250, true, "AUTH METHODS=NULL")
        );
        assert_eq!(line("515 Bad").unwrap(), (515, false, "Bad"));
        for text in ["", "250", "HTTP/1.1 400 Bad Request", "25é OK", "250+data"] {
            assert!(line(text).is_err(), "{text}");
        }
    }

    #[test]
    fn methods_are_those_that_tor_offers() {
        let cookie =
            r#"AUTH METHODS=COOKIE,SAFECOOKIE,HASHEDPASSWORD COOKIEFILE="/run/t\"or/a\\b""#;
        let expected = Methods {
            null: false,
            password: true,
            cookie_file: Some(r#"/run/t"or/a\b"#.to_owned()),
        };
        assert_eq!(of(cookie), Some(expected));
        assert!(of("AUTH METHODS=NULL").is_some_and(|methods| methods.null));
        let unfinished = of(r#"AUTH METHODS=COOKIE COOKIEFILE="/run"#);
        assert_eq!(unfinished, Some(Methods::default()));
        assert_eq!(of("VERSION Tor=\"0.4.8\""), None);
        assert_eq!(quote(r#"a"b\c"#), r#""a\"b\\c""#);
    }
}
