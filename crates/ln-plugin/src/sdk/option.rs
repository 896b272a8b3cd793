//! Options with a type.

use std::marker::PhantomData;

use serde_json::Value;

use crate::protocol::{Deprecation, OptionDecl, OptionType};

/// A type that an option's value can have.
pub trait OptionValue: Sized {
    /// What the manifest says it takes.
    const KIND: OptionType;
    /// Whether it may be given many times.
    const MULTI: bool = false;

    /// Reads the value `init` gives; `None` if it is of another type.
    fn read(value: &Value) -> Option<Self>;

    /// Reads the value `setconfig` gives: text, an array of texts, or nothing.
    fn read_new(value: Option<&Value>) -> Option<Self>;
}

impl OptionValue for String {
    const KIND: OptionType = OptionType::String;
    fn read(value: &Value) -> Option<Self> {
        value.as_str().map(ToOwned::to_owned)
    }
    fn read_new(value: Option<&Value>) -> Option<Self> {
        Self::read(value?)
    }
}

impl OptionValue for i64 {
    const KIND: OptionType = OptionType::Int;
    fn read(value: &Value) -> Option<Self> {
        value.as_i64()
    }
    fn read_new(value: Option<&Value>) -> Option<Self> {
        let value = value?;
        value.as_i64().or_else(|| value.as_str()?.parse().ok())
    }
}

impl OptionValue for bool {
    const KIND: OptionType = OptionType::Bool;
    fn read(value: &Value) -> Option<Self> {
        value.as_bool()
    }
    fn read_new(value: Option<&Value>) -> Option<Self> {
        match value {
            // A flag that is set.
            None => Some(true),
            Some(value) => value.as_bool().or_else(|| value.as_str()?.parse().ok()),
        }
    }
}

impl<T: OptionValue> OptionValue for Vec<T> {
    const KIND: OptionType = T::KIND;
    const MULTI: bool = true;
    fn read(value: &Value) -> Option<Self> {
        value.as_array()?.iter().map(T::read).collect()
    }
    fn read_new(value: Option<&Value>) -> Option<Self> {
        let items = value.and_then(Value::as_array).map(Vec::as_slice);
        let items = items.unwrap_or_default().iter();
        items.map(|item| T::read_new(Some(item))).collect()
    }
}

/// An option of a plugin, declared as a constant and read with [`Init::option`](crate::Init::option).
#[derive(Debug, Clone, Copy)]
pub struct PluginOption<T> {
    pub(super) name: &'static str,
    description: &'static str,
    default: Option<&'static str>,
    kind: Option<OptionType>,
    deprecated: &'static [&'static str],
    developer: bool,
    value: PhantomData<fn() -> T>,
}

impl<T: OptionValue> PluginOption<T> {
    /// An option without a default.
    pub const fn new(name: &'static str, description: &'static str) -> Self {
        Self {
            name,
            description,
            default: None,
            kind: None,
            deprecated: &[],
            developer: false,
            value: PhantomData,
        }
    }

    /// With a default, written as JSON: `60`, `true`, `"text"`.
    #[must_use]
    pub const fn with_default(mut self, json: &'static str) -> Self {
        self.default = Some(json);
        self
    }

    /// Only there if the node runs with `--developer`.
    #[must_use]
    pub const fn developer_only(mut self) -> Self {
        self.developer = true;
        self
    }

    /// Its text is not shown by `listconfigs`.
    #[must_use]
    pub const fn concealed(mut self) -> Self {
        self.kind = Some(OptionType::StringConceal);
        self
    }

    /// It should not be used any more: the version that began to say so, and perhaps the last one that will have it.
    #[must_use]
    pub const fn deprecated(mut self, versions: &'static [&'static str]) -> Self {
        self.deprecated = versions;
        self
    }

    pub(super) fn is_developer_only(&self) -> bool {
        self.developer
    }

    pub(super) fn declaration(&self) -> OptionDecl {
        let default = self.default.map(|json| {
            serde_json::from_str(json).expect("defaults are constants, written as JSON")
        });
        OptionDecl {
            name: self.name.to_owned(),
            kind: self.kind.unwrap_or(T::KIND),
            description: self.description.to_owned(),
            default,
            deprecated: (!self.deprecated.is_empty()).then(|| {
                let versions = self.deprecated.iter();
                Deprecation::Versions(versions.map(|version| (*version).to_owned()).collect())
            }),
            dynamic: false,
            multi: T::MULTI,
        }
    }

    /// The value in effect: the one given, else the default.
    pub(super) fn value(&self, given: Option<&Value>) -> Option<T> {
        given
            .and_then(T::read)
            .or_else(|| T::read(&serde_json::from_str(self.default?).ok()?))
    }
}

impl PluginOption<bool> {
    /// An option without a value: `--name` sets it.
    #[must_use]
    pub const fn flag(mut self) -> Self {
        self.kind = Some(OptionType::Flag);
        self
    }
}
