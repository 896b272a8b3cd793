//! Our side of a channel we open.

use bitcoin::{OutPoint, ScriptBuf};
use ln_keys::Basepoints;
use ln_tx::script::funding_script_pubkey;
use ln_types::{ChannelId, FeatureBit, Features, Feerate, Msat, Sat, Side};
use ln_wire::{AcceptChannel, FundingCreated, FundingSigned, OpenChannel, OpenChannelTlvs};

use super::{Drafts, OpeningEnv, checks};
use crate::{
    BySide, ChannelError, ChannelParams, ChannelState, ChannelType, OpenError, SideParams,
};

/// The deepest `minimum_depth` we wait for: a day of blocks.
const MAX_MINIMUM_DEPTH: u32 = 144;

/// The channel we want.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenTerms {
    /// Names the channel until the funding transaction is known.
    pub temporary_channel_id: ChannelId,
    /// Its amount.
    pub funding: Sat,
    /// What the peer gets at once.
    pub push: Msat,
    /// The commitment feerate.
    pub feerate: Feerate,
    /// Whether it is announced.
    pub announce: bool,
    /// The channel type; nothing means the best both support.
    pub channel_type: Option<Features>,
    /// Where our balance shall go on a mutual close, if fixed now.
    pub upfront_shutdown_script: Option<ScriptBuf>,
    /// The reserve to demand, if not the policy's.
    pub reserve: Option<Sat>,
    /// Confirmations after which we use it, if not as many as the peer demands.
    pub minimum_depth: Option<u32>,
}

/// `open_channel` is sent.
#[derive(Debug, Clone)]
pub struct Proposed {
    terms: OpenTerms,
    channel_type: ChannelType,
    ours: SideParams,
}

/// `accept_channel` came: the funding transaction can be made.
#[derive(Debug, Clone)]
pub struct Accepted {
    proposed: Proposed,
    theirs: SideParams,
    minimum_depth: u32,
    remote_point: bitcoin::secp256k1::PublicKey,
}

/// `funding_created` is sent. The funding transaction must not be broadcast yet.
#[derive(Debug, Clone)]
pub struct Created {
    drafts: Drafts,
}

impl Proposed {
    /// Proposes a channel.
    pub fn new(
        terms: OpenTerms,
        env: &OpeningEnv<'_>,
    ) -> Result<(Self, OpenChannel), ChannelError> {
        checks::funding(env, terms.funding, terms.push)?;
        let channel_type = match &terms.channel_type {
            Some(features) => checks::channel_type(env, Some(features), terms.announce)?,
            None => best_type(env, terms.announce)?,
        };
        let script = terms.upfront_shutdown_script.as_ref();
        let script = checks::upfront_script(env, script)?;
        let ours = env.our_params(terms.funding, terms.reserve, Sat::ZERO, script);
        checks::first_commitment(
            Side::Local,
            terms.funding,
            terms.push,
            terms.feerate,
            ours.channel_reserve,
        )?;
        let message = OpenChannel {
            chain_hash: env.chain_hash,
            temporary_channel_id: terms.temporary_channel_id,
            funding_satoshis: terms.funding,
            push_msat: terms.push,
            dust_limit_satoshis: ours.dust_limit,
            max_htlc_value_in_flight_msat: ours.max_htlc_value_in_flight,
            channel_reserve_satoshis: ours.channel_reserve,
            htlc_minimum_msat: ours.htlc_minimum,
            feerate_per_kw: terms.feerate,
            to_self_delay: ours.to_self_delay,
            max_accepted_htlcs: ours.max_accepted_htlcs,
            funding_pubkey: ours.basepoints.funding,
            revocation_basepoint: ours.basepoints.revocation,
            payment_basepoint: ours.basepoints.payment,
            delayed_payment_basepoint: ours.basepoints.delayed_payment,
            htlc_basepoint: ours.basepoints.htlc,
            first_per_commitment_point: env.first_point()?,
            channel_flags: if terms.announce {
                OpenChannel::ANNOUNCE_CHANNEL
            } else {
                0
            },
            tlvs: OpenChannelTlvs {
                // BOLT 2 §The `open_channel` Message: always there, empty when nothing is fixed.
                upfront_shutdown_script: Some(
                    ours.upfront_shutdown_script.clone().unwrap_or_default(),
                ),
                channel_type: Some(channel_type.features().clone()),
            },
        };
        let proposed = Self {
            terms,
            channel_type,
            ours,
        };
        Ok((proposed, message))
    }

    /// The peer accepts.
    pub fn on_accept_channel(
        self,
        accept: &AcceptChannel,
        env: &OpeningEnv<'_>,
    ) -> Result<Accepted, ChannelError> {
        let OpenTerms {
            funding, feerate, ..
        } = self.terms;
        if accept.temporary_channel_id != self.terms.temporary_channel_id {
            return Err(OpenError::WrongTemporaryId.into());
        }
        // BOLT 2 §The `accept_channel` Message: the type of open_channel, neither more nor less.
        let announce = self.terms.announce;
        let wanted = accept.tlvs.channel_type.as_ref();
        if checks::channel_type(env, wanted, announce)? != self.channel_type {
            return Err(OpenError::BadChannelType {
                channel_type: wanted.map(ToString::to_string).unwrap_or_default(),
            }
            .into());
        }
        let script = accept.tlvs.upfront_shutdown_script.as_ref();
        let theirs = SideParams {
            basepoints: Basepoints {
                funding: accept.funding_pubkey,
                revocation: accept.revocation_basepoint,
                payment: accept.payment_basepoint,
                delayed_payment: accept.delayed_payment_basepoint,
                htlc: accept.htlc_basepoint,
            },
            dust_limit: accept.dust_limit_satoshis,
            max_htlc_value_in_flight: accept.max_htlc_value_in_flight_msat,
            channel_reserve: accept.channel_reserve_satoshis,
            htlc_minimum: accept.htlc_minimum_msat,
            to_self_delay: accept.to_self_delay,
            max_accepted_htlcs: accept.max_accepted_htlcs,
            upfront_shutdown_script: checks::upfront_script(env, script)?,
        };
        checks::their_params(env, &theirs)?;
        // BOLT 2 §The `accept_channel` Message: each side's reserve is at least the other side's dust limit.
        checks::reserve_above_dust(env, theirs.channel_reserve, self.ours.dust_limit)?;
        checks::reserve_above_dust(env, self.ours.channel_reserve, theirs.dust_limit)?;
        checks::capacity(env, funding, feerate, &self.ours, &theirs)?;
        let depth = accept.minimum_depth;
        if depth > MAX_MINIMUM_DEPTH {
            let max = MAX_MINIMUM_DEPTH;
            return Err(OpenError::DepthTooLarge { depth, max }.into());
        }
        Ok(Accepted {
            theirs,
            minimum_depth: self.terms.minimum_depth.unwrap_or(depth),
            remote_point: accept.first_per_commitment_point,
            proposed: self,
        })
    }
}

/// The best type both support.
fn best_type(env: &OpeningEnv<'_>, announce: bool) -> Result<ChannelType, OpenError> {
    let anchors = ChannelType::anchors();
    if !env.negotiated(FeatureBit::Anchors) {
        return Err(OpenError::BadChannelType {
            channel_type: anchors.features().to_string(),
        });
    }
    if !announce && env.negotiated(FeatureBit::ScidAlias) {
        Ok(anchors.with(FeatureBit::ScidAlias))
    } else {
        Ok(anchors)
    }
}

impl Accepted {
    /// The funding output's script.
    pub fn funding_script(&self) -> ScriptBuf {
        let ours = &self.proposed.ours.basepoints.funding;
        funding_script_pubkey(ours, &self.theirs.basepoints.funding)
    }

    /// The type agreed on.
    pub fn channel_type(&self) -> &ChannelType {
        &self.proposed.channel_type
    }

    /// Confirmations after which the channel is used.
    pub fn minimum_depth(&self) -> u32 {
        self.minimum_depth
    }

    /// The funding transaction is made: signs the peer's first commitment.
    pub fn on_funding(
        self,
        funding: OutPoint,
        env: &OpeningEnv<'_>,
    ) -> Result<(Created, FundingCreated), ChannelError> {
        checks::outpoint(funding)?;
        let funding_output_index =
            u16::try_from(funding.vout).map_err(|_| OpenError::BadFundingOutput {
                why: "its index does not fit 16 bits",
            })?;
        let terms = &self.proposed.terms;
        let drafts = Drafts {
            params: ChannelParams {
                channel_id: ChannelId::v1(funding),
                funding,
                funding_amount: terms.funding,
                push: terms.push,
                opener: Side::Local,
                announce: terms.announce,
                channel_type: self.proposed.channel_type,
                minimum_depth: self.minimum_depth,
                sides: BySide {
                    local: self.proposed.ours,
                    remote: self.theirs,
                },
            },
            feerate: terms.feerate,
            remote_point: self.remote_point,
        };
        let message = FundingCreated {
            temporary_channel_id: terms.temporary_channel_id,
            funding_txid: funding.txid,
            funding_output_index,
            signature: drafts.sign_remote(env)?,
        };
        Ok((Created { drafts }, message))
    }
}

impl Created {
    /// The channel's id.
    pub fn channel_id(&self) -> ChannelId {
        self.drafts.params.channel_id
    }

    /// The peer signed our first commitment: once the state is durable the funding transaction may be broadcast.
    pub fn on_funding_signed(
        self,
        signed: &FundingSigned,
        env: &OpeningEnv<'_>,
    ) -> Result<ChannelState, ChannelError> {
        if signed.channel_id != self.channel_id() {
            return Err(OpenError::WrongChannelId.into());
        }
        self.drafts.finish(signed.signature, env)
    }
}
