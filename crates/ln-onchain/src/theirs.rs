//! The outputs of the peer's commitments, revoked or not.

use std::collections::HashMap;

use bitcoin::{OutPoint, ScriptBuf, Transaction, TxOut};
use ln_keys::PerCommitmentSecret;
use ln_tx::script::{
    anchor_script, offered_htlc_script, received_htlc_script, to_local_script,
    to_remote_script_pubkey,
};
use ln_tx::{CommitmentKeys, SpendPath};
use ln_types::{BlockHeight, PaymentPreimage, Sat, Side};

use bitcoin::secp256k1::PublicKey;

use crate::claim::ClaimKey;
use crate::tracked::Tracked;
use crate::{Action, Channel, Claim, ClaimMethod, HtlcStub, OutputKind, TxKind};

/// Finds what each output of a commitment of the peer's is, by its script.
struct Scripts {
    to_local: ScriptBuf,
    to_us: ScriptBuf,
    our_anchor: ScriptBuf,
    their_anchor: ScriptBuf,
    /// The script of each HTLC and the HTLCs that have it, the one that times out last at the end.
    htlcs: HashMap<ScriptBuf, (ScriptBuf, Vec<HtlcStub>)>,
}

impl Scripts {
    fn new(channel: &Channel, keys: &CommitmentKeys, stubs: &[HtlcStub]) -> Self {
        let mut htlcs: HashMap<ScriptBuf, (ScriptBuf, Vec<HtlcStub>)> = HashMap::new();
        for stub in stubs {
            // The commitment is the peer's: what it offered is "offered" there.
            let witness_script = match stub.offerer {
                Side::Remote => offered_htlc_script(keys, &stub.payment_hash, channel.format),
                Side::Local => {
                    received_htlc_script(keys, &stub.payment_hash, stub.cltv_expiry, channel.format)
                }
            };
            let (_, matching) = htlcs
                .entry(witness_script.to_p2wsh())
                .or_insert_with(|| (witness_script, Vec::new()));
            matching.push(*stub);
        }
        for (_, matching) in htlcs.values_mut() {
            matching.sort_by_key(|stub| stub.cltv_expiry);
        }
        Self {
            to_local: to_local_of(channel, keys).to_p2wsh(),
            to_us: to_remote_script_pubkey(&channel.local.payment, channel.format),
            our_anchor: anchor_script(&channel.local.funding).to_p2wsh(),
            their_anchor: anchor_script(&channel.remote.funding).to_p2wsh(),
            htlcs,
        }
    }

    /// The HTLC of an output: each is used once, unless there are more outputs than we know HTLCs.
    fn take_htlc(&mut self, output: &TxOut) -> Option<(ScriptBuf, HtlcStub)> {
        let (witness_script, matching) = self.htlcs.get_mut(&output.script_pubkey)?;
        let same_value = matching
            .iter()
            .rposition(|stub| stub.amount.to_sat_floor() == Sat::from(output.value));
        let stub = match same_value {
            Some(position) if matching.len() > 1 => matching.remove(position),
            Some(position) => *matching.get(position)?,
            None => *matching.last()?,
        };
        Some((witness_script.clone(), stub))
    }
}

/// The witness script of the peer's delayed outputs.
fn to_local_of(channel: &Channel, keys: &CommitmentKeys) -> ScriptBuf {
    to_local_script(
        &keys.revocation_key,
        channel.remote_to_self_delay,
        &keys.to_local_delayed_key,
    )
}

/// All outputs of a commitment that the peer may broadcast.
// BOLT 5 §Unilateral Close Handling: Remote Commitment Transaction: our balance is ours at once, HTLCs as their scripts allow.
pub(crate) fn outputs_of_theirs(
    channel: &Channel,
    tx: &Transaction,
    height: BlockHeight,
    point: PublicKey,
    stubs: &[HtlcStub],
    actions: &mut Vec<Action>,
) -> Vec<Tracked> {
    let keys = channel.keys(Side::Remote, point);
    let scripts = Scripts::new(channel, &keys, stubs);
    outputs_by_script(
        channel,
        tx,
        height,
        TxKind::TheirUnilateral,
        scripts,
        actions,
        |entry| match entry.htlc {
            Some(stub) if stub.offerer == Side::Local => {
                entry.claim = timeout_claim(entry, channel, point);
            }
            Some(stub) => entry.ignore_at = Some(stub.cltv_expiry),
            // Theirs after its delay, and nothing to do for us.
            None => entry.resolve_itself(TxKind::SelfResolved),
        },
    )
}

/// All outputs of a commitment that the peer had revoked.
// BOLT 5 §Revoked Transaction Close Handling: every output is taken with the revocation key. Each by a transaction of its own, so
// that HTLC transactions of the peer's never hold up the penalty for the rest.
pub(crate) fn outputs_of_revoked(
    channel: &Channel,
    tx: &Transaction,
    height: BlockHeight,
    secret: &PerCommitmentSecret,
    stubs: &[HtlcStub],
    actions: &mut Vec<Action>,
) -> Vec<Tracked> {
    let Some(point) = secret.point() else {
        return Vec::new();
    };
    let keys = channel.keys(Side::Remote, point);
    let scripts = Scripts::new(channel, &keys, stubs);
    outputs_by_script(
        channel,
        tx,
        height,
        TxKind::TheirRevokedUnilateral,
        scripts,
        actions,
        |entry| {
            if entry.kind == OutputKind::DelayedOutputToThem {
                entry.kind = OutputKind::DelayedCheatOutputToThem;
                entry.witness_script = Some(to_local_of(channel, &keys));
            }
            entry.claim = penalty_claim(entry, channel, &keys, secret);
        },
    )
}

/// Our balance on a commitment of which we know nothing but the number.
// BOLT 2 §Message Retransmission: with option_static_remotekey our balance does not depend on a point we may have lost.
pub(crate) fn outputs_of_unknown(
    channel: &Channel,
    tx: &Transaction,
    height: BlockHeight,
    actions: &mut Vec<Action>,
) -> Vec<Tracked> {
    let to_us = to_remote_script_pubkey(&channel.local.payment, channel.format);
    let txid = tx.compute_txid();
    let mut tracked = Vec::new();
    for (vout, output) in (0_u32..).zip(&tx.output) {
        if output.script_pubkey == to_us {
            let mut entry = Tracked::new(
                OutPoint::new(txid, vout),
                Sat::from(output.value),
                height,
                TxKind::UnknownUnilateral,
                OutputKind::OutputToUs,
            );
            entry.resolve_itself(TxKind::SelfResolved);
            actions.push(to_wallet(channel, &entry, output));
            tracked.push(entry);
        }
    }
    tracked
}

fn to_wallet(channel: &Channel, entry: &Tracked, output: &TxOut) -> Action {
    Action::ToWallet {
        outpoint: entry.outpoint,
        value: entry.value,
        script_pubkey: output.script_pubkey.clone(),
        height: entry.height,
        csv: u16::from(channel.format.has_anchors()),
    }
}

fn outputs_by_script(
    channel: &Channel,
    tx: &Transaction,
    height: BlockHeight,
    kind: TxKind,
    mut scripts: Scripts,
    actions: &mut Vec<Action>,
    mut decide: impl FnMut(&mut Tracked),
) -> Vec<Tracked> {
    let txid = tx.compute_txid();
    let mut tracked = Vec::with_capacity(tx.output.len());
    for (vout, output) in (0_u32..).zip(&tx.output) {
        let outpoint = OutPoint::new(txid, vout);
        let new = |output_kind| {
            Tracked::new(outpoint, Sat::from(output.value), height, kind, output_kind)
        };
        let script = &output.script_pubkey;
        let entry = if *script == scripts.to_us {
            let mut entry = new(OutputKind::OutputToUs);
            entry.resolve_itself(TxKind::SelfResolved);
            actions.push(to_wallet(channel, &entry, output));
            entry
        } else if channel.format.has_anchors()
            && (*script == scripts.our_anchor || *script == scripts.their_anchor)
        {
            let mut entry = new(if *script == scripts.our_anchor {
                OutputKind::AnchorToUs
            } else {
                OutputKind::AnchorToThem
            });
            entry.resolve_itself(TxKind::SelfResolved);
            entry
        } else if *script == scripts.to_local {
            let mut entry = new(OutputKind::DelayedOutputToThem);
            decide(&mut entry);
            entry
        } else if let Some((witness_script, stub)) = scripts.take_htlc(output) {
            let mut entry = new(match stub.offerer {
                Side::Local => OutputKind::OurHtlc,
                Side::Remote => OutputKind::TheirHtlc,
            });
            entry.witness_script = Some(witness_script);
            entry.htlc = Some(stub);
            decide(&mut entry);
            entry
        } else {
            actions.push(Action::Alert {
                text: format!("Could not find resolution for output {vout} of {txid}"),
            });
            continue;
        };
        tracked.push(entry);
    }
    tracked
}

fn claim(entry: &Tracked, kind: TxKind, path: SpendPath, key: ClaimKey) -> Claim {
    Claim {
        outpoint: entry.outpoint,
        value: entry.value,
        spent_tx: entry.tx,
        spent_output: entry.kind,
        spent_height: entry.height,
        kind,
        first_block: entry.height.plus(1),
        deadline: None,
        htlc: entry.htlc,
        method: ClaimMethod::Sweep { path, key },
    }
}

/// How we take back an HTLC of ours after its expiry.
// BOLT 5 §HTLC Output Handling: Remote Commitment, Local Offers: spent to a convenient address once it has timed out.
fn timeout_claim(entry: &Tracked, channel: &Channel, point: PublicKey) -> Option<Claim> {
    let stub = entry.htlc?;
    let path = SpendPath::HtlcTimeout {
        witness_script: entry.witness_script.clone()?,
        cltv_expiry: stub.cltv_expiry,
        format: channel.format,
    };
    let key = ClaimKey::RemoteHtlc {
        per_commitment_point: point,
    };
    let mut claim = claim(entry, TxKind::OurHtlcTimeoutToUs, path, key);
    let after_expiry = BlockHeight(stub.cltv_expiry.0.saturating_add(1));
    claim.first_block = claim.first_block.max(after_expiry);
    claim.deadline = stub.incoming_expiry.map(|expiry| BlockHeight(expiry.0));
    Some(claim)
}

/// How we take the peer's HTLC with its preimage.
// BOLT 5 §HTLC Output Handling: Remote Commitment, Remote Offers: spent to a convenient address.
pub(crate) fn preimage_claim(
    entry: &Tracked,
    channel: &Channel,
    point: PublicKey,
    preimage: PaymentPreimage,
) -> Option<Claim> {
    let path = SpendPath::HtlcPreimage {
        witness_script: entry.witness_script.clone()?,
        preimage,
        format: channel.format,
    };
    let key = ClaimKey::RemoteHtlc {
        per_commitment_point: point,
    };
    let mut claim = claim(entry, TxKind::TheirHtlcFulfillToUs, path, key);
    claim.deadline = entry.htlc.map(|stub| BlockHeight(stub.cltv_expiry.0));
    Some(claim)
}

/// How we punish: with the revocation key, at once.
pub(crate) fn penalty_claim(
    entry: &Tracked,
    channel: &Channel,
    keys: &CommitmentKeys,
    secret: &PerCommitmentSecret,
) -> Option<Claim> {
    let witness_script = entry.witness_script.clone()?;
    let path = if entry.kind == OutputKind::DelayedCheatOutputToThem {
        SpendPath::RevokedToLocal { witness_script }
    } else {
        SpendPath::RevokedHtlc {
            witness_script,
            revocation_key: keys.revocation_key,
        }
    };
    let key = ClaimKey::Penalty {
        per_commitment_secret: secret.clone(),
    };
    let mut claim = claim(entry, TxKind::OurPenaltyTx, path, key);
    claim.deadline = Some(entry.height.plus(u32::from(channel.remote_to_self_delay)));
    Some(claim)
}

/// The delayed output that an HTLC transaction of a revoked commitment made, if it is one: input and output have the same index.
// BOLT 5 §Revoked Transaction Close Handling: the peer's HTLC transactions are punished as well.
pub(crate) fn revoked_second_stage(
    channel: &Channel,
    secret: &PerCommitmentSecret,
    htlc_tx: &Transaction,
    input: usize,
    height: BlockHeight,
    by: TxKind,
) -> Option<Tracked> {
    let keys = channel.keys(Side::Remote, secret.point()?);
    let witness_script = to_local_of(channel, &keys);
    let output = htlc_tx.output.get(input)?;
    if output.script_pubkey != witness_script.to_p2wsh() {
        return None;
    }
    let mut entry = Tracked::new(
        OutPoint::new(htlc_tx.compute_txid(), u32::try_from(input).ok()?),
        Sat::from(output.value),
        height,
        by,
        OutputKind::DelayedCheatOutputToThem,
    );
    entry.witness_script = Some(witness_script);
    entry.claim = penalty_claim(&entry, channel, &keys, secret);
    Some(entry)
}
