//! What a method answers when it fails.

use std::borrow::Cow;
use std::fmt;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;

macro_rules! codes {
    ($($(#[doc = $doc:literal])* $name:ident = $number:literal,)*) => {
        /// Why a method failed, as a number that programs may rely on.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum RpcErrorCode {
            $($(#[doc = $doc])* $name,)*
            /// A number of somebody else: a plugin's, or a newer node's.
            Other(i32),
        }

        impl RpcErrorCode {
            /// Every code that has a name, in the order of the manual.
            pub const NAMED: &'static [Self] = &[$(Self::$name,)*];

            /// The number on the wire.
            pub const fn number(self) -> i32 {
                match self {
                    $(Self::$name => $number,)*
                    Self::Other(number) => number,
                }
            }

            /// The code with this number; an unknown number is kept.
            pub const fn from_number(number: i32) -> Self {
                match number {
                    $($number => Self::$name,)*
                    _ => Self::Other(number),
                }
            }

            /// One sentence for the manual.
            pub const fn meaning(self) -> &'static str {
                match self {
                    $(Self::$name => concat!($($doc),*),)*
                    Self::Other(_) => " A code this version does not know.",
                }
            }
        }
    };
}

codes! {
    /// The text is not a request.
    InvalidRequest = -32600,
    /// There is no such method, or it is not offered now.
    MethodNotFound = -32601,
    /// A parameter is missing, unknown or malformed.
    InvalidParams = -32602,
    /// Anything without a code of its own.
    Lightningd = -1,
    /// A parameter for developers was given to a node that does not run with `--developer`.
    ParamDev = -2,
    /// A plugin failed.
    PluginError = -3,
    /// A plugin ended before it answered.
    PluginTerminated = -4,
    /// The node is shutting down.
    LightningdShutdown = -5,
    /// The payment is already under way.
    PayInProgress = 200,
    /// The payment hash was already paid, with other parameters.
    PayRhashAlreadyUsed = 201,
    /// A failure came back that nobody on the route can have written.
    PayUnparseableOnion = 202,
    /// The destination refused for good.
    PayDestinationPermFail = 203,
    /// A hop failed; another route may work.
    PayTryOtherRoute = 204,
    /// No route was found.
    PayRouteNotFound = 205,
    /// The route costs more than the caller allows.
    PayRouteTooExpensive = 206,
    /// The invoice has expired.
    PayInvoiceExpired = 207,
    /// There is no payment with that hash.
    PayNoSuchPayment = 208,
    /// The payment failed for a reason without a code.
    PayUnspecifiedError = 209,
    /// Time to retry ran out.
    PayStoppedRetrying = 210,
    /// The payment is not in the state the caller named.
    PayStatusUnexpected = 211,
    /// The invoice request is not valid.
    PayInvoiceRequestInvalid = 212,
    /// The signer refuses to pay this invoice.
    PayInvoicePreapprovalDeclined = 213,
    /// The signer refuses this keysend.
    PayKeysendPreapprovalDeclined = 214,
    /// Our channels hold too little.
    PayInsufficientFunds = 215,
    /// The destination can't be reached.
    PayUnreachable = 216,
    /// The caller's own parameters make the payment impossible.
    PayUserError = 217,
    /// The injected onion failed.
    PayInjectpaymentonionFailed = 218,
    /// The injected onion pays what is already paid.
    PayInjectpaymentonionAlreadyPaid = 219,
    /// The destination's channels hold too little.
    PayDestinationInsufficientCapacity = 220,
    /// The amount is above what may be put into a channel.
    FundMaxExceeded = 300,
    /// The wallet holds too little.
    FundCannotAfford = 301,
    /// The output would be dust.
    FundOutputIsDust = 302,
    /// The funding transaction was refused by the network.
    FundingBroadcastFail = 303,
    /// The node does not know the tip of the chain yet.
    FundingStillSyncingBitcoin = 304,
    /// The peer is not connected.
    FundingPeerNotConnected = 305,
    /// The peer is not known.
    FundingUnknownPeer = 306,
    /// No channel with the peer is being opened.
    FundingNothingToCancel = 307,
    /// The funding transaction may already be out: cancelling could lose the money.
    FundingCancelNotSafe = 308,
    /// The PSBT does not fit.
    FundingPsbtInvalid = 309,
    /// The peer does not open channels in the v2 way.
    FundingV2NotSupported = 310,
    /// No such channel is being opened.
    FundingUnknownChannel = 311,
    /// The opening is in a state that does not allow this.
    FundingStateInvalid = 312,
    /// Only the reserve kept for emergencies could pay.
    FundCannotAffordWithEmergency = 313,
    /// An input is worth nothing at this feerate.
    FundInputIsZero = 314,
    /// The splice transaction was refused by the network.
    SpliceBroadcastFail = 350,
    /// Another command owns the channel.
    SpliceWrongOwner = 351,
    /// No such channel.
    SpliceUnknownChannel = 352,
    /// The channel can't be spliced in its state.
    SpliceInvalidChannelState = 353,
    /// The peer does not splice.
    SpliceNotSupported = 354,
    /// A splice is under way.
    SpliceBusyError = 355,
    /// The parameters of the splice are wrong.
    SpliceInputError = 356,
    /// The splice would leave too little.
    SpliceFundingLow = 357,
    /// The splice is not at that step.
    SpliceStateError = 358,
    /// The splice pays too little fee.
    SpliceLowFee = 359,
    /// The splice pays too much fee.
    SpliceHighFee = 360,
    /// The peer gave up the splice.
    SpliceAbort = 362,
    /// The channel failed while splicing.
    SpliceChannelError = 363,
    /// No address of the peer is known.
    ConnectNoKnownAddress = 400,
    /// Every address of the peer was tried in vain.
    ConnectAllAddressesFailed = 401,
    /// The peer hung up while we connected.
    ConnectDisconnectedDuring = 402,
    /// The chain backend failed.
    BcliError = 500,
    /// The chain backend has no fee estimates.
    BcliNoFeeEstimates = 501,
    /// The signer could not agree on a shared secret.
    HsmEcdhFailed = 800,
    /// An invoice with that label exists.
    InvoiceLabelAlreadyExists = 900,
    /// An invoice with that preimage exists.
    InvoicePreimageAlreadyExists = 901,
    /// The channels asked for as hints can't be used.
    InvoiceHintsGaveNoRoutes = 902,
    /// The invoice expired while we waited.
    InvoiceExpiredDuringWait = 903,
    /// No invoice was paid in time.
    InvoiceWaitTimedOut = 904,
    /// There is no such invoice.
    InvoiceNotFound = 905,
    /// The invoice is not in the state the caller named.
    InvoiceStatusUnexpected = 906,
    /// The offer behind the invoice is not active.
    InvoiceOfferInactive = 907,
    /// The invoice has no description to remove.
    InvoiceNoDescription = 908,
    /// The offer exists.
    OfferAlreadyExists = 1000,
    /// The offer is disabled already.
    OfferAlreadyDisabled = 1001,
    /// The offer has expired.
    OfferExpired = 1002,
    /// The node behind the offer can't be reached.
    OfferRouteNotFound = 1003,
    /// The answer to our invoice request makes no sense.
    OfferBadInvreqReply = 1004,
    /// No answer to our invoice request in time.
    OfferTimeout = 1005,
    /// The offer is enabled already.
    OfferAlreadyEnabled = 1006,
    /// The single use of the offer is spent.
    OfferUsedSingleUse = 1007,
    /// There is no such entry in the datastore.
    DatastoreDelDoesNotExist = 1200,
    /// The entry to delete has another generation.
    DatastoreDelWrongGeneration = 1201,
    /// The entry exists and must not.
    DatastoreUpdateAlreadyExists = 1202,
    /// The entry does not exist and must.
    DatastoreUpdateDoesNotExist = 1203,
    /// The entry to change has another generation.
    DatastoreUpdateWrongGeneration = 1204,
    /// The key has children and so can't have a value.
    DatastoreUpdateHasChildren = 1205,
    /// A parent of the key has a value and so can't have children.
    DatastoreUpdateNoChildren = 1206,
    /// No node with the key that signed is known.
    SignmessagePubkeyNotFound = 1301,
    /// There is no such forward.
    DelforwardNotFound = 1401,
    /// There is no such network event.
    DelnetworkeventNotFound = 1402,
    /// The rune is not ours.
    RuneNotAuthorized = 1501,
    /// The rune forbids this.
    RuneNotPermitted = 1502,
    /// The rune is blacklisted.
    RuneBlacklisted = 1503,
    /// The node is in use and can't be replaced by a recovered one.
    RecoverNodeInUse = 1600,
    /// There is no payment to prove.
    CreateproofNoPayment = 1700,
    /// What was waited for did not happen in time.
    WaitTimeout = 2000,
    /// Commando failed on this side.
    CommandoErrorLocal = 19535,
    /// Commando failed on the other side.
    CommandoErrorRemote = 19536,
    /// The other side does not accept the rune.
    CommandoErrorRemoteAuth = 19537,
}

impl fmt::Display for RpcErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.number().fmt(f)
    }
}

/// The `error` member of a reply.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct RpcError {
    /// What kind of failure, for programs.
    pub code: RpcErrorCode,
    /// What went wrong and what to do, for people.
    pub message: String,
    /// More for programs, in a shape the method documents.
    pub data: Option<Box<Value>>,
    /// What belongs into the node's log but not into the reply, such as the text of a parameter that may be a secret.
    pub log: Option<Box<str>>,
}

impl RpcError {
    /// An error without data.
    pub fn new(code: RpcErrorCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            message: message.into().into_owned(),
            data: None,
            log: None,
        }
    }

    /// The same error with data for programs.
    #[must_use]
    pub fn with_data(mut self, data: Value) -> Self {
        self.data = Some(Box::new(data));
        self
    }

    /// The same error with a line for the node's log.
    #[must_use]
    pub fn with_log(mut self, line: String) -> Self {
        self.log = Some(line.into_boxed_str());
        self
    }

    /// The text is no request.
    pub fn invalid_request(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(RpcErrorCode::InvalidRequest, message)
    }

    /// The parameters are wrong.
    pub fn invalid_params(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(RpcErrorCode::InvalidParams, message)
    }

    /// There is no such method.
    pub fn unknown_command(method: &str) -> Self {
        Self::new(
            RpcErrorCode::MethodNotFound,
            format!("Unknown command '{method}'"),
        )
    }

    /// A failure without a code of its own.
    pub fn lightningd(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(RpcErrorCode::Lightningd, message)
    }

    /// Reads the `error` member of a reply; what is missing is filled in, so that a sloppy plugin still gets its say.
    pub fn from_value(value: &Value) -> Self {
        let code = value
            .get("code")
            .and_then(Value::as_i64)
            .and_then(|code| i32::try_from(code).ok())
            .map_or(RpcErrorCode::Lightningd, RpcErrorCode::from_number);
        // The Python library of the first plugins answers with a text alone.
        let text = value.get("message").unwrap_or(value).as_str();
        let message = text.map_or_else(
            || format!("error without a message: {value}"),
            ToOwned::to_owned,
        );
        Self {
            code,
            message,
            data: value.get("data").cloned().map(Box::new),
            log: None,
        }
    }
}

impl Serialize for RpcError {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("code", &self.code.number())?;
        map.serialize_entry("message", &self.message)?;
        if let Some(data) = &self.data {
            map.serialize_entry("data", data)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_one_number_and_comes_back_from_it() {
        let mut numbers: Vec<i32> = RpcErrorCode::NAMED.iter().map(|c| c.number()).collect();
        for (code, number) in RpcErrorCode::NAMED.iter().zip(&numbers) {
            assert_eq!(RpcErrorCode::from_number(*number), *code);
        }
        let count = numbers.len();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), count);
        assert_eq!(RpcErrorCode::from_number(77), RpcErrorCode::Other(77));
    }

    #[test]
    fn an_error_is_written_with_data_but_never_with_its_log_line() {
        let error = RpcError::new(RpcErrorCode::PayInProgress, "wait")
            .with_data(serde_json::json!({"id": 1}))
            .with_log("secret".to_owned());
        let text = serde_json::to_string(&error).unwrap();
        assert_eq!(text, r#"{"code":200,"message":"wait","data":{"id":1}}"#);
        let back = RpcError::from_value(&serde_json::from_str(&text).unwrap());
        assert_eq!((back.code, back.data), (error.code, error.data));
    }

    #[test]
    fn a_text_where_an_error_should_be_is_its_message() {
        let error = RpcError::from_value(&serde_json::json!("it went wrong"));
        assert_eq!(error.message, "it went wrong");
        assert_eq!(error.code, RpcErrorCode::Lightningd);
    }
}
