//! One page for `man`.

use super::{param_note, type_name};
use crate::methods::MethodInfo;
use crate::shape::{FieldInfo, Shape};

/// The page `lightning-<method>` of section 7, in roff.
pub fn man_page(info: &MethodInfo) -> String {
    let mut page = Page::default();
    page.line(&format!(
        ".TH \"LIGHTNING-{}\" \"7\" \"\" \"Fulgurite\" \"Fulgurite manual\"",
        info.name.to_uppercase()
    ));
    page.section("NAME");
    page.text(&format!("lightning-{} - {}", info.name, info.summary()));
    page.section("SYNOPSIS");
    let words: String = info
        .params
        .iter()
        .filter(|param| !param.is_developer_only())
        .map(|param| {
            if param.required {
                format!(" *{}*", param.name)
            } else {
                format!(" [*{}*]", param.name)
            }
        })
        .collect();
    page.text(&format!("`{}`{words}", info.name));
    page.section("DESCRIPTION");
    if info.developer {
        page.text(
            "For developers: a node has this command only if it was started with `--developer`.",
        );
        page.line(".PP");
    }
    if let Some(deprecated) = info.deprecated {
        page.text(&format!(
            "Deprecated since {}; the last version with this command is {}.",
            deprecated.since, deprecated.until
        ));
        page.line(".PP");
    }
    page.paragraphs(info.description);
    if !info.params.is_empty() {
        page.section("PARAMETERS");
        for param in info.params {
            page.line(".TP");
            page.text(&format!("`{}` ({})", param.name, param_note(param)));
            page.paragraphs(param.doc);
            for alias in param.aliases {
                page.text(&format!("It may also be given as `{alias}`."));
            }
            for former in param.formerly {
                page.text(&format!("Its deprecated name is `{former}`."));
            }
        }
    }
    page.section("RETURN VALUE");
    page.response(&(info.response)());
    page.section("SEE ALSO");
    page.text("lightning-cli(1), lightning-help(7)");
    page.0
}

#[derive(Default)]
struct Page(String);

impl Page {
    fn line(&mut self, line: &str) {
        self.0.push_str(line);
        self.0.push('\n');
    }

    fn section(&mut self, title: &str) {
        self.line(&format!(".SH \"{title}\""));
    }

    /// Text with `bold` and *slanted* words.
    fn text(&mut self, text: &str) {
        let line = escaped(text);
        // A line that begins so would be taken for a command.
        if line.starts_with(['.', '\'']) {
            self.0.push_str("\\&");
        }
        self.line(&line);
    }

    fn paragraphs(&mut self, doc: &str) {
        let mut empty = false;
        for line in doc.trim().lines().map(str::trim) {
            if line.is_empty() {
                empty = true;
                continue;
            }
            if std::mem::take(&mut empty) {
                self.line(".PP");
            }
            self.text(line);
        }
    }

    fn response(&mut self, shape: &Shape) {
        if let Shape::Object(fields) = shape {
            if fields.is_empty() {
                self.text("An object without members.");
            } else {
                self.text("An object with these members:");
                self.fields(fields);
            }
        } else {
            self.text(&format!("{}.", type_name(shape)));
        }
    }

    fn fields(&mut self, fields: &[FieldInfo]) {
        for field in fields {
            let shape = (field.shape)();
            let optional = if field.required { "" } else { ", optional" };
            self.line(".TP");
            self.text(&format!(
                "`{}` ({}{optional})",
                field.name,
                type_name(&shape)
            ));
            self.paragraphs(field.doc);
            let below = if let Shape::Array(items) = &shape {
                items
            } else {
                &shape
            };
            if let Shape::Object(fields) = below {
                self.line(".RS");
                self.fields(fields);
                self.line(".RE");
            }
        }
    }
}

/// Roff's escapes; what stands between backticks becomes bold, between stars slanted.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    let (mut bold, mut slanted) = (false, false);
    for letter in text.chars() {
        match letter {
            '`' => {
                bold = !bold;
                out.push_str(if bold { "\\fB" } else { "\\fR" });
            }
            '*' => {
                slanted = !slanted;
                out.push_str(if slanted { "\\fI" } else { "\\fR" });
            }
            '\\' => out.push_str("\\e"),
            '-' => out.push_str("\\-"),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::methods::{find, registry};

    #[test]
    fn a_page_has_what_the_declaration_says() {
        let page = man_page(find("invoice").unwrap());
        for line in [
            ".TH \"LIGHTNING-INVOICE\" \"7\" \"\" \"Fulgurite\" \"Fulgurite manual\"",
            "lightning\\-invoice \\- Makes an invoice that others can pay.",
            "\\fBexpiry\\fR (u64, optional, default 604800)",
            "\\fBbolt11\\fR (string)",
        ] {
            assert!(page.lines().any(|found| found == line), "{line}\n{page}");
        }
    }

    #[test]
    fn no_text_is_taken_for_a_command() {
        assert_eq!(escaped("a-b `c` *d* \\"), "a\\-b \\fBc\\fR \\fId\\fR \\e");
        for info in registry() {
            for line in man_page(info).lines() {
                let known = [".TH", ".SH", ".TP", ".PP", ".RS", ".RE"];
                let command = line.split(' ').next().unwrap_or_default();
                assert!(
                    !line.starts_with(['.', '\'']) || known.contains(&command),
                    "{line}"
                );
            }
        }
    }
}
