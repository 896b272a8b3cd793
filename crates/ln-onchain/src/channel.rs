//! What has to be known of a channel to resolve it on chain.

use bitcoin::secp256k1::PublicKey;
use bitcoin::{OutPoint, ScriptBuf};
use ln_codec::{Decode, Encode};
use ln_keys::{Basepoints, Shachain};
use ln_tx::{
    CommitmentFormat, CommitmentKeys, CommitmentParams, CommitmentSignatures, CommitmentSpec,
    ObscuringFactor,
};
use ln_types::{CltvExpiry, CommitmentNumber, HtlcId, Msat, PaymentHash, Sat, Side};

/// A channel, as its last state was stored.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Channel {
    /// The funding output.
    pub funding_outpoint: OutPoint,
    /// Its value.
    pub funding_amount: Sat,
    /// Our keys.
    pub local: Basepoints,
    /// The peer's keys.
    pub remote: Basepoints,
    /// Who opened the channel.
    pub opener: Side,
    /// How commitments look.
    pub format: CommitmentFormat,
    /// How long we wait for our own outputs.
    pub local_to_self_delay: u16,
    /// How long the peer waits for its own outputs.
    pub remote_to_self_delay: u16,
    /// The dust limit of our commitments.
    pub local_dust_limit: Sat,
    /// The dust limit of the peer's commitments.
    pub remote_dust_limit: Sat,
    /// Where a mutual close pays us, if we ever said so.
    pub local_script: Option<ScriptBuf>,
    /// Where a mutual close pays the peer, if it ever said so.
    pub remote_script: Option<ScriptBuf>,
    /// The secrets of all commitments the peer has revoked.
    pub remote_secrets: Shachain,
    /// Our newest commitment; none when we lost our state.
    pub our_commitment: Option<OurCommitment>,
    /// The peer's commitments that are not revoked: its newest, and the one before while that is not revoked yet.
    pub their_commitments: Vec<TheirCommitment>,
}

/// Our newest commitment.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct OurCommitment {
    /// Its point.
    pub per_commitment_point: PublicKey,
    /// What it holds.
    pub spec: CommitmentSpec,
    /// The peer's signatures.
    pub signatures: CommitmentSignatures,
}

/// A commitment of the peer's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct TheirCommitment {
    /// Its number.
    pub number: CommitmentNumber,
    /// Its point.
    pub per_commitment_point: PublicKey,
}

/// An HTLC that may be on a commitment. For a revoked commitment these are all the channel ever had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
pub struct HtlcStub {
    /// Who offered it.
    pub offerer: Side,
    /// Its id among the offerer's.
    pub id: HtlcId,
    /// What it is worth.
    pub amount: Msat,
    /// The hash it is locked to.
    pub payment_hash: PaymentHash,
    /// When it times out.
    pub cltv_expiry: CltvExpiry,
    /// Whether we offered it and somebody still waits for the outcome.
    pub awaited: bool,
    /// When the HTLC it was forwarded for times out, if it was forwarded.
    pub incoming_expiry: Option<CltvExpiry>,
}

impl Channel {
    /// Hides the numbers of both sides' commitments.
    pub fn obscuring_factor(&self) -> ObscuringFactor {
        let (opener, accepter) = match self.opener {
            Side::Local => (&self.local, &self.remote),
            Side::Remote => (&self.remote, &self.local),
        };
        ObscuringFactor::new(&opener.payment, &accepter.payment)
    }

    /// The keys of the commitment of `holder` with this point.
    pub fn keys(&self, holder: Side, point: PublicKey) -> CommitmentKeys {
        match holder {
            Side::Local => CommitmentKeys::derive(point, &self.local, &self.remote),
            Side::Remote => CommitmentKeys::derive(point, &self.remote, &self.local),
        }
    }

    /// What our commitment with this point is built from.
    pub fn our_params(&self, point: PublicKey) -> CommitmentParams {
        CommitmentParams {
            funding_outpoint: self.funding_outpoint,
            funding_amount: self.funding_amount,
            holder_funding_key: self.local.funding,
            other_funding_key: self.remote.funding,
            dust_limit: self.local_dust_limit,
            to_self_delay: self.local_to_self_delay,
            keys: self.keys(Side::Local, point),
            obscuring_factor: self.obscuring_factor(),
            format: self.format,
            holder_is_opener: self.opener == Side::Local,
        }
    }
}
