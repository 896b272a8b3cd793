//! The plugins linked into this program.

/// Their names, in the order they are started.
pub(crate) const BUILTIN_PLUGINS: &[&str] = &["bcli"];
