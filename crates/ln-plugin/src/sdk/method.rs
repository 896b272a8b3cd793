//! Methods as they are declared.

use crate::protocol::{Deprecation, MethodDecl};

/// A method: its name, its parameters, what it is for.
///
/// ```
/// use ln_plugin::Method;
///
/// const HELLO: Method = Method::new("hello", "name [loud]").description("Says hello to somebody.");
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Method {
    pub(super) name: &'static str,
    pub(super) usage: &'static str,
    description: Option<&'static str>,
    long_description: Option<&'static str>,
    deprecated: &'static [&'static str],
}

impl Method {
    /// A method; `usage` names its parameters in order, optional ones in brackets.
    pub const fn new(name: &'static str, usage: &'static str) -> Self {
        Self {
            name,
            usage,
            description: None,
            long_description: None,
            deprecated: &[],
        }
    }

    /// What it does, in a line.
    #[must_use]
    pub const fn description(mut self, text: &'static str) -> Self {
        self.description = Some(text);
        self
    }

    /// What it does, at length.
    #[must_use]
    pub const fn long_description(mut self, text: &'static str) -> Self {
        self.long_description = Some(text);
        self
    }

    /// It should not be used any more: the version that began to say so, and perhaps the last one that will have it.
    #[must_use]
    pub const fn deprecated(mut self, versions: &'static [&'static str]) -> Self {
        self.deprecated = versions;
        self
    }

    pub(super) fn declaration(&self) -> MethodDecl {
        let versions = self.deprecated.iter().map(|version| (*version).to_owned());
        MethodDecl {
            name: self.name.to_owned(),
            usage: self.usage.to_owned(),
            description: self.description.map(ToOwned::to_owned),
            long_description: self.long_description.map(ToOwned::to_owned),
            deprecated: (!self.deprecated.is_empty())
                .then(|| Deprecation::Versions(versions.collect())),
        }
    }
}
