//! The outputs of our own commitment.

use bitcoin::{OutPoint, Transaction};
use ln_tx::{CommitmentOutput, HtlcSpec, SpendPath, build_commitment};
use ln_types::{BlockHeight, CommitmentNumber, PaymentPreimage, Sat, Side};

use crate::claim::{ClaimKey, HtlcClaim};
use crate::tracked::Tracked;
use crate::{Channel, Claim, ClaimMethod, HtlcStub, OutputKind, TxKind};

/// All outputs of our newest commitment, with what we do about each.
// BOLT 5 §Unilateral Close Handling: Local Commitment Transaction: `to_local` after its delay, HTLCs by HTLC transactions.
pub(crate) fn outputs_of_ours(
    channel: &Channel,
    tx: &Transaction,
    height: BlockHeight,
    stubs: &[HtlcStub],
) -> Vec<Tracked> {
    let Some(ours) = &channel.our_commitment else {
        return Vec::new();
    };
    let params = channel.our_params(ours.per_commitment_point);
    let Ok(commitment) = build_commitment(&params, &ours.spec) else {
        return Vec::new();
    };
    let mut htlc_txs = commitment.htlc_txs().zip(&ours.signatures.htlcs);
    let mut tracked = Vec::with_capacity(tx.output.len());
    for ((vout, txout), output) in (0_u32..).zip(&tx.output).zip(commitment.outputs()) {
        let outpoint = OutPoint::new(commitment.txid(), vout);
        let new = |kind| {
            Tracked::new(
                outpoint,
                Sat::from(txout.value),
                height,
                TxKind::OurUnilateral,
                kind,
            )
        };
        let entry = match output {
            CommitmentOutput::ToLocal { witness_script } => {
                let mut entry = new(OutputKind::DelayedOutputToUs);
                entry.witness_script = Some(witness_script.clone());
                entry.claim = delayed_claim(&entry, channel, commitment.number());
                entry
            }
            CommitmentOutput::ToRemote { .. } => ignored(new(OutputKind::OutputToThem)),
            CommitmentOutput::LocalAnchor { .. } => ignored(new(OutputKind::AnchorToUs)),
            CommitmentOutput::RemoteAnchor { .. } => ignored(new(OutputKind::AnchorToThem)),
            CommitmentOutput::Htlc {
                htlc,
                witness_script,
            } => {
                let stub = stub_of(htlc, stubs);
                let mut entry = new(match stub.offerer {
                    Side::Local => OutputKind::OurHtlc,
                    Side::Remote => OutputKind::TheirHtlc,
                });
                entry.htlc = Some(stub);
                entry.witness_script = Some(witness_script.clone());
                entry.htlc_tx = htlc_txs
                    .next()
                    .map(|(htlc_tx, signature)| Box::new((htlc_tx, *signature)));
                match stub.offerer {
                    Side::Local => {
                        entry.claim = htlc_tx_claim(&entry, channel, commitment.number(), None);
                    }
                    Side::Remote => entry.ignore_at = Some(htlc.cltv_expiry),
                }
                entry
            }
        };
        tracked.push(entry);
    }
    tracked
}

/// What is known of an HTLC of our commitment beyond what the commitment says.
fn stub_of(htlc: &HtlcSpec, stubs: &[HtlcStub]) -> HtlcStub {
    let offerer = if htlc.offered_by_holder {
        Side::Local
    } else {
        Side::Remote
    };
    stubs
        .iter()
        .find(|stub| stub.offerer == offerer && stub.id == htlc.id)
        .copied()
        .unwrap_or(HtlcStub {
            offerer,
            id: htlc.id,
            amount: htlc.amount,
            payment_hash: htlc.payment_hash,
            cltv_expiry: htlc.cltv_expiry,
            awaited: offerer == Side::Local,
            incoming_expiry: None,
        })
}

fn ignored(mut entry: Tracked) -> Tracked {
    entry.resolve_itself(TxKind::SelfResolved);
    entry
}

/// How we take a delayed output of ours.
pub(crate) fn delayed_claim(
    entry: &Tracked,
    channel: &Channel,
    number: CommitmentNumber,
) -> Option<Claim> {
    let delay = channel.local_to_self_delay;
    Some(Claim {
        outpoint: entry.outpoint,
        value: entry.value,
        spent_tx: entry.tx,
        spent_output: entry.kind,
        spent_height: entry.height,
        kind: TxKind::OurDelayedReturnToWallet,
        first_block: entry.height.plus(u32::from(delay)),
        deadline: None,
        htlc: None,
        method: ClaimMethod::Sweep {
            path: SpendPath::ToLocalDelayed {
                witness_script: entry.witness_script.clone()?,
                to_self_delay: delay,
            },
            key: ClaimKey::Delayed { number },
        },
    })
}

/// How we take an HTLC of our commitment: by its timeout, or by its preimage.
pub(crate) fn htlc_tx_claim(
    entry: &Tracked,
    channel: &Channel,
    number: CommitmentNumber,
    preimage: Option<PaymentPreimage>,
) -> Option<Claim> {
    let (tx, signature) = entry.htlc_tx.as_deref()?;
    let stub = entry.htlc?;
    let next_block = entry.height.plus(1);
    let (kind, first_block, deadline) = if preimage.is_some() {
        (
            TxKind::OurHtlcSuccessTx,
            next_block,
            Some(BlockHeight(stub.cltv_expiry.0)),
        )
    } else {
        // A locktime allows the block after it.
        let after_expiry = BlockHeight(stub.cltv_expiry.0.saturating_add(1));
        (
            TxKind::OurHtlcTimeoutTx,
            after_expiry.max(next_block),
            stub.incoming_expiry.map(|expiry| BlockHeight(expiry.0)),
        )
    };
    Some(Claim {
        outpoint: entry.outpoint,
        value: entry.value,
        spent_tx: entry.tx,
        spent_output: entry.kind,
        spent_height: entry.height,
        kind,
        first_block,
        deadline,
        htlc: Some(stub),
        method: ClaimMethod::HtlcTx(HtlcClaim::new(
            number,
            channel.format,
            tx,
            *signature,
            preimage,
        )),
    })
}
