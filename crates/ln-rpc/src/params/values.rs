//! Reading a parameter into a type.

use serde_json::{Map, Value};

use super::{ParamEnv, Token};
use crate::RpcError;
use crate::shape::{Described, Member};

/// A type that a parameter can have.
pub trait FromParam: Described + Sized {
    /// Reads the value of the parameter called `name`.
    fn from_param(name: &str, token: Token<'_>, env: ParamEnv) -> Result<Self, RpcError>;

    /// Reads one item of an array of these.
    fn from_item(name: &str, token: Token<'_>, env: ParamEnv) -> Result<Self, RpcError> {
        Self::from_param(name, token, env)
    }

    /// The error for what should be an array of these and is none.
    fn not_an_array(name: &str, token: Token<'_>, env: ParamEnv) -> RpcError {
        env.bad_token(name, token, "should be an array")
    }
}

/// A parameter: of a type that must be given, or an `Option` of one.
pub trait Param: Member + Sized {
    /// The type of the value when it is given.
    type Inner: FromParam;

    /// Reads it where it is given.
    fn read(
        name: &str,
        token: Option<Token<'_>>,
        env: ParamEnv,
    ) -> Result<Option<Self::Inner>, RpcError> {
        token
            .map(|token| Self::Inner::from_param(name, token, env))
            .transpose()
    }

    /// Insists on it if it must be given.
    fn finish(name: &str, read: Option<Self::Inner>) -> Result<Self, RpcError>;
}

impl<T: FromParam> Param for T {
    type Inner = T;

    fn finish(name: &str, read: Option<T>) -> Result<Self, RpcError> {
        read.ok_or_else(|| RpcError::invalid_params(format!("missing required parameter: {name}")))
    }
}

impl<T: FromParam> Param for Option<T> {
    type Inner = T;

    fn finish(_name: &str, read: Self) -> Result<Self, RpcError> {
        Ok(read)
    }
}

impl<T: FromParam> FromParam for Vec<T> {
    fn from_param(name: &str, token: Token<'_>, env: ParamEnv) -> Result<Self, RpcError> {
        let items = token
            .array()
            .ok_or_else(|| T::not_an_array(name, token, env))?;
        items
            .into_iter()
            .map(|item| T::from_item(name, item, env))
            .collect()
    }
}

/// Anything is a string: a number or an object is its own text.
impl FromParam for String {
    fn from_param(_name: &str, token: Token<'_>, _env: ParamEnv) -> Result<Self, RpcError> {
        Ok(token.text().into_owned())
    }
}

impl FromParam for bool {
    fn from_param(name: &str, token: Token<'_>, env: ParamEnv) -> Result<Self, RpcError> {
        match token.raw() {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(env.bad_token(name, token, "should be 'true' or 'false'")),
        }
    }
}

impl FromParam for Value {
    fn from_param(_name: &str, token: Token<'_>, _env: ParamEnv) -> Result<Self, RpcError> {
        Ok(token.value())
    }
}

impl FromParam for Map<String, Value> {
    fn from_param(name: &str, token: Token<'_>, env: ParamEnv) -> Result<Self, RpcError> {
        if let Value::Object(members) = token.value() {
            Ok(members)
        } else {
            Err(env.bad_token(name, token, "should be an object"))
        }
    }
}

/// Types that are read from the text of a string or number, each with what a wrong one is answered with.
macro_rules! from_text {
    ($($ty:ty => $expected:literal,)*) => {
        $(impl FromParam for $ty {
            fn from_param(name: &str, token: Token<'_>, env: ParamEnv) -> Result<Self, RpcError> {
                token.text().parse().map_err(|_| env.bad_token(name, token, $expected))
            }
        })*
    };
}

from_text! {
    ln_types::Msat => "should be a millisatoshi amount",
    ln_types::Sat => "should be a satoshi amount",
    ln_types::NodeId => "should be a node id",
    ln_types::ChannelId => "should be a channel id",
    ln_types::ShortChannelId => "should be a short_channel_id of form NxNxN",
    ln_types::ShortChannelIdDir => "should be a short_channel_id_dir of form NxNxN/N",
    ln_types::PaymentHash => "should be a 32 byte hex value",
    ln_types::PaymentPreimage => "should be 64 hex digits",
    ln_types::PaymentSecret => "should be a 32 byte hex value",
    ln_types::Features => "should be a hex value",
    bitcoin::Txid => "should be a txid",
}

impl FromParam for ln_types::FeerateSpec {
    fn from_param(name: &str, token: Token<'_>, _env: ParamEnv) -> Result<Self, RpcError> {
        let text = token.text();
        text.parse().map_err(|_| {
            if let Some(blocks) = text.strip_suffix("blocks") {
                RpcError::invalid_params(format!("'{name}' should be an integer not '{blocks}'"))
            } else {
                let number = text
                    .strip_suffix("perkw")
                    .or_else(|| text.strip_suffix("perkb"))
                    .unwrap_or(&text);
                RpcError::invalid_params(format!(
                    "'{name}' should be an integer with optional perkw/perkb, not '{number}'"
                ))
            }
        })
    }
}

/// Reads `txid:output`, refusing what the library's own reader lets pass, such as a sign.
fn outpoint(text: &str) -> Option<bitcoin::OutPoint> {
    let (txid, vout) = text.split_once(':')?;
    Some(bitcoin::OutPoint {
        txid: txid.parse().ok()?,
        vout: super::numbers::whole(vout)?.try_into().ok()?,
    })
}

impl FromParam for bitcoin::OutPoint {
    fn from_param(name: &str, token: Token<'_>, env: ParamEnv) -> Result<Self, RpcError> {
        outpoint(&token.text()).ok_or_else(|| env.bad_token(name, token, "should be a txid:outnum"))
    }

    fn from_item(_name: &str, token: Token<'_>, _env: ParamEnv) -> Result<Self, RpcError> {
        outpoint(&token.text()).ok_or_else(|| {
            RpcError::invalid_params(format!(
                "Could not decode outpoint \"{}\", expected format: txid:output",
                token.text()
            ))
        })
    }

    fn not_an_array(name: &str, token: Token<'_>, _env: ParamEnv) -> RpcError {
        RpcError::invalid_params(format!(
            "Could not decode the outpoint array for {name}: \"{}\" is not a valid outpoint array.",
            token.text()
        ))
    }
}
