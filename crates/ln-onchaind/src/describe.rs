//! What the log says about actions. Programs that watch the log know these lines.

use ln_ipc::status::LogLevel;
use ln_onchain::{Action, Claim, FundingSpend, OutputKind, TxKind};
use ln_types::BlockHeight;

/// A line for the log.
pub(crate) struct Line {
    pub(crate) level: LogLevel,
    pub(crate) text: String,
}

fn debug(text: String) -> Line {
    Line {
        level: LogLevel::Debug,
        text,
    }
}

/// What is said first about the transaction that spent the funding output.
pub(crate) fn funding_lines(spend: &FundingSpend, txid: bitcoin::Txid, newest: bool) -> Vec<Line> {
    let mut lines = vec![debug(format!(
        "Resolved {}/{} by {} ({txid})",
        TxKind::FundingTransaction,
        OutputKind::FundingOutput,
        spend.kind()
    ))];
    if matches!(spend, FundingSpend::Theirs { .. }) {
        let which = if newest { "new" } else { "old" };
        lines.push(debug(format!("Their unilateral tx, {which} commit point")));
    }
    lines
}

/// What is said about an action.
pub(crate) fn action_lines(action: &Action, reasonable_depth: u32) -> Vec<Line> {
    match action {
        Action::Watch {
            outpoint,
            tx,
            output,
            height,
            ignore_at,
        } => {
            let mut lines = vec![debug(format!("Tracking output {outpoint}: {tx}/{output}"))];
            if let Some(expiry) = ignore_at {
                lines.push(debug(format!(
                    "Propose ignoring {tx}/{output} as {} after block {expiry} ({} more blocks)",
                    TxKind::TheirHtlcTimeoutToThem,
                    blocks_between(*height, BlockHeight(expiry.0)),
                )));
            }
            lines
        }
        Action::Ignore {
            outpoint,
            tx,
            output,
            ..
        } => vec![debug(format!("Ignoring output {outpoint}: {tx}/{output}"))],
        Action::Resolved {
            tx,
            output,
            by,
            txid,
            ours,
            ..
        } => {
            let whose = if *ours { "our proposal " } else { "" };
            vec![debug(format!(
                "Resolved {tx}/{output} by {whose}{by} ({txid})"
            ))]
        }
        Action::FoundPreimage { preimage, tx, .. } => vec![debug(format!(
            "{tx}/{} gave us preimage {preimage}",
            OutputKind::OurHtlc
        ))],
        Action::HtlcTimedOut { htlc } => vec![debug(format!(
            "{} {} reached reasonable depth {reasonable_depth}",
            OutputKind::OurHtlc,
            htlc.id
        ))],
        Action::Alert { text } => vec![Line {
            level: LogLevel::Broken,
            text: text.clone(),
        }],
        // lightningd writes `claim_line` when it makes the transaction.
        Action::Claim(_)
        | Action::Unclaim { .. }
        | Action::ToWallet { .. }
        | Action::HtlcMissing { .. }
        | Action::Moved(_)
        | Action::StartAnew
        | Action::Forget => Vec::new(),
    }
}

fn blocks_between(from: BlockHeight, to: BlockHeight) -> i64 {
    i64::from(to.0) - i64::from(from.0)
}

/// The line by which tests learn how long they have to wait: a transaction can be sent one block before the first that may contain it.
///
/// Such programs take the next transaction the log shows for the one it speaks of, so lightningd writes it, right before that transaction.
pub fn claim_line(claim: &Claim) -> String {
    let after = BlockHeight(claim.first_block.0.saturating_sub(1));
    format!(
        "Telling lightningd about {} to resolve {}/{} after block {after} ({} more blocks)",
        claim.kind,
        claim.spent_tx,
        claim.spent_output,
        blocks_between(claim.spent_height, after),
    )
}
