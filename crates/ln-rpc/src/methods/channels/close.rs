//! `close`

use bitcoin::{OutPoint, Txid};
use ln_types::FeerateSpec;

use crate::RpcError;
use crate::methods::rpc_method;
use crate::params::{FromParam, Hex, ParamEnv, Token, rpc_params};
use crate::shape::{Described, Shape, rpc_enum, rpc_object};

rpc_method! {
    /// Closes a channel, together with the peer if it answers in time, else alone.
    ///
    /// Together is cheaper and the money comes at once. Alone, our share is locked for the delay agreed upon when the channel was opened.
    pub struct Close = "close" (CloseParams) -> CloseResponse {
        category: Channels,
        since: "",
    }
}

rpc_params! {
    /// The parameters of `close`.
    pub struct CloseParams {
        /// The channel: its id, its place in the chain, or the peer if there is but one.
        id: String,
        /// After how many seconds to close alone; 0 is never.
        unilateraltimeout: u32 = 172_800_u32,
        /// The address our share goes to.
        destination: Option<String>,
        /// How far to give way in each round: satoshi, or a percentage with `%`.
        fee_negotiation_step: Option<String>,
        /// The output to spend instead, if the peer funded the wrong one.
        wrong_funding: Option<OutPoint>,
        /// Close even though the peer paid for our money for longer.
        force_lease_closed: bool = false,
        /// The least and the most feerate to agree to.
        feerange: Option<FeeRange>,
    }
}

rpc_object! {
    /// The answer to `close`.
    pub struct CloseResponse {
        /// How it was closed.
        kind as "type": CloseType,
        /// The closing transactions.
        txs: Option<Vec<Hex>>,
        /// Their ids.
        txids: Option<Vec<Txid>>,
    }
}

rpc_enum! {
    /// How a channel was closed.
    pub enum CloseType ("should be a type of closing") {
        /// Together.
        Mutual = "mutual",
        /// Alone.
        Unilateral = "unilateral",
        /// It was not open yet: nothing was needed.
        Unopened = "unopened",
    }
}

/// The least and the most feerate for a closing transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeeRange {
    /// The least.
    pub min: FeerateSpec,
    /// The most.
    pub max: FeerateSpec,
}

impl Described for FeeRange {
    fn shape() -> Shape {
        Shape::Array(Box::new(FeerateSpec::shape()))
    }
}

impl FromParam for FeeRange {
    fn from_param(name: &str, token: Token<'_>, env: ParamEnv) -> Result<Self, RpcError> {
        let items = token.array().unwrap_or_default();
        let [min, max] = items.as_slice() else {
            return Err(env.bad_token(name, token, "should be an array of 2 entries"));
        };
        Ok(Self {
            min: FeerateSpec::from_param(name, *min, env)?,
            max: FeerateSpec::from_param(name, *max, env)?,
        })
    }
}
