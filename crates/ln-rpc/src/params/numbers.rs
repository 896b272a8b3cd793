//! Numbers, in quotes or without: shells and languages without 64-bit integers send strings.

use super::{FromParam, ParamEnv, Token};
use crate::RpcError;

/// A number of digits alone: no sign, no space, no fraction.
pub(super) fn whole(text: &str) -> Option<u64> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

macro_rules! unsigned {
    ($($ty:ty => $expected:literal,)*) => {
        $(impl FromParam for $ty {
            fn from_param(name: &str, token: Token<'_>, env: ParamEnv) -> Result<Self, RpcError> {
                whole(&token.text())
                    .and_then(|number| number.try_into().ok())
                    .ok_or_else(|| env.bad_token(name, token, $expected))
            }
        })*
    };
}

unsigned! {
    u8 => "should be an unsigned 8 bit integer",
    u16 => "should be an unsigned 16 bit integer",
    u32 => "should be an unsigned 32 bit integer",
    u64 => "should be an unsigned 64 bit integer",
}

impl FromParam for i64 {
    fn from_param(name: &str, token: Token<'_>, env: ParamEnv) -> Result<Self, RpcError> {
        token
            .text()
            .parse()
            .map_err(|_| env.bad_token(name, token, "should be an sign 64 bit integer"))
    }
}

/// A finite number of at least zero.
impl FromParam for f64 {
    fn from_param(name: &str, token: Token<'_>, env: ParamEnv) -> Result<Self, RpcError> {
        token
            .text()
            .parse()
            .ok()
            .filter(|number: &Self| number.is_finite() && !number.is_sign_negative())
            .ok_or_else(|| {
                env.bad_token(
                    name,
                    token,
                    "should be a non-negative floating-point number",
                )
            })
    }
}

macro_rules! newtype {
    ($($ty:path => $inner:ty,)*) => {
        $(impl FromParam for $ty {
            fn from_param(name: &str, token: Token<'_>, env: ParamEnv) -> Result<Self, RpcError> {
                <$inner>::from_param(name, token, env).map($ty)
            }
        })*
    };
}

newtype! {
    ln_types::BlockHeight => u32,
    ln_types::CltvDelta => u16,
    ln_types::CltvExpiry => u32,
    ln_types::HtlcId => u64,
}
