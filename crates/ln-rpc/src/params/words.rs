//! Types that only the interface has: amounts with a word for "all", labels, hex.

use std::fmt;

use bitcoin::hex::{DisplayHex, FromHex};
use ln_types::{Msat, Sat};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{FromParam, ParamEnv, Token};
use crate::RpcError;
use crate::jsonrpc::LogLevel;
use crate::shape::{Described, Shape};

/// Bytes, written in hex.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Hex(pub Vec<u8>);

impl From<Vec<u8>> for Hex {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl From<&[u8]> for Hex {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }
}

impl fmt::Display for Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.as_hex())
    }
}

impl Serialize for Hex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        Vec::from_hex(&text).map(Self).map_err(D::Error::custom)
    }
}

impl Described for Hex {
    fn shape() -> Shape {
        Shape::Scalar("hex")
    }
}

impl FromParam for Hex {
    fn from_param(name: &str, token: Token<'_>, env: ParamEnv) -> Result<Self, RpcError> {
        Vec::from_hex(&token.text())
            .map(Self)
            .map_err(|_| env.bad_token(name, token, "should be a hex value"))
    }
}

/// 32 bytes that have no type of their own, written in hex.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Secret32(pub [u8; 32]);

/// Not shown: it may be a secret.
impl fmt::Debug for Secret32 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret32(..)")
    }
}

impl Serialize for Secret32 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0.as_hex())
    }
}

impl<'de> Deserialize<'de> for Secret32 {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        <[u8; 32]>::from_hex(&text)
            .map(Self)
            .map_err(D::Error::custom)
    }
}

impl Described for Secret32 {
    fn shape() -> Shape {
        Shape::Scalar("secret")
    }
}

impl FromParam for Secret32 {
    fn from_param(name: &str, token: Token<'_>, env: ParamEnv) -> Result<Self, RpcError> {
        <[u8; 32]>::from_hex(&token.text())
            .map(Self)
            .map_err(|_| env.bad_token(name, token, "should be a 32 byte hex value"))
    }
}

/// A label that the user chose: any string; a number is taken as its digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label(pub String);

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Label {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl Described for Label {
    fn shape() -> Shape {
        Shape::OneOf(vec![Shape::Scalar("string"), Shape::Scalar("integer")])
    }
}

impl FromParam for Label {
    fn from_param(name: &str, token: Token<'_>, env: ParamEnv) -> Result<Self, RpcError> {
        if token.is_string() || token.is_whole_number() {
            Ok(Self(token.text().into_owned()))
        } else {
            Err(env.bad_token(name, token, "should be a string or number"))
        }
    }
}

/// A positive amount in millisatoshi, or the word `any`: the payer chooses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MsatOrAny {
    /// The payer chooses.
    Any,
    /// This much.
    Msat(Msat),
}

impl MsatOrAny {
    /// The amount, if there is one.
    pub fn amount(self) -> Option<Msat> {
        match self {
            Self::Any => None,
            Self::Msat(amount) => Some(amount),
        }
    }
}

impl Described for MsatOrAny {
    fn shape() -> Shape {
        Shape::Scalar("msat_or_any")
    }
}

impl FromParam for MsatOrAny {
    fn from_param(name: &str, token: Token<'_>, env: ParamEnv) -> Result<Self, RpcError> {
        let text = token.text();
        if text == "any" {
            return Ok(Self::Any);
        }
        text.parse()
            .ok()
            .filter(|amount: &Msat| !amount.is_zero())
            .map(Self::Msat)
            .ok_or_else(|| env.bad_token(name, token, "should be positive msat or 'any'"))
    }
}

/// An amount in satoshi, or the word `all`: whatever there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SatOrAll {
    /// Whatever there is.
    All,
    /// This much.
    Sat(Sat),
}

impl SatOrAll {
    /// The amount, unless it is all there is.
    pub fn amount(self) -> Option<Sat> {
        match self {
            Self::All => None,
            Self::Sat(amount) => Some(amount),
        }
    }
}

impl Described for SatOrAll {
    fn shape() -> Shape {
        Shape::Scalar("sat_or_all")
    }
}

impl FromParam for SatOrAll {
    fn from_param(name: &str, token: Token<'_>, env: ParamEnv) -> Result<Self, RpcError> {
        if token.text() == "all" {
            return Ok(Self::All);
        }
        Sat::from_param(name, token, env).map(Self::Sat)
    }
}

impl Described for LogLevel {
    fn shape() -> Shape {
        Shape::Choice(&["io", "trace", "debug", "info", "unusual", "broken"])
    }
}

impl FromParam for LogLevel {
    fn from_param(name: &str, token: Token<'_>, env: ParamEnv) -> Result<Self, RpcError> {
        Self::from_name(&token.text()).ok_or_else(|| {
            env.bad_token(
                name,
                token,
                "should be 'io', 'trace', 'debug', 'info', 'unusual' or 'broken'",
            )
        })
    }
}

/// Something that is said by being there: written as `true`, left out otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flag;

impl Serialize for Flag {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bool(true)
    }
}

impl Described for Flag {
    fn shape() -> Shape {
        Shape::Scalar("boolean")
    }
}
