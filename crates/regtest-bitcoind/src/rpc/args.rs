//! Reading the parameters of a call.

use super::Method;
use super::error::{self, RpcError};
use bitcoin::absolute::LockTime;
use bitcoin::consensus::encode::{deserialize, serialize_hex};
use bitcoin::hex::FromHex;
use bitcoin::transaction::Version;
use bitcoin::{Address, Amount, Block, BlockHash, Network, OutPoint, ScriptBuf, Transaction, Txid};
use serde_json::Value;
use std::fmt::Display;
use std::str::FromStr;

/// The parameters of a call, by position.
#[derive(Debug)]
pub struct Args {
    values: Vec<Value>,
    usage: String,
}

static NULL: Value = Value::Null;

impl Args {
    /// Sorts positional or named parameters into the method's order.
    pub fn new(method: &Method, params: &Value) -> Result<Self, RpcError> {
        let usage = method.usage();
        let values = match params {
            Value::Null => Vec::new(),
            Value::Array(values) => values.clone(),
            Value::Object(named) => {
                let mut values: Vec<Value> = match named.get("args") {
                    Some(Value::Array(first)) => first.clone(),
                    _ => Vec::new(),
                };
                for (name, value) in named.iter().filter(|(name, _)| *name != "args") {
                    let position = method.position(name).ok_or_else(|| {
                        RpcError::parameter(format!("Unknown named parameter {name}"))
                    })?;
                    if values.len() <= position {
                        values.resize(position + 1, Value::Null);
                    }
                    if let Some(place) = values.get_mut(position) {
                        if !place.is_null() {
                            return Err(RpcError::parameter(format!(
                                "Parameter {name} specified twice both as positional and named argument"
                            )));
                        }
                        *place = value.clone();
                    }
                }
                values
            }
            Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                return Err(RpcError::new(
                    error::INVALID_REQUEST,
                    "Params must be an array or object",
                ));
            }
        };
        if values.len() > method.args.len() {
            return Err(RpcError::new(error::MISC, usage));
        }
        Ok(Self { values, usage })
    }

    /// A parameter, `null` if it is not there.
    pub fn value(&self, index: usize) -> &Value {
        self.values.get(index).unwrap_or(&NULL)
    }

    /// Whether a parameter was given.
    pub fn has(&self, index: usize) -> bool {
        !self.value(index).is_null()
    }

    fn required(&self, index: usize) -> Result<&Value, RpcError> {
        let value = self.value(index);
        if value.is_null() {
            return Err(RpcError::new(error::MISC, self.usage.clone()));
        }
        Ok(value)
    }

    /// A string that must be given.
    pub fn text(&self, index: usize) -> Result<&str, RpcError> {
        let value = self.required(index)?;
        value.as_str().ok_or_else(|| wrong_type(value, "string"))
    }

    /// A string, if given.
    pub fn opt_text(&self, index: usize) -> Result<Option<&str>, RpcError> {
        if self.has(index) {
            self.text(index).map(Some)
        } else {
            Ok(None)
        }
    }

    /// An integer that must be given.
    pub fn integer(&self, index: usize) -> Result<i64, RpcError> {
        integer(self.required(index)?)
    }

    /// An integer, or `default`.
    pub fn integer_or(&self, index: usize, default: i64) -> Result<i64, RpcError> {
        if self.has(index) {
            self.integer(index)
        } else {
            Ok(default)
        }
    }

    /// A boolean, or `default`.
    pub fn flag_or(&self, index: usize, default: bool) -> Result<bool, RpcError> {
        match self.value(index) {
            Value::Null => Ok(default),
            Value::Bool(value) => Ok(*value),
            value @ (Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_)) => {
                Err(wrong_type(value, "bool"))
            }
        }
    }

    /// A verbosity: a number, or a boolean meaning 0 or 1.
    pub fn verbosity(&self, index: usize, default: i64) -> Result<i64, RpcError> {
        if let Value::Bool(value) = self.value(index) {
            return Ok(i64::from(*value));
        }
        self.integer_or(index, default)
    }

    /// An array, empty if not given.
    pub fn array(&self, index: usize) -> Result<&[Value], RpcError> {
        match self.value(index) {
            Value::Null => Ok(&[]),
            Value::Array(values) => Ok(values),
            value @ (Value::Number(_) | Value::String(_) | Value::Bool(_) | Value::Object(_)) => {
                Err(wrong_type(value, "array"))
            }
        }
    }

    /// A block hash that must be given.
    pub fn block_hash(&self, index: usize, name: &str) -> Result<BlockHash, RpcError> {
        hash(self.text(index)?, name)
    }

    /// A transaction id that must be given.
    pub fn txid(&self, index: usize, name: &str) -> Result<Txid, RpcError> {
        hash(self.text(index)?, name)
    }

    /// A transaction in hex that must be given.
    pub fn transaction(&self, index: usize) -> Result<Transaction, RpcError> {
        transaction(self.text(index)?).ok_or_else(|| {
            RpcError::new(
                error::DESERIALIZATION,
                "TX decode failed. Make sure the tx has at least one input.",
            )
        })
    }

    /// A block in hex that must be given.
    pub fn block(&self, index: usize) -> Result<Block, RpcError> {
        let bytes = Vec::<u8>::from_hex(self.text(index)?).ok();
        bytes
            .and_then(|bytes| deserialize(&bytes).ok())
            .ok_or_else(|| RpcError::new(error::DESERIALIZATION, "Block decode failed"))
    }

    /// An amount that must be given.
    pub fn amount(&self, index: usize) -> Result<Amount, RpcError> {
        amount(self.required(index)?)
    }
}

/// A transaction in hex. One without inputs looks like one with a witness; it is read as such only
/// if it makes no sense otherwise.
pub fn transaction(hex: &str) -> Option<Transaction> {
    let bytes = Vec::<u8>::from_hex(hex).ok()?;
    deserialize(&bytes).ok().or_else(|| without_inputs(&bytes))
}

fn without_inputs(bytes: &[u8]) -> Option<Transaction> {
    let (version, rest) = bytes.split_first_chunk::<4>()?;
    let (outputs, lock_time) = rest.strip_prefix(&[0])?.split_last_chunk::<4>()?;
    Some(Transaction {
        version: Version(i32::from_le_bytes(*version)),
        lock_time: LockTime::from_consensus(u32::from_le_bytes(*lock_time)),
        input: Vec::new(),
        output: deserialize(outputs).ok()?,
    })
}

/// A transaction as hex. Without inputs there is no witness, hence no sign of one.
pub fn transaction_hex(tx: &Transaction) -> String {
    if !tx.input.is_empty() {
        return serialize_hex(tx);
    }
    format!(
        "{}00{}{}",
        serialize_hex(&tx.version),
        serialize_hex(&tx.output),
        serialize_hex(&tx.lock_time)
    )
}

fn json_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// The error for a parameter of the wrong type.
pub fn wrong_type(value: &Value, expected: &str) -> RpcError {
    RpcError::new(
        error::TYPE,
        format!(
            "JSON value of type {} is not of expected type {expected}",
            json_type(value)
        ),
    )
}

/// An integer in JSON; numbers such as `2.0` are taken for what they mean.
pub fn integer(value: &Value) -> Result<i64, RpcError> {
    let Value::Number(number) = value else {
        return Err(wrong_type(value, "number"));
    };
    number
        .as_i64()
        .or_else(|| {
            number
                .to_string()
                .strip_suffix(".0")
                .and_then(|whole| whole.parse().ok())
        })
        .ok_or_else(|| RpcError::new(error::MISC, "JSON integer out of range"))
}

fn hash<T: FromStr>(text: &str, name: &str) -> Result<T, RpcError> {
    if text.len() != 64 {
        return Err(RpcError::parameter(format!(
            "{name} must be of length 64 (not {}, for '{text}')",
            text.len()
        )));
    }
    text.parse().map_err(|_| {
        RpcError::parameter(format!("{name} must be hexadecimal string (not '{text}')"))
    })
}

/// A hash in JSON, such as a transaction id.
pub fn hash_value<T: FromStr>(value: &Value, name: &str) -> Result<T, RpcError> {
    hash(
        value.as_str().ok_or_else(|| wrong_type(value, "string"))?,
        name,
    )
}

/// An amount of bitcoin in JSON, as number or string with at most eight decimals.
pub fn amount(value: &Value) -> Result<Amount, RpcError> {
    let text = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
            return Err(RpcError::new(
                error::TYPE,
                "Amount is not a number or string",
            ));
        }
    };
    let sats = parse_fixed(&text, 8).ok_or_else(|| RpcError::new(error::TYPE, "Invalid amount"))?;
    u64::try_from(sats)
        .ok()
        .map(Amount::from_sat)
        .filter(|amount| *amount <= Amount::MAX_MONEY)
        .ok_or_else(|| RpcError::new(error::TYPE, "Amount out of range"))
}

/// A decimal number scaled by 10^`decimals`; `None` if it is none or has more decimals.
pub fn parse_fixed(text: &str, decimals: u32) -> Option<i64> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (negative, mantissa) = match mantissa.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, mantissa),
    };
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{part}");
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let mut value: i64 = digits
        .trim_end_matches('0')
        .parse()
        .or_else(|error| {
            if digits.bytes().all(|byte| byte == b'0') {
                Ok(0)
            } else {
                Err(error)
            }
        })
        .ok()?;
    let zeros = digits.len() - digits.trim_end_matches('0').len();
    let scale = i64::from(exponent) + i64::from(decimals) + i64::try_from(zeros).ok()?
        - i64::try_from(part.len()).ok()?;
    if value != 0 {
        value = value.checked_mul(10_i64.checked_pow(u32::try_from(scale).ok()?)?)?;
    }
    Some(if negative { -value } else { value })
}

/// An address of this chain.
pub fn address(text: &str) -> Result<Address, RpcError> {
    Address::from_str(text)
        .ok()
        .and_then(|address| address.require_network(Network::Regtest).ok())
        .ok_or_else(|| RpcError::not_found(format!("Invalid Bitcoin address: {text}")))
}

/// The script of an address of this chain.
pub fn address_script(text: &str) -> Result<ScriptBuf, RpcError> {
    address(text).map(|address| address.script_pubkey())
}

/// An outpoint as `{"txid":..,"vout":..}`.
pub fn outpoint(value: &Value) -> Result<OutPoint, RpcError> {
    let missing =
        |what: &str| RpcError::parameter(format!("Invalid parameter, missing {what} key"));
    let txid = hash_value(value.get("txid").ok_or_else(|| missing("txid"))?, "txid")?;
    let vout = integer(value.get("vout").ok_or_else(|| missing("vout"))?)?;
    let vout = u32::try_from(vout)
        .map_err(|_| RpcError::parameter("Invalid parameter, vout cannot be negative"))?;
    Ok(OutPoint { txid, vout })
}

/// An error from a text of the lower layers.
pub fn misc(message: impl Display) -> RpcError {
    RpcError::new(error::MISC, message.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transaction_without_inputs_survives_the_round_trip() {
        let hex = "02000000000140420f000000000001510a000000";
        let tx = transaction(hex).unwrap();
        assert_eq!(
            (
                tx.input.len(),
                tx.output.len(),
                tx.lock_time.to_consensus_u32()
            ),
            (0, 1, 10)
        );
        assert_eq!(transaction_hex(&tx), hex);
        assert_eq!(transaction("0200000000").map(|_| ()), None);
    }

    #[test]
    fn amounts_are_read_exactly() {
        assert_eq!(parse_fixed("0.1", 8), Some(10_000_000));
        assert_eq!(parse_fixed("1e-05", 8), Some(1000));
        assert_eq!(parse_fixed("1e-8", 8), Some(1));
        assert_eq!(parse_fixed("50", 8), Some(5_000_000_000));
        assert_eq!(parse_fixed("0.00000000", 8), Some(0));
        assert_eq!(parse_fixed("-1.5", 8), Some(-150_000_000));
        assert_eq!(parse_fixed("0.123456789", 8), None);
        assert_eq!(parse_fixed("1e30", 8), None);
        assert_eq!(parse_fixed("abc", 8), None);
        assert_eq!(parse_fixed("", 8), None);
    }
}
