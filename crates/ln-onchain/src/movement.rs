//! What money moves by a channel's end, for the node's accounts.
//!
//! The channel's account is emptied when the funding output is spent; whatever of it turns out to be ours comes back into it and leaves it
//! again, for the wallet as a rule, so that it is empty in the end. What goes to others is noted in an account for them.

use bitcoin::{OutPoint, Transaction, Txid};
use ln_codec::{Decode, Encode};
use ln_types::{BlockHeight, ChainMoveTag, PaymentHash, Sat};

use crate::tracked::{Resolved, Tracked};
use crate::{Action, Channel, FundingSpend, OutputKind, TxKind};

/// Whose account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
pub enum Account {
    /// The channel's.
    Channel,
    /// That of everybody else.
    External,
}

/// Money that moved. One that comes twice is the same.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Movement {
    /// Whose account.
    pub account: Account,
    /// What for.
    pub tag: ChainMoveTag,
    /// Whether the peer had revoked it, so that we may still take it.
    pub stealable: bool,
    /// The output.
    pub outpoint: OutPoint,
    /// What it holds: the account gains this, or if the output is spent the channel's loses it.
    pub value: Sat,
    /// The block of the output, or of the transaction that spends it.
    pub height: BlockHeight,
    /// What spends it, if this is about its spending.
    pub spent_by: Option<Txid>,
    /// The hash of the HTLC, if it was taken with the preimage.
    pub payment_hash: Option<PaymentHash>,
}

/// Collects what moves by one output.
struct Lines<'a> {
    output: &'a Tracked,
    stealable: bool,
    actions: &'a mut Vec<Action>,
}

impl Lines<'_> {
    fn push(&mut self, account: Account, tag: ChainMoveTag, spent_by: Option<Resolved>) {
        let output = self.output;
        let hash = output.htlc.map(|htlc| htlc.payment_hash);
        let gained_by_preimage = tag == ChainMoveTag::HtlcFulfill && spent_by.is_none();
        self.actions.push(Action::Moved(Movement {
            account,
            tag,
            stealable: self.stealable,
            outpoint: output.outpoint,
            value: output.value,
            height: spent_by.map_or(output.height, |spent| spent.height),
            spent_by: spent_by.map(|spent| spent.txid),
            payment_hash: hash.filter(|_| gained_by_preimage),
        }));
    }

    fn came(&mut self, tag: ChainMoveTag) {
        self.push(Account::Channel, tag, None);
    }

    fn left(&mut self, tag: ChainMoveTag, by: Resolved) {
        self.push(Account::Channel, tag, Some(by));
    }

    fn went_elsewhere(&mut self, tag: ChainMoveTag) {
        self.push(Account::External, tag, None);
    }
}

/// What the transaction that spends the funding output gives to others at once.
pub(crate) fn at_close(
    channel: &Channel,
    spend: &FundingSpend,
    tx: &Transaction,
    height: BlockHeight,
    outputs: &[Tracked],
    actions: &mut Vec<Action>,
) {
    let txid = tx.compute_txid();
    let mut paid = false;
    for (vout, output) in (0_u32..).zip(&tx.output) {
        let outpoint = OutPoint::new(txid, vout);
        let known = outputs.iter().find(|known| known.outpoint == outpoint);
        let script = Some(&output.script_pubkey);
        let tag = match (spend, known.map(|known| known.kind)) {
            (FundingSpend::MutualClose, _) => {
                let theirs = !paid && script == channel.remote_script.as_ref();
                paid |= theirs;
                theirs.then_some(ChainMoveTag::ToThem)
            }
            (_, Some(OutputKind::OutputToThem | OutputKind::DelayedOutputToThem)) => {
                Some(ChainMoveTag::ToThem)
            }
            (_, Some(OutputKind::AnchorToUs | OutputKind::AnchorToThem)) => {
                Some(ChainMoveTag::Anchor)
            }
            (
                _,
                Some(
                    OutputKind::FundingOutput
                    | OutputKind::OutputToUs
                    | OutputKind::DelayedCheatOutputToThem
                    | OutputKind::DelayedOutputToUs
                    | OutputKind::TheirHtlc
                    | OutputKind::OurHtlc,
                ),
            ) => None,
            // Nobody can say what it is: it is lost to us.
            (_, None) => (script != channel.local_script.as_ref()).then_some(ChainMoveTag::Penalty),
        };
        if let Some(tag) = tag {
            actions.push(Action::Moved(Movement {
                account: Account::External,
                tag,
                stealable: false,
                outpoint,
                value: Sat::from(output.value),
                height,
                spent_by: None,
                payment_hash: None,
            }));
        }
    }
}

/// What moves when an output is spent.
pub(crate) fn on_spent(output: &Tracked, by: Resolved, ours: bool, actions: &mut Vec<Action>) {
    let is_revoked = output.tx == TxKind::TheirRevokedUnilateral;
    let lines = Lines {
        output,
        stealable: is_revoked && !ours,
        actions,
    };
    if ours {
        taken_by_us(lines, by);
    } else {
        taken_by_them(lines, by);
    }
}

fn taken_by_us(mut lines: Lines<'_>, by: Resolved) {
    use ChainMoveTag as Tag;
    let Tracked { tx, kind, .. } = *lines.output;
    if matches!(tx, TxKind::OurHtlcTimeoutTx | TxKind::OurHtlcSuccessTx) {
        lines.came(Tag::HtlcTx);
    }
    let gained = [
        (TxKind::OurHtlcTimeoutToUs, Tag::HtlcTimeout),
        (TxKind::TheirHtlcFulfillToUs, Tag::HtlcFulfill),
        (TxKind::OurHtlcSuccessTx, Tag::HtlcFulfill),
        (TxKind::OurPenaltyTx, Tag::Penalty),
    ];
    if let Some((_, tag)) = gained.iter().find(|(kind, _)| *kind == by.kind) {
        lines.came(*tag);
    }
    let on_ours = tx == TxKind::OurUnilateral;
    if on_ours && kind == OutputKind::DelayedOutputToUs {
        lines.came(Tag::DelayedToUs);
    } else if on_ours && kind == OutputKind::OurHtlc {
        lines.came(Tag::HtlcTimeout);
        lines.left(Tag::HtlcTimeout, by);
    } else if on_ours && kind == OutputKind::TheirHtlc {
        lines.left(Tag::HtlcFulfill, by);
    }
    let to_wallet = matches!(
        by.kind,
        TxKind::OurDelayedReturnToWallet
            | TxKind::TheirHtlcFulfillToUs
            | TxKind::OurHtlcTimeoutToUs
            | TxKind::OurPenaltyTx
    );
    if to_wallet {
        lines.left(Tag::ToWallet, by);
    }
}

fn taken_by_them(mut lines: Lines<'_>, by: Resolved) {
    use ChainMoveTag as Tag;
    match (lines.output.kind, by.kind) {
        (OutputKind::OurHtlc, TxKind::OurHtlcFulfillToThem) => {
            lines.went_elsewhere(Tag::HtlcFulfill);
            lines.push(Account::External, Tag::HtlcFulfill, Some(by));
        }
        (OutputKind::TheirHtlc, TxKind::TheirHtlcTimeoutToThem) => {
            lines.went_elsewhere(Tag::HtlcTimeout);
            if lines.stealable {
                lines.push(Account::External, Tag::HtlcTimeout, Some(by));
            }
        }
        (OutputKind::DelayedCheatOutputToThem, _) => lines.went_elsewhere(Tag::Stolen),
        (OutputKind::DelayedOutputToUs | OutputKind::OurHtlc | OutputKind::TheirHtlc, _) => {
            lines.went_elsewhere(Tag::Penalized);
        }
        _ => {}
    }
}

/// The peer's HTLC timed out: it is the peer's.
pub(crate) fn on_expired(output: &Tracked, actions: &mut Vec<Action>) {
    let mut lines = Lines {
        output,
        stealable: false,
        actions,
    };
    lines.went_elsewhere(ChainMoveTag::HtlcTimeout);
}
