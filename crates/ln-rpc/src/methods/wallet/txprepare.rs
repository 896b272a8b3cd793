//! `txprepare`

use bitcoin::{OutPoint, Txid};
use ln_types::FeerateSpec;

use crate::RpcError;
use crate::methods::rpc_method;
use crate::params::{FromParam, Hex, ParamEnv, SatOrAll, Token, rpc_params};
use crate::shape::{Described, Shape, rpc_object};

rpc_method! {
    /// Makes a transaction from the wallet without sending it, and sets its coins aside.
    pub struct Txprepare = "txprepare" (TxprepareParams) -> TxprepareResponse {
        category: Wallet,
        since: "",
    }
}

rpc_params! {
    /// The parameters of `txprepare`.
    pub struct TxprepareParams {
        /// What to pay: `{address: amount}` each, one of which may be `all`.
        outputs: Vec<OutputDesc>,
        /// The feerate; `opening` if left out.
        feerate: Option<FeerateSpec>,
        /// How deep coins must be to be used; 1 if left out.
        minconf: Option<u32>,
        /// The coins to use.
        utxos: Option<Vec<OutPoint>>,
    }
}

rpc_object! {
    /// The answer to `txprepare`.
    pub struct TxprepareResponse {
        /// The transaction as a PSBT.
        psbt: String,
        /// The transaction without signatures.
        unsigned_tx: Hex,
        /// Its id, for `txsend` and `txdiscard`.
        txid: Txid,
    }
}

/// One output: an address and what it gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputDesc {
    /// The address.
    pub address: String,
    /// What it gets.
    pub amount: SatOrAll,
}

impl Described for OutputDesc {
    fn shape() -> Shape {
        Shape::Scalar("outputdesc")
    }
}

impl FromParam for OutputDesc {
    fn from_param(_name: &str, token: Token<'_>, env: ParamEnv) -> Result<Self, RpcError> {
        let members = token.members().unwrap_or_default();
        let [(address, amount)] = members.as_slice() else {
            return Err(RpcError::invalid_params(
                "The output format must be {destination: amount}",
            ));
        };
        let amount = SatOrAll::from_param("amount", *amount, env).map_err(|_| {
            RpcError::invalid_params(format!("'{}' is a invalid satoshi amount", amount.text()))
        })?;
        Ok(Self {
            address: address.clone(),
            amount,
        })
    }

    fn not_an_array(_name: &str, token: Token<'_>, _env: ParamEnv) -> RpcError {
        RpcError::invalid_params(format!(
            "Expected an array of outputs in the format '[{{\"txid\":0}}, ...]', got \"{}\"",
            token.text()
        ))
    }
}
