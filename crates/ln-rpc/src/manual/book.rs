//! Chapters of the book that are lists.

use std::fmt::Write as _;

use crate::RpcErrorCode;
use crate::methods::{Category, MethodInfo};

/// All chapters, in the order of the book.
const CATEGORIES: [Category; 11] = [
    Category::Control,
    Category::Peers,
    Category::Channels,
    Category::Wallet,
    Category::Accounts,
    Category::Invoices,
    Category::Payments,
    Category::Gossip,
    Category::Datastore,
    Category::Plugins,
    Category::Developer,
];

/// The methods by chapter, in Markdown.
pub fn method_table(methods: &[MethodInfo]) -> String {
    let mut out = "# Methods\n\n\
                   <!-- Written by `cargo xtask gen` from crates/ln-rpc: change the declarations there. -->\n\n\
                   Parameters in brackets may be left out. `lightning-cli help <method>` shows a method's manual.\n"
        .to_owned();
    for category in CATEGORIES {
        let mut methods = methods
            .iter()
            .filter(|info| info.category == category)
            .peekable();
        if methods.peek().is_none() {
            continue;
        }
        write_line(&mut out, format_args!("\n## {}\n", category.title()));
        write_line(
            &mut out,
            format_args!("| method | parameters | what it does |\n|---|---|---|"),
        );
        for info in methods {
            let deprecated = if info.deprecated.is_some() {
                " (deprecated)"
            } else {
                ""
            };
            write_line(
                &mut out,
                format_args!(
                    "| `{}`{deprecated} | {} | {} |",
                    info.name,
                    info.usage(),
                    info.summary()
                ),
            );
        }
    }
    out
}

/// The error codes, in Markdown.
pub fn error_table() -> String {
    let mut out = "# Error codes\n\n\
                   <!-- Written by `cargo xtask gen` from crates/ln-rpc/src/error.rs: change the table there. -->\n\n\
                   | code | meaning |\n|---|---|\n"
        .to_owned();
    for code in RpcErrorCode::NAMED {
        write_line(
            &mut out,
            format_args!("| {} | {} |", code.number(), code.meaning().trim()),
        );
    }
    out
}

fn write_line(out: &mut String, line: std::fmt::Arguments<'_>) {
    writeln!(out, "{line}").expect("a string takes everything");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::methods::registry;

    #[test]
    fn every_method_and_code_is_listed() {
        let methods = method_table(registry());
        for info in registry() {
            assert!(
                methods.contains(&format!("| `{}`", info.name)),
                "{}",
                info.name
            );
        }
        assert!(error_table().contains("| -32601 | There is no such method"));
    }
}
