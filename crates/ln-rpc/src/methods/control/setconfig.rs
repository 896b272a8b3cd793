//! `setconfig`

use ln_types::Msat;

use crate::RpcError;
use crate::methods::rpc_method;
use crate::params::{FromParam, ParamEnv, Token, rpc_params};
use crate::shape::{Described, Shape, rpc_object};

rpc_method! {
    /// Changes an option while the node runs: one that `listconfigs` shows as dynamic.
    ///
    /// The change is also written to a file beside the config file, `config.setconfig`, which the config file includes from then on; lines
    /// that it replaces are commented out. An option of a plugin changes only if the plugin takes the new value; if it refuses, nothing
    /// changes anywhere.
    pub struct Setconfig = "setconfig" (SetconfigParams) -> SetconfigResponse {
        category: Control,
        since: "v23.08",
    }
}

rpc_params! {
    /// The parameters of `setconfig`.
    pub struct SetconfigParams {
        /// The option, without dashes.
        config: String,
        /// The new value; an array of all values for an option that can be given several times, nothing for one that takes no value.
        val: Option<ConfigValue>,
        /// Whether the change ends with the node instead of being written to a file.
        transient: bool = false,
    }
}

/// The value of an option: one, or all of those that can be given several times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConfigValue {
    /// One value, as text.
    One(String),
    /// All values.
    Many(Vec<String>),
}

impl Described for ConfigValue {
    fn shape() -> Shape {
        Shape::OneOf(vec![
            Shape::Scalar("string"),
            Shape::Scalar("integer"),
            Shape::Scalar("boolean"),
            Shape::Array(Box::new(Shape::Scalar("string"))),
        ])
    }
}

impl FromParam for ConfigValue {
    fn from_param(_: &str, token: Token<'_>, _: ParamEnv) -> Result<Self, RpcError> {
        let text = |token: Token<'_>| token.text().into_owned();
        Ok(match token.array() {
            Some(items) => Self::Many(items.into_iter().map(text).collect()),
            None => Self::One(text(token)),
        })
    }
}

rpc_object! {
    /// The answer to `setconfig`.
    pub struct SetconfigResponse {
        /// The option as it is now.
        config: SetconfigEntry,
    }

    /// One option: its value in the one member that fits its type, and where it comes from.
    pub struct SetconfigEntry {
        /// The option's name.
        config: String,
        /// The value of an option that takes text.
        value_str: Option<String>,
        /// The value of an option that takes an amount.
        value_msat: Option<Msat>,
        /// The value of an option that takes a number.
        value_int: Option<i64>,
        /// The value of an option that takes true or false.
        value_bool: Option<bool>,
        /// Whether an option without a value was given.
        set: Option<bool>,
        /// The values of an option that can be given several times, numbers as text.
        values_str: Option<Vec<String>>,
        /// Where the value comes from: file and line, or `setconfig transient`.
        source: Option<String>,
        /// Where each of several values comes from.
        sources: Option<Vec<String>>,
        /// The plugin whose option this is.
        plugin: Option<String>,
        /// Whether the option can be changed while the node runs: it just was.
        dynamic: bool,
    }
}
