//! Options that change while the plugin runs.

use ln_rpc::RpcError;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::OptionValue;

/// The parameters of `setconfig`, as lightningd sends it to the plugin that has the option.
#[derive(Debug, Deserialize)]
pub(super) struct SetConfig {
    pub(super) config: String,
    #[serde(default)]
    val: Option<Value>,
}

/// Reads a new value and, unless it is only to be checked, sets it.
pub(super) type Setter<S> = Box<dyn Fn(&S, &SetConfig, bool) -> Result<(), RpcError> + Send + Sync>;

impl SetConfig {
    pub(super) fn parse(params: Option<&RawValue>) -> Result<Self, RpcError> {
        let params = params.map_or("null", RawValue::get);
        serde_json::from_str(params).map_err(|error| RpcError::invalid_params(error.to_string()))
    }

    pub(super) fn value<T: OptionValue>(&self) -> Result<T, RpcError> {
        T::read_new(self.val.as_ref()).ok_or_else(|| {
            let given = self.val.clone().unwrap_or_default();
            let problem = format!("{given} is no value for the option '{}'", self.config);
            RpcError::invalid_params(problem)
        })
    }
}

/// A setter made of what takes the value.
pub(super) fn setter<S, T: OptionValue>(
    set: impl Fn(&S, T) -> Result<(), String> + Send + Sync + 'static,
) -> Setter<S> {
    Box::new(move |state, wish, only_check| {
        let value: T = wish.value()?;
        if only_check {
            return Ok(());
        }
        set(state, value).map_err(RpcError::invalid_params)
    })
}
