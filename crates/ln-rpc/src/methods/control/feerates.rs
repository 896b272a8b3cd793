//! `feerates`

use crate::RpcError;
use crate::methods::rpc_method;
use crate::params::{FromParam, ParamEnv, Token, rpc_params};
use crate::shape::{Described, Shape, rpc_object};

rpc_method! {
    /// Shows the feerates the node would use now.
    pub struct Feerates = "feerates" (FeeratesParams) -> FeeratesResponse {
        category: Control,
        since: "",
    }
}

rpc_params! {
    /// The parameters of `feerates`.
    pub struct FeeratesParams {
        /// Per thousand weight units or per thousand virtual bytes.
        style: FeerateStyle,
    }
}

rpc_object! {
    /// The answer to `feerates`.
    pub struct FeeratesResponse {
        /// Some estimates are missing: the chain backend does not know them yet.
        warning_missing_feerates: Option<String>,
        /// In satoshi per thousand virtual bytes.
        perkb: Option<FeerateTable>,
        /// In satoshi per thousand weight units.
        perkw: Option<FeerateTable>,
        /// What usual transactions would cost.
        onchain_fee_estimates: Option<OnchainFeeEstimates>,
    }

    /// The feerates in one unit.
    pub struct FeerateTable {
        /// The least a peer may use.
        min_acceptable: u32,
        /// The most a peer may use.
        max_acceptable: u32,
        /// The least the network relays.
        floor: u32,
        /// What the chain backend estimates.
        estimates: Vec<FeerateEstimate>,
        /// For opening a channel.
        opening: Option<u32>,
        /// For closing one together.
        mutual_close: Option<u32>,
        /// For closing one alone, without anchors.
        unilateral_close: Option<u32>,
        /// For closing one alone, with anchors.
        unilateral_anchor_close: Option<u32>,
        /// For punishing a cheater.
        penalty: Option<u32>,
        /// For a splice.
        splice: Option<u32>,
    }

    /// The feerate for one deadline.
    pub struct FeerateEstimate {
        /// Within how many blocks.
        blockcount: u32,
        /// The newest estimate.
        feerate: u32,
        /// The estimate averaged over the last ones.
        smoothed_feerate: u32,
    }

    /// Fees in satoshi.
    pub struct OnchainFeeEstimates {
        /// Opening a channel.
        opening_channel_satoshis: u64,
        /// Closing one together.
        mutual_close_satoshis: u64,
        /// Closing one alone.
        unilateral_close_satoshis: u64,
        /// Closing one without anchors alone.
        unilateral_close_nonanchor_satoshis: Option<u64>,
        /// Taking back an HTLC that timed out.
        htlc_timeout_satoshis: u64,
        /// Taking an HTLC whose preimage we know.
        htlc_success_satoshis: u64,
    }
}

/// In which unit feerates are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeerateStyle {
    /// Satoshi per thousand virtual bytes.
    PerKb,
    /// Satoshi per thousand weight units.
    PerKw,
}

impl Described for FeerateStyle {
    fn shape() -> Shape {
        Shape::Choice(&["perkb", "perkw"])
    }
}

impl FromParam for FeerateStyle {
    fn from_param(name: &str, token: Token<'_>, _env: ParamEnv) -> Result<Self, RpcError> {
        match token.text().as_ref() {
            "perkb" => Ok(Self::PerKb),
            "perkw" => Ok(Self::PerKw),
            _ => Err(RpcError::invalid_params(format!(
                "'{name}' should be 'perkw' or 'perkb', not '{}'",
                token.raw()
            ))),
        }
    }
}
