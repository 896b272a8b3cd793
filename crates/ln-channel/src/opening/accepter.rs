//! Our side of a channel the peer opens.

use bitcoin::{OutPoint, ScriptBuf};
use ln_keys::Basepoints;
use ln_types::{ChannelId, FeatureBit, Sat, Side};
use ln_wire::{AcceptChannel, AcceptChannelTlvs, FundingCreated, FundingSigned, OpenChannel};

use super::{Drafts, OpeningEnv, checks};
use crate::{
    BySide, ChannelError, ChannelParams, ChannelState, ChannelType, OpenError, SideParams,
};

/// `open_channel` came and is within our policy.
#[derive(Debug, Clone)]
pub struct Incoming {
    open: OpenChannel,
    channel_type: ChannelType,
    theirs: SideParams,
}

/// What we say to it, where it is not the policy's.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AcceptTerms {
    /// Where our balance shall go on a mutual close, if fixed now.
    pub upfront_shutdown_script: Option<ScriptBuf>,
    /// Confirmations to demand; 0 trusts the peer not to double-spend.
    pub minimum_depth: Option<u32>,
    /// The reserve to demand.
    pub reserve: Option<Sat>,
}

/// `accept_channel` is sent.
#[derive(Debug, Clone)]
pub struct Awaiting {
    incoming: Incoming,
    ours: SideParams,
    minimum_depth: u32,
}

impl Incoming {
    /// The peer proposes a channel.
    pub fn new(open: OpenChannel, env: &OpeningEnv<'_>) -> Result<Self, ChannelError> {
        if open.chain_hash != env.chain_hash {
            return Err(OpenError::UnknownChain.into());
        }
        let funding = open.funding_satoshis;
        checks::funding(env, funding, open.push_msat)?;
        checks::feerate(env, open.feerate_per_kw)?;
        let announce = open.channel_flags & OpenChannel::ANNOUNCE_CHANNEL != 0;
        let wanted = open.tlvs.channel_type.as_ref();
        let channel_type = checks::channel_type(env, wanted, announce)?;
        let script = open.tlvs.upfront_shutdown_script.as_ref();
        let theirs = SideParams {
            basepoints: Basepoints {
                funding: open.funding_pubkey,
                revocation: open.revocation_basepoint,
                payment: open.payment_basepoint,
                delayed_payment: open.delayed_payment_basepoint,
                htlc: open.htlc_basepoint,
            },
            dust_limit: open.dust_limit_satoshis,
            max_htlc_value_in_flight: open.max_htlc_value_in_flight_msat,
            channel_reserve: open.channel_reserve_satoshis,
            htlc_minimum: open.htlc_minimum_msat,
            to_self_delay: open.to_self_delay,
            max_accepted_htlcs: open.max_accepted_htlcs,
            upfront_shutdown_script: checks::upfront_script(env, script)?,
        };
        checks::their_params(env, &theirs)?;
        // BOLT 2 §The `open_channel` Message: dust_limit_satoshis at most channel_reserve_satoshis; and ours must be, too.
        checks::reserve_above_dust(env, theirs.channel_reserve, theirs.dust_limit)?;
        checks::reserve_above_dust(env, theirs.channel_reserve, env.policy.dust_limit)?;
        checks::first_commitment(
            Side::Remote,
            funding,
            open.push_msat,
            open.feerate_per_kw,
            theirs.channel_reserve,
        )?;
        let ours = env.our_params(funding, None, theirs.dust_limit, None);
        checks::capacity(env, funding, open.feerate_per_kw, &ours, &theirs)?;
        Ok(Self {
            open,
            channel_type,
            theirs,
        })
    }

    /// The proposal.
    pub fn open_channel(&self) -> &OpenChannel {
        &self.open
    }

    /// The type it asks for.
    pub fn channel_type(&self) -> &ChannelType {
        &self.channel_type
    }

    /// Where the peer's balance shall go, if it fixed that.
    pub fn shutdown_script(&self) -> Option<&ScriptBuf> {
        self.theirs.upfront_shutdown_script.as_ref()
    }

    /// We accept.
    pub fn accept(
        self,
        terms: &AcceptTerms,
        env: &OpeningEnv<'_>,
    ) -> Result<(Awaiting, AcceptChannel), ChannelError> {
        let open = &self.open;
        // BOLT 2 §The `open_channel` Message: a zero-conf channel only from a peer we trust, which our caller says by a depth of zero.
        let zeroconf = self.channel_type.has(FeatureBit::Zeroconf);
        if zeroconf && terms.minimum_depth != Some(0) {
            return Err(OpenError::BadChannelType {
                channel_type: self.channel_type.features().to_string(),
            }
            .into());
        }
        let minimum_depth = terms.minimum_depth.unwrap_or(env.policy.minimum_depth);
        let script = checks::upfront_script(env, terms.upfront_shutdown_script.as_ref())?;
        let ours = env.our_params(
            open.funding_satoshis,
            terms.reserve,
            self.theirs.dust_limit,
            script,
        );
        let message = AcceptChannel {
            temporary_channel_id: open.temporary_channel_id,
            dust_limit_satoshis: ours.dust_limit,
            max_htlc_value_in_flight_msat: ours.max_htlc_value_in_flight,
            channel_reserve_satoshis: ours.channel_reserve,
            htlc_minimum_msat: ours.htlc_minimum,
            minimum_depth,
            to_self_delay: ours.to_self_delay,
            max_accepted_htlcs: ours.max_accepted_htlcs,
            funding_pubkey: ours.basepoints.funding,
            revocation_basepoint: ours.basepoints.revocation,
            payment_basepoint: ours.basepoints.payment,
            delayed_payment_basepoint: ours.basepoints.delayed_payment,
            htlc_basepoint: ours.basepoints.htlc,
            first_per_commitment_point: env.first_point()?,
            tlvs: AcceptChannelTlvs {
                upfront_shutdown_script: Some(
                    ours.upfront_shutdown_script.clone().unwrap_or_default(),
                ),
                channel_type: Some(self.channel_type.features().clone()),
            },
        };
        let awaiting = Awaiting {
            incoming: self,
            ours,
            minimum_depth,
        };
        Ok((awaiting, message))
    }
}

impl Awaiting {
    /// The peer made the funding transaction and signed our first commitment. `funding_signed` may go out once the state is durable.
    pub fn on_funding_created(
        self,
        created: &FundingCreated,
        env: &OpeningEnv<'_>,
    ) -> Result<(ChannelState, FundingSigned), ChannelError> {
        let open = self.incoming.open;
        if created.temporary_channel_id != open.temporary_channel_id {
            return Err(OpenError::WrongTemporaryId.into());
        }
        let funding = OutPoint {
            txid: created.funding_txid,
            vout: created.funding_output_index.into(),
        };
        checks::outpoint(funding)?;
        let channel_id = ChannelId::v1(funding);
        let drafts = Drafts {
            params: ChannelParams {
                channel_id,
                funding,
                funding_amount: open.funding_satoshis,
                push: open.push_msat,
                opener: Side::Remote,
                announce: open.channel_flags & OpenChannel::ANNOUNCE_CHANNEL != 0,
                channel_type: self.incoming.channel_type,
                minimum_depth: self.minimum_depth,
                sides: BySide {
                    local: self.ours,
                    remote: self.incoming.theirs,
                },
            },
            feerate: open.feerate_per_kw,
            remote_point: open.first_per_commitment_point,
        };
        let signature = drafts.sign_remote(env)?;
        let state = drafts.finish(created.signature, env)?;
        let message = FundingSigned {
            channel_id,
            signature,
        };
        Ok((state, message))
    }
}
