//! What the spending of an output means.

use bitcoin::{OutPoint, Transaction, Txid};
use ln_types::{BlockHeight, PaymentPreimage, Sat};

use crate::ours::delayed_claim;
use crate::resolution::announce;
use crate::theirs::revoked_second_stage;
use crate::tracked::{Resolved, Tracked};
use crate::witness::{WitnessForm, witness_form};
use crate::{Action, FundingSpend, OutputKind, Resolution, TxKind, movement};

/// What a spend of an output is.
struct Meaning {
    by: TxKind,
    ours: bool,
    preimage: Option<PaymentPreimage>,
}

impl Meaning {
    const fn ours(by: TxKind) -> Self {
        Self {
            by,
            ours: true,
            preimage: None,
        }
    }

    const fn theirs(by: TxKind) -> Self {
        Self {
            by,
            ours: false,
            preimage: None,
        }
    }

    const fn fulfilled(by: TxKind, preimage: PaymentPreimage) -> Self {
        Self {
            by,
            ours: false,
            preimage: Some(preimage),
        }
    }
}

/// Reads a spend from the kind of output and the form of the witness.
// BOLT 3 §Offered HTLC Outputs and §Received HTLC Outputs: whose commitment it is decides which branch is whose.
fn meaning(tx: TxKind, kind: OutputKind, form: WitnessForm) -> Meaning {
    let ours_on_chain = tx == TxKind::OurUnilateral;
    match (kind, form) {
        (OutputKind::DelayedOutputToUs, WitnessForm::Plain) => {
            Meaning::ours(TxKind::OurDelayedReturnToWallet)
        }
        (OutputKind::DelayedCheatOutputToThem, WitnessForm::Plain) => {
            Meaning::theirs(TxKind::TheirDelayedCheat)
        }
        (OutputKind::DelayedCheatOutputToThem, WitnessForm::Revocation) => {
            Meaning::ours(TxKind::OurPenaltyTx)
        }
        (OutputKind::OurHtlc | OutputKind::TheirHtlc, WitnessForm::Revocation)
            if !ours_on_chain =>
        {
            Meaning::ours(TxKind::OurPenaltyTx)
        }
        (OutputKind::OurHtlc, WitnessForm::HtlcTimeoutTx) if ours_on_chain => {
            Meaning::ours(TxKind::OurHtlcTimeoutTx)
        }
        (OutputKind::OurHtlc, WitnessForm::Plain) if !ours_on_chain => {
            Meaning::ours(TxKind::OurHtlcTimeoutToUs)
        }
        (OutputKind::OurHtlc, WitnessForm::Preimage(preimage)) if ours_on_chain => {
            Meaning::fulfilled(TxKind::OurHtlcFulfillToThem, preimage)
        }
        (OutputKind::OurHtlc, WitnessForm::HtlcSuccessTx(preimage)) if !ours_on_chain => {
            Meaning::fulfilled(TxKind::OurHtlcFulfillToThem, preimage)
        }
        (OutputKind::TheirHtlc, WitnessForm::HtlcSuccessTx(_)) if ours_on_chain => {
            Meaning::ours(TxKind::OurHtlcSuccessTx)
        }
        (OutputKind::TheirHtlc, WitnessForm::Preimage(_)) if !ours_on_chain => {
            Meaning::ours(TxKind::TheirHtlcFulfillToUs)
        }
        (OutputKind::TheirHtlc, WitnessForm::Plain) if ours_on_chain => {
            Meaning::theirs(TxKind::TheirHtlcTimeoutToThem)
        }
        (OutputKind::TheirHtlc, WitnessForm::HtlcTimeoutTx) if !ours_on_chain => {
            Meaning::theirs(TxKind::TheirHtlcTimeoutToThem)
        }
        _ => Meaning::theirs(TxKind::Unknown),
    }
}

impl Resolution {
    pub(crate) fn on_spent(&mut self, tx: &Transaction, height: BlockHeight) -> Vec<Action> {
        let mut actions = Vec::new();
        let mut children = Vec::new();
        let txid = tx.compute_txid();
        for (index, input) in tx.input.iter().enumerate() {
            let Some(place) = self
                .outputs
                .iter()
                .position(|output| output.outpoint == input.previous_output)
            else {
                continue;
            };
            let Some(output) = self.outputs.get_mut(place) else {
                continue;
            };
            let already = output
                .resolution
                .is_some_and(|resolution| resolution.txid == txid);
            // Our balance on the peer's commitment and anchors belong to the wallet or to nobody.
            if already || (output.is_ignored() && output.htlc.is_none()) {
                continue;
            }
            let meaning = meaning(output.tx, output.kind, witness_form(&input.witness));
            resolve(output, &meaning, txid, height, &mut actions);
            let by = meaning.by;
            children.extend(self.child_of(place, tx, index, height, by));
        }
        for child in children {
            if self
                .outputs
                .iter()
                .all(|output| output.outpoint != child.outpoint)
            {
                announce(&child, &mut actions);
                self.outputs.push(child);
            }
        }
        actions
    }

    /// The output of an HTLC transaction that has to be resolved in turn.
    fn child_of(
        &self,
        place: usize,
        tx: &Transaction,
        input: usize,
        height: BlockHeight,
        by: TxKind,
    ) -> Option<Tracked> {
        let parent = self.outputs.get(place)?;
        match (&self.spend, by) {
            (
                FundingSpend::Ours { number },
                TxKind::OurHtlcTimeoutTx | TxKind::OurHtlcSuccessTx,
            ) => {
                let (htlc_tx, _) = parent.htlc_tx.as_deref()?;
                // The signature covers the output with the index of the input.
                let output = tx.output.get(input)?;
                let mut child = Tracked::new(
                    OutPoint::new(tx.compute_txid(), u32::try_from(input).ok()?),
                    Sat::from(output.value),
                    height,
                    by,
                    OutputKind::DelayedOutputToUs,
                );
                child.witness_script = Some(htlc_tx.output_script().clone());
                child.claim = delayed_claim(&child, &self.channel, *number);
                Some(child)
            }
            (
                FundingSpend::TheirsRevoked {
                    per_commitment_secret,
                    ..
                },
                TxKind::TheirHtlcTimeoutToThem | TxKind::OurHtlcFulfillToThem,
            ) => revoked_second_stage(&self.channel, per_commitment_secret, tx, input, height, by),
            _ => None,
        }
    }
}

fn resolve(
    output: &mut Tracked,
    meaning: &Meaning,
    txid: Txid,
    height: BlockHeight,
    actions: &mut Vec<Action>,
) {
    let resolved = Resolved {
        txid,
        height,
        kind: meaning.by,
    };
    output.resolution = Some(resolved);
    actions.push(Action::Resolved {
        outpoint: output.outpoint,
        value: output.value,
        tx: output.tx,
        output: output.kind,
        by: meaning.by,
        txid,
        ours: meaning.ours,
    });
    movement::on_spent(output, resolved, meaning.ours, actions);
    if output.claim.is_some() {
        actions.push(Action::Unclaim {
            outpoint: output.outpoint,
        });
    }
    if meaning.by == TxKind::Unknown {
        actions.push(Action::Alert {
            text: format!("Unknown spend of {}/{} by {txid}", output.tx, output.kind),
        });
    }
    // BOLT 5 §HTLC Output Handling: Local Commitment, Local Offers: the preimage must be taken from the witness.
    if let (Some(preimage), Some(htlc)) = (meaning.preimage, output.htlc) {
        if preimage.hash() == htlc.payment_hash {
            actions.push(Action::FoundPreimage {
                htlc,
                preimage,
                tx: output.tx,
            });
        } else {
            actions.push(Action::Alert {
                text: format!(
                    "{}/{} spent by {txid} with a preimage of another hash",
                    output.tx, output.kind
                ),
            });
        }
    }
}
