//! Why money can't be spent, as clients are told.

use ln_rpc::{RpcError, RpcErrorCode};
use ln_types::{FeeTarget, Feerate, FeerateSpec};
use ln_wallet::FundError;

use crate::node::Node;
use crate::rpc::internal;
use crate::wallet::SpendError;

/// The feerate a client asked for, or the one for `target`.
pub(in crate::rpc) fn feerate(
    node: &Node,
    spec: Option<FeerateSpec>,
    target: FeeTarget,
) -> Result<Feerate, RpcError> {
    let spec = spec.unwrap_or(FeerateSpec::Target(target));
    let resolved = node.fees.borrow().resolve(spec);
    resolved.ok_or_else(|| {
        RpcError::new(
            RpcErrorCode::BcliNoFeeEstimates,
            "Cannot estimate fees (yet)",
        )
    })
}

/// The error of a transaction that could not be made.
pub(in crate::rpc) fn spend_error(node: &Node, error: SpendError) -> RpcError {
    match error {
        SpendError::Fund(error) => fund_error(node, &error),
        SpendError::NamedCoins { .. }
        | SpendError::OutputTooLarge(_)
        | SpendError::RestTooSmall(_) => {
            RpcError::new(RpcErrorCode::FundCannotAfford, error.to_string())
        }
        SpendError::UnknownCoin(_)
        | SpendError::SpentCoin(_)
        | SpendError::ReservedCoin(_)
        | SpendError::ImmatureCoin(_) => RpcError::invalid_params(error.to_string()),
        SpendError::Internal(error) => internal(error),
    }
}

fn fund_error(node: &Node, error: &FundError) -> RpcError {
    let cannot_afford = |text: String| {
        if node.chain.is_synced() {
            return RpcError::new(RpcErrorCode::FundCannotAfford, text);
        }
        // The coins may be in blocks we have not seen yet.
        let text = "Cannot afford: still syncing with bitcoin network...";
        RpcError::new(RpcErrorCode::FundingStillSyncingBitcoin, text)
    };
    match error {
        FundError::CannotAfford {
            amount,
            coins,
            short,
        } => cannot_afford(format!(
            "Could not afford {amount} using all {coins} available UTXOs: {short} short"
        )),
        FundError::CannotAffordFees { coins: 0 } => {
            cannot_afford("Could not afford all using all 0 available UTXOs: all short".to_owned())
        }
        FundError::CannotAffordFees { coins } => {
            cannot_afford(format!("All {coins} inputs could not afford fees"))
        }
        FundError::CannotAffordWithEmergency { reserve } => RpcError::new(
            RpcErrorCode::FundCannotAffordWithEmergency,
            format!("We would not have enough left for min-emergency-msat {reserve}"),
        ),
        FundError::GivenTwice(_) => RpcError::invalid_params(error.to_string()),
        FundError::TooHeavy { .. } => {
            RpcError::new(RpcErrorCode::FundCannotAfford, error.to_string())
        }
        other => internal(other),
    }
}
