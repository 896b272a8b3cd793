//! A file can be read in one sitting, a function on one screen.

use crate::source::Source;

/// The most lines of a file, tests included.
const FILE_LINES: usize = 1000;
/// The most lines of a function's body, without empty lines and comments.
const FUNCTION_LINES: usize = 70;
/// What lets a long function pass: clippy asks for it, too, with a reason.
const EXCEPTION: &str = "clippy::too_many_lines";

pub(super) fn check(sources: &[Source]) -> Vec<String> {
    let mut problems = Vec::new();
    for source in sources {
        let count = source.text.lines().count();
        if count > FILE_LINES {
            problems.push(format!(
                "{}: {count} lines; the most is {FILE_LINES}, aim for 400",
                source.path.display()
            ));
        }
        for (line, name, length) in long_functions(&source.text) {
            problems.push(format!(
                "{}:{line}: {name} has {length} lines; the most is {FUNCTION_LINES}, aim for 30",
                source.path.display()
            ));
        }
    }
    problems
}

/// Functions that are too long, with the number of their first line, relying on how rustfmt indents.
fn long_functions(text: &str) -> Vec<(usize, String, usize)> {
    let mut found = Vec::new();
    let lines: Vec<&str> = text.lines().collect();
    if text.contains(&format!("#![allow({EXCEPTION}")) {
        return found;
    }
    for (index, line) in lines.iter().enumerate() {
        let Some(name) = function_name(line) else {
            continue;
        };
        let indent = line.len().saturating_sub(line.trim_start().len());
        let closing = format!("{}}}", " ".repeat(indent));
        let rest = lines.get(index..).unwrap_or_default();
        // The body begins after the line that ends in a brace.
        let Some(start) = rest
            .iter()
            .position(|line| line.ends_with('{') || line.ends_with(';'))
        else {
            continue;
        };
        let body = rest.get(start.saturating_add(1)..).unwrap_or_default();
        let Some(end) = body.iter().position(|line| *line == closing) else {
            continue;
        };
        if rest.get(start).is_some_and(|line| line.ends_with(';')) {
            continue;
        }
        let length = body
            .iter()
            .take(end)
            .map(|line| line.trim())
            .filter(|line| !line.is_empty() && !line.starts_with("//"))
            .count();
        let attributes = lines
            .get(index.saturating_sub(6)..index)
            .unwrap_or_default();
        let excepted = attributes.iter().any(|line| line.contains(EXCEPTION));
        if length > FUNCTION_LINES && !excepted {
            found.push((index.saturating_add(1), name.to_owned(), length));
        }
    }
    found
}

fn function_name(line: &str) -> Option<&str> {
    let mut rest = line.trim_start();
    if let Some(visible) = rest.strip_prefix("pub") {
        rest = if let Some(scope) = visible.strip_prefix('(') {
            scope.split_once(')')?.1
        } else {
            visible
        };
        rest = rest.trim_start();
    }
    for word in ["const ", "async ", "extern \"C\" "] {
        rest = rest.strip_prefix(word).unwrap_or(rest);
    }
    let rest = rest.strip_prefix("fn ")?;
    rest.split(['(', '<']).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_functions_are_found_and_short_ones_are_not() {
        let body = |count: usize| "        x();\n\n        // why\n".repeat(count);
        let long = format!(
            "impl X {{\n    pub(crate) fn long(\n        a: u8,\n    ) {{\n{}    }}\n}}\n",
            body(71)
        );
        assert_eq!(long_functions(&long), [(2, "long".to_owned(), 71)]);
        let short = format!("fn short() {{\n{}}}\n", body(70));
        assert_eq!(long_functions(&short), []);
        let excepted = format!(
            "#[expect(clippy::too_many_lines, reason = \"\")]\n{}",
            short.replace("        x();", "        x();\n        y();")
        );
        assert_eq!(long_functions(&excepted), []);
    }

    #[test]
    fn functions_are_recognised() {
        for (line, name) in [
            ("fn a() {", Some("a")),
            ("    pub const fn b<T>(", Some("b")),
            ("pub(super) async fn c()", Some("c")),
            ("// fn d()", None),
            ("let fn_e = 1;", None),
        ] {
            assert_eq!(function_name(line), name, "{line}");
        }
    }
}
