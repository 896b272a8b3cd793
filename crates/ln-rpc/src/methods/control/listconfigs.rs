//! `listconfigs`

use ln_types::Msat;
use serde::{Serialize, Serializer};

use crate::methods::rpc_method;
use crate::params::rpc_params;
use crate::shape::{Described, Shape, rpc_object};

rpc_method! {
    /// Shows the options the node runs with and where each was set.
    ///
    /// Options for developers are shown only when they were set, or when one is asked for by name.
    pub struct Listconfigs = "listconfigs" (ListconfigsParams) -> ListconfigsResponse {
        category: Control,
        since: "",
    }
}

rpc_params! {
    /// The parameters of `listconfigs`.
    pub struct ListconfigsParams {
        /// The option to show, without dashes; all of them if this is left out.
        config: Option<String>,
    }
}

rpc_object! {
    /// The answer to `listconfigs`.
    pub struct ListconfigsResponse {
        /// The options by name.
        configs: Option<ConfigMap>,
    }

    /// One option: its value in the one member that fits its type, and where it comes from.
    pub struct ConfigEntry {
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
        /// The values of an option that can be given several times.
        values_str: Option<Vec<String>>,
        /// The numbers of an option that can be given several times.
        values_int: Option<Vec<i64>>,
        /// Where the value comes from: `default`, `cmdline`, or file and line.
        source: Option<String>,
        /// Where each of several values comes from.
        sources: Option<Vec<String>>,
        /// The plugin whose option this is.
        plugin: Option<String>,
        /// Whether `setconfig` can change it while the node runs.
        dynamic: Option<bool>,
    }
}

/// Options by name, in the order they are shown.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ConfigMap(pub Vec<(String, ConfigEntry)>);

impl Described for ConfigMap {
    fn shape() -> Shape {
        Shape::Map(Box::new(ConfigEntry::shape()))
    }
}

impl Serialize for ConfigMap {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, entry)| (name, entry)))
    }
}
