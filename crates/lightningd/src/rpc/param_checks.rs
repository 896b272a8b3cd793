//! Checks of parameters that their types alone do not make.

use ln_rpc::RpcError;
use ln_rpc::params::{Hex, Token};

use super::{Context, internal};

/// The error for a value whose type alone did not show that it is wrong.
pub(crate) fn bad_value(context: &Context, name: &str, value: &str, problem: &str) -> RpcError {
    match serde_json::value::to_raw_value(value) {
        Ok(raw) => context.env.bad_token(name, Token::new(&raw), problem),
        Err(error) => internal(error),
    }
}

/// Bytes given as one of `hex` and `string`.
pub(crate) fn hex_or_string(hex: Option<Hex>, string: Option<String>) -> Result<Vec<u8>, RpcError> {
    match (hex, string) {
        (Some(_), Some(_)) => Err(RpcError::invalid_params("Cannot have both hex and string")),
        (Some(hex), None) => Ok(hex.0),
        (None, Some(string)) => Ok(string.into_bytes()),
        (None, None) => Err(RpcError::invalid_params("Must have either hex or string")),
    }
}

/// Refuses what does not fit a message to a helper or a peer, whose lengths are of 16 bits.
pub(crate) fn check_length(name: &str, bytes: &[u8]) -> Result<(), RpcError> {
    let (length, most) = (bytes.len(), usize::from(u16::MAX));
    if length > most {
        let text = format!("{name}: {length} bytes are too many: at most {most} are possible");
        return Err(RpcError::invalid_params(text));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixteen_bits_of_length_are_the_most() {
        assert!(check_length("message", &vec![0; 65_535]).is_ok());
        assert!(check_length("message", &vec![0; 65_536]).is_err());
    }

    #[test]
    fn exactly_one_of_hex_and_string_is_taken() {
        let hex = || Some(Hex(vec![1]));
        let string = || Some("a".to_owned());
        assert_eq!(hex_or_string(hex(), None), Ok(vec![1]));
        assert_eq!(hex_or_string(None, string()), Ok(vec![b'a']));
        assert!(hex_or_string(hex(), string()).is_err());
        assert!(hex_or_string(None, None).is_err());
    }
}
