//! `datastore`

use crate::RpcError;
use crate::methods::rpc_method;
use crate::params::{FromParam, Hex, ParamEnv, Token, rpc_params};
use crate::shape::{Described, Shape, rpc_enum, rpc_object};

rpc_method! {
    /// Keeps a value under a key.
    ///
    /// Keys are paths: a key with children has no value of its own. Exactly one of `string` and `hex` is to be given.
    pub struct Datastore = "datastore" (DatastoreParams) -> DatastoreEntry {
        category: Datastore,
        since: "",
    }
}

rpc_params! {
    /// The parameters of `datastore`.
    pub struct DatastoreParams {
        /// The key.
        key: DatastoreKey,
        /// The value as text.
        string: Option<String>,
        /// The value as bytes.
        hex: Option<Hex>,
        /// What may be there before.
        mode: DatastoreMode = DatastoreMode::MustCreate,
        /// How often it must have been written before; only with `must-replace` and `must-append`.
        generation: Option<u64>,
    }
}

rpc_object! {
    /// A key and its value.
    pub struct DatastoreEntry {
        /// The key.
        key: Vec<String>,
        /// How often it was written.
        generation: Option<u64>,
        /// The value.
        hex: Option<Hex>,
        /// The value, if it is text.
        string: Option<String>,
    }
}

rpc_enum! {
    /// What may be under a key before a value is written.
    pub enum DatastoreMode ("should be 'must-create', 'must-replace', 'create-or-replace', 'must-append', or 'create-or-append'") {
        /// Nothing.
        MustCreate = "must-create",
        /// A value, which is replaced.
        MustReplace = "must-replace",
        /// Anything, which is replaced.
        CreateOrReplace = "create-or-replace",
        /// A value, which is appended to.
        MustAppend = "must-append",
        /// Anything, which is appended to.
        CreateOrAppend = "create-or-append",
    }
}

/// A key: its parts from the root. A single string is a key of one part.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DatastoreKey(pub Vec<String>);

impl Described for DatastoreKey {
    fn shape() -> Shape {
        Shape::OneOf(vec![
            Shape::Array(Box::new(String::shape())),
            String::shape(),
        ])
    }
}

impl FromParam for DatastoreKey {
    fn from_param(name: &str, token: Token<'_>, env: ParamEnv) -> Result<Self, RpcError> {
        let Some(items) = token.array() else {
            if token.members().is_some() {
                return Err(env.bad_token(name, token, "should be string or array"));
            }
            return Ok(Self(vec![token.text().into_owned()]));
        };
        if items.is_empty() {
            return Err(env.bad_token(name, token, "should not be empty"));
        }
        let part = |item: Token<'_>| {
            if item.array().is_some() || item.members().is_some() {
                return Err(env.bad_token(name, item, "should be string"));
            }
            Ok(item.text().into_owned())
        };
        items
            .into_iter()
            .map(part)
            .collect::<Result<_, _>>()
            .map(Self)
    }
}
