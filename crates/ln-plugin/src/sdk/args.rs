//! The parameters of a call.

use ln_rpc::RpcError;
use ln_rpc::params::{FromParam, ParamEnv, ParamInfo, Params, Token};
use ln_rpc::shape::Shape;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;

/// Parameters by name, whether they came by name or by position.
#[derive(Debug, Clone)]
pub struct Args<'a> {
    named: Vec<(&'static str, Option<Token<'a>>)>,
}

impl<'a> Args<'a> {
    /// No parameters.
    pub(super) const NONE: Self = Self { named: Vec::new() };

    /// Puts what a caller sent in the places the usage line names: `txid vout [verbose]`.
    pub(super) fn parse(
        usage: &'static str,
        params: Option<&'a RawValue>,
    ) -> Result<Self, RpcError> {
        let infos: Vec<ParamInfo> = usage.split_whitespace().map(info).collect();
        let params = params.map_or(Ok(Params::NONE), Params::parse)?;
        let slots = params.bind(&infos, ParamEnv::default(), None)?;
        let named = infos.iter().map(|info| info.name).zip(slots).collect();
        Ok(Self { named })
    }

    /// All of them, read into a type of the handler's own whose members have their names.
    ///
    /// Numbers must be numbers and texts texts; [`Self::required`] is more tolerant of what people type.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, RpcError> {
        let given = self.named.iter();
        let given = given.filter_map(|(name, token)| Some(((*name).to_owned(), (*token)?.value())));
        serde_json::from_value(Value::Object(given.collect()))
            .map_err(|error| RpcError::invalid_params(error.to_string()))
    }

    /// A parameter that may be missing.
    pub fn optional<T: FromParam>(&self, name: &str) -> Result<Option<T>, RpcError> {
        let found = self.named.iter().find(|(known, _)| *known == name);
        found
            .and_then(|(_, token)| *token)
            .map(|token| T::from_param(name, token, ParamEnv::default()))
            .transpose()
    }

    /// A parameter that must be there.
    pub fn required<T: FromParam>(&self, name: &str) -> Result<T, RpcError> {
        self.optional(name)?
            .ok_or_else(|| RpcError::invalid_params(format!("missing required parameter: {name}")))
    }
}

fn info(word: &'static str) -> ParamInfo {
    let optional = word
        .strip_prefix('[')
        .and_then(|word| word.strip_suffix(']'));
    ParamInfo {
        name: optional.unwrap_or(word),
        aliases: &[],
        formerly: &[],
        required: optional.is_none(),
        default: None,
        deprecated: None,
        doc: "",
        shape: || Shape::Any,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.to_owned()).unwrap()
    }

    #[test]
    fn names_and_positions_lead_to_the_same() {
        for text in [r#"["ab", "7"]"#, r#"{"vout": 7, "txid": "ab"}"#] {
            let params = raw(text);
            let args = Args::parse("txid vout [verbose]", Some(&params)).unwrap();
            assert_eq!(args.required::<String>("txid").unwrap(), "ab");
            assert_eq!(args.required::<u32>("vout").unwrap(), 7);
            assert_eq!(args.optional::<bool>("verbose").unwrap(), None);
        }
    }

    #[test]
    fn all_may_be_read_at_once() {
        #[derive(Debug, PartialEq, serde::Deserialize)]
        struct Wanted {
            txid: String,
            vout: Option<u32>,
        }
        let params = raw(r#"["ab", 7]"#);
        let args = Args::parse("txid [vout]", Some(&params)).unwrap();
        let read: Wanted = args.read().unwrap();
        assert_eq!((read.txid.as_str(), read.vout), ("ab", Some(7)));
        let none = Args::parse("txid [vout]", None).unwrap();
        let error = none.read::<Wanted>().unwrap_err();
        assert!(error.message.contains("`txid`"), "{}", error.message);
    }

    #[test]
    fn missing_and_surplus_parameters_are_refused() {
        let none = Args::parse("height", None).unwrap();
        assert_eq!(
            none.required::<u32>("height").unwrap_err().message,
            "missing required parameter: height"
        );
        let params = raw("[1, 2]");
        assert!(Args::parse("height", Some(&params)).is_err());
    }
}
