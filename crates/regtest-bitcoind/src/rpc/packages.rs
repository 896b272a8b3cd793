//! Transactions judged together: `testmempoolaccept` and `submitpackage`.

use super::Context;
use super::args::{Args, transaction};
use super::error::{self, RpcError};
use super::mempool_calls::{check_burn, max_rate, rate_json};
use crate::json::{Json, text};
use crate::mempool::package::{
    MAX_PACKAGE_COUNT, MemberResult, PackageResult, check_package, is_child_with_parents_tree,
};
use crate::mempool::{Accepted, RejectKind, TxReject, check};
use crate::policy::FeePerKvb;
use bitcoin::{Transaction, Wtxid};

fn read(args: &Args) -> Result<Vec<Transaction>, RpcError> {
    let raw = args.array(0)?;
    if raw.is_empty() || raw.len() > MAX_PACKAGE_COUNT {
        return Err(RpcError::parameter(format!(
            "Array must contain between 1 and {MAX_PACKAGE_COUNT} transactions."
        )));
    }
    raw.iter()
        .map(|value| {
            value.as_str().and_then(transaction).ok_or_else(|| {
                let hex = value.as_str().unwrap_or_default();
                RpcError::new(
                    error::DESERIALIZATION,
                    format!("TX decode failed: {hex} Make sure the tx has at least one input."),
                )
            })
        })
        .collect()
}

fn ids(tx: &Transaction) -> Json {
    Json::object()
        .with("txid", text(tx.compute_txid()))
        .with("wtxid", text(tx.compute_wtxid()))
}

fn fees_json(base: bitcoin::Amount, effective: Option<(FeePerKvb, &[Wtxid])>) -> Json {
    let mut json = Json::object().with("base", base);
    if let Some((rate, wtxids)) = effective {
        json.push("effective-feerate", rate_json(rate));
        json.push(
            "effective-includes",
            wtxids.iter().map(text).collect::<Json>(),
        );
    }
    json
}

pub(super) fn testmempoolaccept(context: &mut Context<'_>, args: &Args) -> Result<Json, RpcError> {
    let txs = read(args)?;
    let max = max_rate(args, 1)?;
    let node = &*context.node;
    if let [tx] = txs.as_slice() {
        let member = match check(&node.mempool, &node.chain, &node.policy, tx.clone()) {
            Ok(accepted) => {
                let rate = FeePerKvb::from_fee(accepted.fee, accepted.vsize);
                MemberResult::Accepted(accepted, rate, vec![tx.compute_wtxid()])
            }
            Err(reject) => MemberResult::Refused(reject),
        };
        return Ok(Json::Array(vec![verdict(tx, &member, max)]));
    }
    let result = check_package(&node.mempool, &node.chain, &node.policy, &txs);
    let whole = !matches!(result.message.as_str(), "success" | "transaction failed");
    let verdicts = txs.iter().zip(&result.members).map(|(tx, member)| {
        let json = verdict(tx, member, max);
        if whole {
            json.with("package-error", result.message.as_str())
        } else {
            json
        }
    });
    Ok(verdicts.collect())
}

fn verdict(tx: &Transaction, member: &MemberResult, max: Option<FeePerKvb>) -> Json {
    let mut json = ids(tx);
    match member {
        MemberResult::Accepted(accepted, ..) if exceeds(accepted, max) => {
            json.push("allowed", false);
            json.push("reject-reason", "max-fee-exceeded");
        }
        MemberResult::Accepted(accepted, rate, wtxids) => {
            json.push("allowed", true);
            json.push("vsize", accepted.vsize);
            json.push("fees", fees_json(accepted.fee, Some((*rate, wtxids))));
        }
        MemberResult::Refused(reject) => {
            json.push("allowed", false);
            if reject.kind == RejectKind::MissingInputs {
                json.push("reject-reason", "missing-inputs");
            } else {
                json.push("reject-reason", reject.reason.as_str());
                json.push("reject-details", reject.to_string());
            }
        }
        MemberResult::AlreadyHere(..)
        | MemberResult::OtherWitness(_)
        | MemberResult::NotValidated => {}
    }
    json
}

fn exceeds(accepted: &Accepted, max: Option<FeePerKvb>) -> bool {
    max.is_some_and(|max| accepted.fee > max.fee(accepted.vsize))
}

pub(super) fn submitpackage(context: &mut Context<'_>, args: &Args) -> Result<Json, RpcError> {
    let txs = read(args)?;
    let max = max_rate(args, 1)?;
    for tx in &txs {
        check_burn(args, 2, tx)?;
    }
    if txs.len() > 1 && !is_child_with_parents_tree(&txs) {
        return Err(RpcError::new(
            error::VERIFY,
            "package topology disallowed. not child-with-parents or parents depend on each other.",
        ));
    }
    let result = context.node.submit_package(&txs, max, context.now);
    let PackageResult {
        message,
        members,
        replaced,
    } = &result;
    let results = txs
        .iter()
        .zip(members)
        .map(|(tx, member)| (tx.compute_wtxid().to_string(), member_json(tx, member)));
    Ok(Json::object()
        .with("package_msg", message.as_str())
        .with("tx-results", Json::Object(results.collect()))
        .with(
            "replaced-transactions",
            replaced
                .iter()
                .map(|tx| text(tx.compute_txid()))
                .collect::<Json>(),
        ))
}

fn member_json(tx: &Transaction, member: &MemberResult) -> Json {
    let json = Json::object().with("txid", text(tx.compute_txid()));
    let error = |reject: &TxReject| reject.to_string();
    match member {
        MemberResult::Accepted(accepted, rate, wtxids) => json
            .with("vsize", accepted.vsize)
            .with("fees", fees_json(accepted.fee, Some((*rate, wtxids)))),
        MemberResult::AlreadyHere(vsize, fee) => json
            .with("vsize", *vsize)
            .with("fees", fees_json(*fee, None)),
        MemberResult::OtherWitness(wtxid) => json.with("other-wtxid", text(wtxid)),
        MemberResult::Refused(reject) => json.with("error", error(reject)),
        MemberResult::NotValidated => json.with("error", "package-not-validated"),
    }
}
