//! Parameters: given by position or by name, declared once per method, read into types.

mod declare;
mod env;
mod numbers;
mod token;
mod values;
mod words;

pub use declare::{NoParams, ParamInfo, Params, RpcParams, usage};
pub use env::ParamEnv;
pub use token::Token;
pub use values::{FromParam, Param};
pub use words::{Flag, Hex, Label, MsatOrAny, SatOrAll, Secret32};

pub(crate) use declare::{param_default, param_required, param_value, rpc_params};
