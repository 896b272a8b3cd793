//! From the stored state of a live channel to what resolving it on chain needs.

use bitcoin::secp256k1::PublicKey;
use ln_channel::{ChannelState, Which};
use ln_ipc::onchaind::OnchaindHtlc;
use ln_onchain::{Channel, HtlcStub, OurCommitment, TheirCommitment};
use ln_tx::CommitmentSignatures;
use ln_types::Side;

/// The channel of a state; `our_point` is that of our newest commitment, where hsmd told it.
pub fn channel_of(state: &ChannelState, our_point: Option<PublicKey>) -> Channel {
    let params = &state.params;
    let commitments = &state.commitments;
    let (local, remote) = (&params.sides.local, &params.sides.remote);
    let our_commitment = our_point.and_then(|per_commitment_point| {
        let view = commitments.reduce(params, Side::Local, Which::Signed)?;
        Some(OurCommitment {
            per_commitment_point,
            spec: view.spec(commitments.local_number),
            signatures: CommitmentSignatures {
                commitment: commitments.local_signatures.commitment,
                htlcs: commitments.local_signatures.htlcs.clone(),
            },
        })
    });
    // BOLT 5 §Unilateral Close Handling: Remote Commitment Transaction: until `revoke_and_ack` the peer has two valid commitments.
    let mut their_commitments = vec![TheirCommitment {
        number: commitments.remote_unrevoked(),
        per_commitment_point: commitments.remote_point,
    }];
    if commitments.awaits_revoke()
        && let Some(per_commitment_point) = commitments.remote_next_point
    {
        their_commitments.push(TheirCommitment {
            number: commitments.remote_number,
            per_commitment_point,
        });
    }
    Channel {
        funding_outpoint: params.funding,
        funding_amount: params.funding_amount,
        local: local.basepoints,
        remote: remote.basepoints,
        opener: params.opener,
        format: params.format(),
        local_to_self_delay: remote.to_self_delay,
        remote_to_self_delay: local.to_self_delay,
        local_dust_limit: local.dust_limit,
        remote_dust_limit: remote.dust_limit,
        local_script: state
            .shutdown
            .local
            .clone()
            .or_else(|| local.upfront_shutdown_script.clone()),
        remote_script: state
            .shutdown
            .remote
            .clone()
            .or_else(|| remote.upfront_shutdown_script.clone()),
        remote_secrets: commitments.remote_secrets.clone(),
        our_commitment,
        their_commitments,
    }
}

/// The HTLCs lightningd told, and those of the state that it did not.
pub(crate) fn htlcs_of(state: &ChannelState, told: &[OnchaindHtlc]) -> Vec<HtlcStub> {
    let mut stubs: Vec<HtlcStub> = told
        .iter()
        .map(|htlc| HtlcStub {
            offerer: htlc.offerer,
            id: htlc.id,
            amount: htlc.amount,
            payment_hash: htlc.payment_hash,
            cltv_expiry: htlc.cltv_expiry,
            awaited: htlc.awaited && htlc.offerer == Side::Local,
            incoming_expiry: htlc.incoming_expiry,
        })
        .collect();
    for htlc in state.commitments.htlcs.iter() {
        let known = stubs
            .iter()
            .any(|stub| stub.offerer == htlc.offerer() && stub.id == htlc.id);
        if !known {
            stubs.push(HtlcStub {
                offerer: htlc.offerer(),
                id: htlc.id,
                amount: htlc.amount,
                payment_hash: htlc.payment_hash,
                cltv_expiry: htlc.cltv_expiry,
                awaited: htlc.offerer() == Side::Local && !htlc.is_fulfilled(),
                incoming_expiry: None,
            });
        }
    }
    stubs
}
