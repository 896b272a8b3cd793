//! Whether output is what a page shows.
//!
//! `...` alone on a line stands for any lines, within a line for any text. What differs from run to run is taken as equal to
//! its like: hashes and keys (16 hex digits or more, or any number of them before `...`), invoices, addresses,
//! short channel ids, and times.

/// Compares output with what a page shows: all of it, or a part of it.
///
/// # Errors
/// The first line on the page that did not come.
pub fn compare(shown: &str, came: &str, whole: bool) -> Result<(), String> {
    let shown = lines(shown);
    let came: Vec<String> = lines(came).into_iter().map(masked).collect();
    let mut patterns = Vec::new();
    if !whole {
        patterns.push(None);
    }
    patterns.extend(shown.iter().map(|line| {
        let is_gap = line.trim() == "...";
        (!is_gap).then(|| masked(line))
    }));
    if !whole {
        patterns.push(None);
    }
    match furthest(&patterns, &came) {
        Ok(()) => Ok(()),
        Err(at) => {
            let line = patterns.get(at).cloned().flatten();
            Err(line.map_or_else(
                || "more came than is shown".to_owned(),
                |line| format!("this line is not there: {}", line.trim()),
            ))
        }
    }
}

/// Without empty lines around them.
fn lines(text: &str) -> Vec<&str> {
    text.trim_matches('\n').lines().map(str::trim_end).collect()
}

/// Matches lines with patterns, of which `None` stands for any number of lines; if they do not match, which pattern was the first to
/// find nothing.
fn furthest(patterns: &[Option<String>], lines: &[String]) -> Result<(), usize> {
    // Where in the lines one can be after each pattern.
    let mut reached = vec![false; lines.len() + 1];
    if let Some(start) = reached.first_mut() {
        *start = true;
    }
    for (number, pattern) in patterns.iter().enumerate() {
        let mut next = vec![false; reached.len()];
        let mut open = false;
        for (at, place) in next.iter_mut().enumerate() {
            *place = match pattern {
                None => {
                    open |= reached.get(at) == Some(&true);
                    open
                }
                Some(pattern) => at.checked_sub(1).is_some_and(|before| {
                    reached.get(before) == Some(&true)
                        && lines.get(before).is_some_and(|line| fits(pattern, line))
                }),
            };
        }
        if !next.contains(&true) {
            return Err(number);
        }
        reached = next;
    }
    match reached.last() {
        Some(true) => Ok(()),
        Some(false) | None => Err(patterns.len()),
    }
}

/// Whether a line fits a pattern in which `...` stands for any text.
fn fits(pattern: &str, line: &str) -> bool {
    let mut parts = pattern.split("...");
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = line.strip_prefix(first) else {
        return false;
    };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        let Some((_, behind)) = rest.split_once(part) else {
            return false;
        };
        rest = behind;
    }
    true
}

/// The line with what differs from run to run replaced by its kind.
fn masked(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        if let Some(behind) = after_time(rest) {
            out.push_str("<time>");
            rest = behind;
            continue;
        }
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric());
        let (word, behind) = rest.split_at(end.unwrap_or(rest.len()));
        if word.is_empty() {
            out.push(first);
            rest = rest.get(first.len_utf8()..).unwrap_or_default();
            continue;
        }
        let cut = behind.strip_prefix("...");
        match kind(word, cut.is_some()) {
            Some(kind) => {
                out.push_str(kind);
                rest = cut.unwrap_or(behind);
            }
            None => {
                out.push_str(word);
                rest = behind;
            }
        }
    }
    out
}

/// What kind of thing that differs from run to run a word is; `cut` if `...` follows.
fn kind(word: &str, cut: bool) -> Option<&'static str> {
    let is_long = cut || word.len() > 30;
    let is_hex = word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let digits_only = word.bytes().all(|byte| byte.is_ascii_digit());
    if is_hex && (cut || (word.len() >= 16 && !digits_only) || word.len() >= 40) {
        Some("<hex>")
    } else if is_long && ["lnbc", "LNBC"].iter().any(|start| word.starts_with(start)) {
        Some("<invoice>")
    } else if is_long && word.starts_with("bcrt1") {
        Some("<address>")
    } else if word.len() == 10
        && digits_only
        && word
            .parse::<u64>()
            .is_ok_and(|number| (1_600_000_000..2_000_000_000).contains(&number))
    {
        // Seconds since 1970.
        Some("<time>")
    } else if is_short_channel_id(word) {
        Some("<short channel id>")
    } else {
        None
    }
}

/// Whether a word is like `103x1x0`: outputs of a transaction come in any order.
fn is_short_channel_id(word: &str) -> bool {
    let parts: Vec<&str> = word.split('x').collect();
    let is_number =
        |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    parts.len() == 3 && parts.iter().all(is_number)
}

/// What is behind a time such as `2026-11-23T03:55:32.475Z`.
fn after_time(text: &str) -> Option<&str> {
    const SHAPE: &str = "0000-00-00T00:00:00";
    let start = text.get(..SHAPE.len())?;
    let mut alike = start.bytes().zip(SHAPE.bytes());
    let fits =
        alike.all(|(found, wanted)| found == wanted || (wanted == b'0' && found.is_ascii_digit()));
    let rest = fits.then(|| text.get(SHAPE.len()..))??;
    let fraction = rest.trim_start_matches(|c: char| c == '.' || c.is_ascii_digit());
    fraction.strip_prefix('Z')
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "4f9671a9b0c1d2e3f405162738495a6b7c8d9eafb0c1d2e3f405162738495a6b";

    #[test]
    fn what_differs_from_run_to_run_is_alike() {
        for (shown, came) in [
            ("id: 4f9671a9...", HASH),
            ("\"at\": 1796010938", "1796099999"),
            (
                "2026-11-23T03:55:32.475Z INFO",
                "2027-01-02T00:00:00.001Z INFO",
            ),
            (
                "lnbcrt240p1p4s8w...",
                "lnbcrt240p1p4s8wfusp53avcknwvgm0dx6tuxujdtdpcwr9v",
            ),
        ] {
            let came = shown
                .split_once(": ")
                .map_or(came.to_owned(), |(name, _)| format!("{name}: {came}"));
            assert_eq!(compare(shown, &came, true), Ok(()), "{shown}");
        }
        assert!(compare("4200000000", "4200000001", true).is_err());
        assert!(compare("\"9000088a51a1\"", "\"9000088a51a2\"", true).is_err());
    }

    #[test]
    fn gaps_stand_for_anything_between() {
        let came = "p\nq\nr\ns";
        for (shown, whole, fits) in [
            ("p\n...\ns", true, true),
            ("q\nr", false, true),
            ("q\nr", true, false),
            ("q\ns", false, false),
            ("p\n...\nr\ns\n...", true, true),
            ("p\nq...\nr\ns", true, true),
            ("p\nq\nr\ns\nt", true, false),
        ] {
            assert_eq!(compare(shown, came, whole).is_ok(), fits, "{shown:?}");
        }
        assert!(fits("a ... c ... e", "a b c d e"));
        assert!(!fits("a ... c", "a b"));
    }

    #[test]
    fn the_line_that_is_missing_is_named() {
        let error = compare("a\nx", "a\nb", true).unwrap_err();
        assert_eq!(error, "this line is not there: x");
        let error = compare("a", "a\nb", true).unwrap_err();
        assert_eq!(error, "more came than is shown");
    }
}
