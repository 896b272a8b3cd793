//! The declaration of a method's parameters, and finding each of them in what a client sent.

use serde_json::value::RawValue;

use super::{ParamEnv, Token};
use crate::RpcError;
use crate::shape::Shape;

/// One parameter of a method.
#[derive(Debug, Clone, Copy)]
pub struct ParamInfo {
    /// Its name; its position is its place in the list.
    pub name: &'static str,
    /// Other names under which it is taken.
    pub aliases: &'static [&'static str],
    /// Names that it had: each is an entry of [`crate::deprecated::DEPRECATED`].
    pub formerly: &'static [&'static str],
    /// Whether it must be given.
    pub required: bool,
    /// What counts when it is not given, in Rust's spelling.
    pub default: Option<&'static str>,
    /// The version since which it is deprecated.
    pub deprecated: Option<&'static str>,
    /// What it means: the doc comment.
    pub doc: &'static str,
    /// Its shape.
    pub shape: fn() -> Shape,
}

impl ParamInfo {
    /// Whether only a node with `--developer` takes it.
    pub fn is_developer_only(&self) -> bool {
        self.name.starts_with("dev_") || self.name.starts_with("dev-")
    }

    /// What counts when it is not given, as a user would write it: `604800`, `must-create`.
    pub fn default_text(&self) -> Option<String> {
        let rust = self.default?;
        if let Some((_, variant)) = rust.rsplit_once("::") {
            let mut word = String::new();
            for letter in variant.chars() {
                if letter.is_ascii_uppercase() && !word.is_empty() {
                    word.push('-');
                }
                word.push(letter.to_ascii_lowercase());
            }
            return Some(word);
        }
        let number = rust.split("_u").next().unwrap_or(rust);
        Some(number.replace('_', ""))
    }

    fn is_named(&self, name: &str) -> bool {
        self.name == name || self.aliases.contains(&name) || self.formerly.contains(&name)
    }
}

/// The usage line of `help`: `id amount [feerate]`.
pub fn usage(infos: &[ParamInfo]) -> String {
    let words: Vec<String> = infos
        .iter()
        .map(|info| {
            if info.required {
                info.name.to_owned()
            } else {
                format!("[{}]", info.name)
            }
        })
        .collect();
    words.join(" ")
}

/// Parameters as a client sent them.
#[derive(Debug, Clone)]
pub enum Params<'a> {
    /// In an array.
    Positional(Vec<Token<'a>>),
    /// In an object.
    Named(Vec<(String, Token<'a>)>),
}

impl<'a> Params<'a> {
    /// No parameters.
    pub const NONE: Self = Self::Positional(Vec::new());

    /// Reads the `params` member of a request.
    pub fn parse(raw: &'a RawValue) -> Result<Self, RpcError> {
        let token = Token::new(raw);
        if let Some(items) = token.array() {
            return Ok(Self::Positional(items));
        }
        if let Some(members) = token.members() {
            return Ok(Self::Named(members));
        }
        Err(RpcError::invalid_params(
            "Expected array or object for params",
        ))
    }

    /// Takes one parameter away: the one named so, or the first by position. For methods that pass the others on (`check`).
    pub fn take(&mut self, name: &str) -> Option<Token<'a>> {
        match self {
            Self::Positional(items) => (!items.is_empty()).then(|| items.remove(0)),
            Self::Named(members) => {
                let index = members.iter().position(|(key, _)| key == name)?;
                Some(members.remove(index).1)
            }
        }
    }

    /// Puts each parameter into its slot. What is not declared goes to `extra`, or is an error where there is none.
    pub fn bind(
        &self,
        infos: &[ParamInfo],
        env: ParamEnv,
        extra: Option<&mut Vec<(String, Token<'a>)>>,
    ) -> Result<Vec<Option<Token<'a>>>, RpcError> {
        match self {
            Self::Positional(items) => bind_positional(items, infos, env, extra),
            Self::Named(members) => bind_named(members, infos, env, extra),
        }
    }
}

fn bind_positional<'a>(
    items: &[Token<'a>],
    infos: &[ParamInfo],
    env: ParamEnv,
    extra: Option<&mut Vec<(String, Token<'a>)>>,
) -> Result<Vec<Option<Token<'a>>>, RpcError> {
    let mut slots = vec![None; infos.len()];
    for (index, (slot, (info, item))) in slots.iter_mut().zip(infos.iter().zip(items)).enumerate() {
        if item.is_null() {
            continue;
        }
        if info.is_developer_only() && !env.developer {
            return Err(RpcError::invalid_params(format!(
                "Parameter {index} is developer-only"
            )));
        }
        *slot = Some(*item);
    }
    let rest = items.get(infos.len()..).unwrap_or_default();
    match extra {
        Some(extra) => extra.extend(rest.iter().map(|item| (String::new(), *item))),
        None if rest.is_empty() => {}
        None => {
            return Err(RpcError::invalid_params(format!(
                "too many parameters: got {}, expected {}",
                items.len(),
                infos.len()
            )));
        }
    }
    Ok(slots)
}

fn bind_named<'a>(
    members: &[(String, Token<'a>)],
    infos: &[ParamInfo],
    env: ParamEnv,
    mut extra: Option<&mut Vec<(String, Token<'a>)>>,
) -> Result<Vec<Option<Token<'a>>>, RpcError> {
    let mut slots = vec![None; infos.len()];
    let mut seen = vec![false; infos.len()];
    for (name, value) in members {
        let found = infos
            .iter()
            .zip(slots.iter_mut().zip(seen.iter_mut()))
            .find(|(info, _)| info.is_named(name))
            .filter(|(info, _)| info.deprecated.is_none() || env.deprecated_ok);
        let Some((info, (slot, seen))) = found else {
            if let Some(extra) = &mut extra {
                extra.push((name.clone(), *value));
                continue;
            }
            return Err(RpcError::invalid_params(format!(
                "unknown parameter: {name}, this may be caused by a failure to autodetect key=value-style parameters. \
                 Please try using the -k flag and explicit key=value pairs of parameters."
            )));
        };
        if info.formerly.contains(&name.as_str()) && !env.allows(name) {
            return Err(RpcError::invalid_params(format!(
                "parameter '{name}' is deprecated: write '{}' instead",
                info.name
            )));
        }
        if std::mem::replace(seen, true) {
            return Err(RpcError::invalid_params(format!(
                "duplicate json names: {}",
                info.name
            )));
        }
        if value.is_null() {
            continue;
        }
        if info.is_developer_only() && !env.developer {
            return Err(RpcError::invalid_params(format!(
                "Parameter '{}' is developer-only",
                info.name
            )));
        }
        *slot = Some(*value);
    }
    Ok(slots)
}

/// The parameters of one method, made by [`rpc_params!`](crate::params).
pub trait RpcParams: Sized {
    /// What there is, in positional order.
    const PARAMS: &'static [ParamInfo];
    /// Whether parameters beyond those are passed on instead of refused.
    const TAKES_EXTRA: bool = false;

    /// Reads them. The first value that is wrong is told, then the first that is missing.
    fn from_params(params: &Params<'_>, env: ParamEnv) -> Result<Self, RpcError>;

    /// Reads them from the `params` member of a request.
    fn parse(raw: &RawValue, env: ParamEnv) -> Result<Self, RpcError> {
        Self::from_params(&Params::parse(raw)?, env)
    }

    /// Reads them from a value made inside the node.
    fn parse_value(value: &serde_json::Value, env: ParamEnv) -> Result<Self, RpcError> {
        let raw = serde_json::value::to_raw_value(value)
            .map_err(|error| RpcError::invalid_params(error.to_string()))?;
        Self::parse(&raw, env)
    }
}

/// Whether a declaration makes a parameter compulsory: not if it has a default.
macro_rules! param_required {
    ($ty:ty) => {
        <$ty as $crate::shape::Member>::REQUIRED
    };
    ($ty:ty, $default:expr) => {
        false
    };
}

/// The text of a default.
macro_rules! param_default {
    () => {
        None
    };
    ($default:expr) => {
        Some(stringify!($default))
    };
}

/// What a declaration makes of what was read.
macro_rules! param_value {
    ($name:expr, $read:expr, $ty:ty) => {
        <$ty as $crate::params::Param>::finish($name, $read)?
    };
    ($name:expr, $read:expr, $ty:ty, $default:expr) => {
        $read.unwrap_or_else(|| $default.into())
    };
}

/// Declares the parameters of a method in positional order: the struct and how it is read.
///
/// - `name: Type` must be given; `name: Option<Type>` need not; `name: Type = value` has a default;
/// - `name as "other-name"` gives it another name on the wire, `name | "alias"` one more name,
///   `name formerly "old-name"` takes the old name while deprecated things are allowed,
///   `name since_deprecated "v26.06"` refuses it unless deprecated things are allowed;
/// - a name that begins with `dev_` or `dev-` is refused unless the node runs with `--developer`;
/// - `..rest` at the end collects what is not declared.
macro_rules! rpc_params {
    ($(#[doc = $doc:literal])* pub struct $name:ident {
        $($(#[doc = $fdoc:literal])* $field:ident $(as $json:literal)? $(| $alias:literal)* $(formerly $formerly:literal)* $(since_deprecated $depr:literal)?
            : $ty:ty $(= $default:expr)?,)*
        $(.. $rest:ident $(,)?)?
    }) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, PartialEq)]
        pub struct $name {
            $($(#[doc = $fdoc])* pub $field: $ty,)*
            $(/// What is not declared, with its name, or with an empty one if it came by position.
            pub $rest: Vec<(String, serde_json::Value)>,)?
        }

        impl $crate::params::RpcParams for $name {
            const PARAMS: &'static [$crate::params::ParamInfo] = &[$($crate::params::ParamInfo {
                name: $crate::shape::json_name!($field $($json)?),
                aliases: &[$($alias),*],
                formerly: &[$($formerly),*],
                required: $crate::params::param_required!($ty $(, $default)?),
                default: $crate::params::param_default!($($default)?),
                deprecated: [$(Some($depr),)? None][0],
                doc: concat!($($fdoc, "\n"),*),
                shape: <$ty as $crate::shape::Member>::member_shape,
            },)*];
            $(const TAKES_EXTRA: bool = { stringify!($rest); true };)?

            fn from_params(
                params: &$crate::params::Params<'_>,
                env: $crate::params::ParamEnv,
            ) -> Result<Self, $crate::RpcError> {
                let mut extra = Vec::new();
                let takes_extra = <Self as $crate::params::RpcParams>::TAKES_EXTRA;
                let slots = params.bind(
                    <Self as $crate::params::RpcParams>::PARAMS,
                    env,
                    takes_extra.then_some(&mut extra),
                )?;
                let mut slots = slots.into_iter();
                $(let $field = <$ty as $crate::params::Param>::read(
                    $crate::shape::json_name!($field $($json)?),
                    slots.next().flatten(),
                    env,
                )?;)*
                Ok(Self {
                    $($field: $crate::params::param_value!(
                        $crate::shape::json_name!($field $($json)?), $field, $ty $(, $default)?
                    ),)*
                    $($rest: extra.into_iter().map(|(name, token)| (name, token.value())).collect(),)?
                })
            }
        }
    };
}

pub(crate) use {param_default, param_required, param_value, rpc_params};

/// The parameters of a method that has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoParams;

impl RpcParams for NoParams {
    const PARAMS: &'static [ParamInfo] = &[];

    fn from_params(params: &Params<'_>, env: ParamEnv) -> Result<Self, RpcError> {
        params.bind(Self::PARAMS, env, None).map(|_| Self)
    }
}

#[cfg(test)]
#[path = "declare_tests.rs"]
mod tests;
