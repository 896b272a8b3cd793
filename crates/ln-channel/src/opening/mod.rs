//! Opening a channel that one side funds: each stage is a type, and a message is a function from one stage to the next.
//!
//! ```text
//! us:   Proposed --accept_channel--> Accepted --funding outpoint--> Created --funding_signed--> ChannelState
//! peer: Incoming --our terms--> Awaiting --funding_created--> ChannelState
//! ```
//!
//! An error at any stage ends the opening. BOLT 2 §Channel Establishment v1.

mod accepter;
mod checks;
mod opener;

pub use accepter::{AcceptTerms, Awaiting, Incoming};
pub use opener::{Accepted, Created, OpenTerms, Proposed};

use bitcoin::ScriptBuf;
use bitcoin::secp256k1::{PublicKey, ecdsa};
use ln_signer::{ChannelSetup, Signer};
use ln_types::{BlockHeight, CommitmentNumber, FeatureBit, Features, Feerate, Msat, Sat, Side};

use crate::commitments::FirstCommitments;
use crate::{
    BySide, ChannelError, ChannelParams, ChannelState, Commitments, OpenError, ShutdownScripts,
    SideParams, signing,
};

/// What we ask of a channel and accept from a peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpeningPolicy {
    /// The least the channel may be able to carry (`min-capacity-sat`).
    pub min_capacity: Sat,
    /// `max_accepted_htlcs` we set.
    pub max_accepted_htlcs: u16,
    /// `htlc_minimum_msat` we set.
    pub htlc_minimum: Msat,
    /// `max_htlc_value_in_flight_msat` we set.
    pub max_htlc_value_in_flight: Msat,
    /// The delay we demand of the peer.
    pub to_self_delay: u16,
    /// The longest delay we bear.
    pub max_to_self_delay: u16,
    /// Our dust limit.
    pub dust_limit: Sat,
    /// The reserve we demand, if not 1 % of the channel.
    pub channel_reserve: Option<Sat>,
    /// Confirmations we demand of a channel opened to us.
    pub minimum_depth: u32,
    /// The lowest commitment feerate we bear.
    pub min_feerate: Feerate,
    /// The highest commitment feerate we bear.
    pub max_feerate: Feerate,
    /// Lets reserves be below dust limits, for tests and for peers who trust each other (`dev-allowdustreserve`).
    pub allow_dust_reserve: bool,
}

/// What an opening may know of the world.
#[derive(Clone, Copy)]
pub struct OpeningEnv<'a> {
    /// The chain.
    pub chain_hash: [u8; 32],
    /// The best block.
    pub height: BlockHeight,
    /// What we offered in `init`.
    pub our_features: &'a Features,
    /// What the peer offered in `init`.
    pub their_features: &'a Features,
    /// What we ask and accept.
    pub policy: &'a OpeningPolicy,
    /// Signs for this channel.
    pub signer: &'a dyn Signer,
}

impl OpeningEnv<'_> {
    fn negotiated(&self, feature: FeatureBit) -> bool {
        self.our_features.supports(feature) && self.their_features.supports(feature)
    }

    fn shutdown_scripts(&self) -> ShutdownScripts {
        ShutdownScripts::of_features(self.our_features, self.their_features)
    }

    fn first_point(&self) -> Result<PublicKey, ChannelError> {
        self.signer
            .per_commitment_point(CommitmentNumber::FIRST)
            .map_err(signing::failed)
    }

    /// What we demand of a channel of this size. Our reserve is at least `other_dust_limit`.
    fn our_params(
        &self,
        funding: Sat,
        reserve: Option<Sat>,
        other_dust_limit: Sat,
        upfront_shutdown_script: Option<ScriptBuf>,
    ) -> SideParams {
        let policy = self.policy;
        // BOLT 2 §The `open_channel` Message suggests a reserve of one percent.
        let percent = Sat::from_sat(funding.as_sat() / 100);
        let reserve = reserve.or(policy.channel_reserve).unwrap_or(percent);
        let channel_reserve = if policy.allow_dust_reserve {
            reserve
        } else {
            reserve.max(policy.dust_limit).max(other_dust_limit)
        };
        SideParams {
            basepoints: *self.signer.basepoints(),
            dust_limit: policy.dust_limit,
            max_htlc_value_in_flight: policy.max_htlc_value_in_flight,
            channel_reserve,
            htlc_minimum: policy.htlc_minimum,
            to_self_delay: policy.to_self_delay,
            max_accepted_htlcs: policy.max_accepted_htlcs,
            upfront_shutdown_script,
        }
    }
}

impl std::fmt::Debug for OpeningEnv<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpeningEnv")
            .field("height", &self.height)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

/// What the opener starts with and what the accepter is given.
fn first_balances(opener: Side, funding: Sat, push: Msat) -> Option<BySide<Msat>> {
    let kept = funding.to_msat()?.checked_sub(push)?;
    Some(match opener {
        Side::Local => BySide {
            local: kept,
            remote: push,
        },
        Side::Remote => BySide {
            local: push,
            remote: kept,
        },
    })
}

/// Both first commitments, the peer's not signed by us yet, ours not signed by the peer yet.
#[derive(Debug, Clone)]
struct Drafts {
    params: ChannelParams,
    feerate: Feerate,
    remote_point: PublicKey,
}

impl Drafts {
    /// Tells the signer about the channel and signs the peer's first commitment.
    fn sign_remote(&self, env: &OpeningEnv<'_>) -> Result<ecdsa::Signature, ChannelError> {
        let (state, _) = self.state(placeholder_signature())?;
        let commitment = state.build(
            &self.params,
            Side::Remote,
            CommitmentNumber::FIRST,
            &self.remote_point,
        )?;
        env.signer
            .setup_channel(&self.setup())
            .and_then(|()| env.signer.sign_remote_commitment(&commitment))
            .map(|signatures| signatures.commitment)
            .map_err(signing::failed)
    }

    /// Checks the peer's signature of our first commitment.
    fn finish(
        self,
        signature: ecdsa::Signature,
        env: &OpeningEnv<'_>,
    ) -> Result<ChannelState, ChannelError> {
        let (mut commitments, params) = self.state(signature)?;
        let point = env.first_point()?;
        commitments.local_point = Some(point);
        let verified = commitments
            .local_commitment(&params, &point)
            .map_err(|error| {
                if matches!(error, ChannelError::BadCommitmentSignature { .. }) {
                    OpenError::BadSignature.into()
                } else {
                    error
                }
            })?;
        env.signer
            .validate_commitment(&verified)
            .map_err(signing::failed)?;
        Ok(ChannelState::new(params, commitments))
    }

    fn state(
        &self,
        signature: ecdsa::Signature,
    ) -> Result<(Commitments, ChannelParams), ChannelError> {
        let params = &self.params;
        let balances = first_balances(params.opener, params.funding_amount, params.push)
            .ok_or(ChannelError::Overdrawn)?;
        let mut commitments = Commitments::first(FirstCommitments {
            opener: params.opener,
            balances,
            feerate: self.feerate,
            signature,
            remote_point: self.remote_point,
            remote_txid: params.funding.txid,
        });
        commitments.remote_txid = commitments
            .build(
                params,
                Side::Remote,
                CommitmentNumber::FIRST,
                &self.remote_point,
            )?
            .txid();
        Ok((commitments, params.clone()))
    }

    fn setup(&self) -> ChannelSetup {
        let BySide { local, remote } = &self.params.sides;
        let script = |side: &SideParams| side.upfront_shutdown_script.clone().unwrap_or_default();
        ChannelSetup {
            is_outbound: self.params.opener == Side::Local,
            channel_value: self.params.funding_amount,
            push_value: self.params.push,
            funding: self.params.funding,
            local_to_self_delay: local.to_self_delay,
            local_shutdown_script: script(local),
            local_shutdown_wallet_index: None,
            remote_basepoints: remote.basepoints,
            remote_to_self_delay: remote.to_self_delay,
            remote_shutdown_script: script(remote),
            channel_type: self.params.channel_type.features().clone(),
        }
    }
}

/// Stands where the peer's signature is not known yet.
fn placeholder_signature() -> ecdsa::Signature {
    let mut bytes = [0; 64];
    for byte in bytes.iter_mut().skip(31).step_by(32) {
        *byte = 1;
    }
    ecdsa::Signature::from_compact(&bytes).expect("r = s = 1 is in range")
}
