//! What is fixed for a channel's life.

use bitcoin::secp256k1::PublicKey;
use bitcoin::{OutPoint, ScriptBuf};
use ln_codec::{Decode, DecodeError, Encode, Reader};
use ln_keys::Basepoints;
use ln_tx::{CommitmentFormat, CommitmentKeys, CommitmentParams, ObscuringFactor};
use ln_types::{ChannelId, FeatureBit, Features, Msat, Sat, Side};

use crate::BySide;

/// The features of the channel itself, agreed on at opening.
///
/// BOLT 2 §Defined Channel Types.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelType {
    features: Features,
    format: CommitmentFormat,
}

impl ChannelType {
    /// `option_static_remotekey` and `option_anchors`.
    pub fn anchors() -> Self {
        let bits = [FeatureBit::StaticRemotekey, FeatureBit::Anchors];
        Self {
            features: bits.into_iter().map(FeatureBit::even).collect(),
            format: CommitmentFormat::Anchors,
        }
    }

    /// The same with one variation, `option_scid_alias` or `option_zeroconf`.
    #[must_use]
    pub fn with(&self, variation: FeatureBit) -> Self {
        Self {
            features: self.features.clone().with(variation.even()),
            format: self.format,
        }
    }

    /// A type this node can run; `None` for any other.
    // BOLT 2 §Defined Channel Types: two basic types, each with two variations, in even bits.
    pub fn from_features(features: &Features) -> Option<Self> {
        let allowed = [
            FeatureBit::StaticRemotekey,
            FeatureBit::Anchors,
            FeatureBit::ScidAlias,
            FeatureBit::Zeroconf,
        ];
        let known = |bit: u16| allowed.iter().any(|feature| feature.even() == bit);
        let has = |feature: FeatureBit| features.has_bit(feature.even());
        if !has(FeatureBit::StaticRemotekey) || !features.bits().all(known) {
            return None;
        }
        let format = if has(FeatureBit::Anchors) {
            CommitmentFormat::Anchors
        } else {
            CommitmentFormat::StaticRemotekey
        };
        Some(Self {
            features: features.clone(),
            format,
        })
    }

    /// The bits.
    pub fn features(&self) -> &Features {
        &self.features
    }

    /// How its commitments look.
    pub fn format(&self) -> CommitmentFormat {
        self.format
    }

    /// Whether a variation applies.
    pub fn has(&self, variation: FeatureBit) -> bool {
        self.features.has_bit(variation.even())
    }
}

impl Encode for ChannelType {
    fn encode(&self, out: &mut Vec<u8>) {
        self.features.encode(out);
    }
}

impl Decode for ChannelType {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Self::from_features(&Features::decode(reader)?).ok_or(DecodeError::Invalid {
            what: "channel type",
        })
    }
}

/// What one side told the other at opening.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct SideParams {
    /// Its funding key and basepoints.
    pub basepoints: Basepoints,
    /// `dust_limit_satoshis`: of its own commitment.
    pub dust_limit: Sat,
    /// `max_htlc_value_in_flight_msat`: the most it lets the other side have in flight.
    pub max_htlc_value_in_flight: Msat,
    /// `channel_reserve_satoshis`: what the *other* side must keep.
    pub channel_reserve: Sat,
    /// `htlc_minimum_msat`: the least it takes from the other side.
    pub htlc_minimum: Msat,
    /// `to_self_delay`: how long the *other* side's outputs are delayed.
    pub to_self_delay: u16,
    /// `max_accepted_htlcs`: how many it lets the other side offer at a time.
    pub max_accepted_htlcs: u16,
    /// `upfront_shutdown_script`, if it fixed one.
    pub upfront_shutdown_script: Option<ScriptBuf>,
}

/// What is fixed for a channel's life.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ChannelParams {
    /// Its id.
    pub channel_id: ChannelId,
    /// The funding output.
    pub funding: OutPoint,
    /// Its amount.
    pub funding_amount: Sat,
    /// What the opener gave away at opening.
    pub push: Msat,
    /// Who opened it, and so pays for commitments.
    pub opener: Side,
    /// Whether it is to be announced.
    pub announce: bool,
    /// Its type.
    pub channel_type: ChannelType,
    /// Confirmations the accepter wants before it is used.
    pub minimum_depth: u32,
    /// What each side told the other.
    pub sides: BySide<SideParams>,
}

impl ChannelParams {
    /// How its commitments look.
    pub fn format(&self) -> CommitmentFormat {
        self.channel_type.format()
    }

    /// What `side` must keep in the channel.
    pub fn reserve_of(&self, side: Side) -> Msat {
        self.sides[!side].channel_reserve.to_msat_saturating()
    }

    /// What a commitment of `holder` is built from.
    pub fn commitment_params(&self, holder: Side, point: &PublicKey) -> CommitmentParams {
        let (ours, theirs) = (&self.sides[holder], &self.sides[!holder]);
        let opener = &self.sides[self.opener].basepoints.payment;
        let accepter = &self.sides[!self.opener].basepoints.payment;
        CommitmentParams {
            funding_outpoint: self.funding,
            funding_amount: self.funding_amount,
            holder_funding_key: ours.basepoints.funding,
            other_funding_key: theirs.basepoints.funding,
            dust_limit: ours.dust_limit,
            to_self_delay: theirs.to_self_delay,
            keys: CommitmentKeys::derive(*point, &ours.basepoints, &theirs.basepoints),
            obscuring_factor: ObscuringFactor::new(opener, accepter),
            format: self.format(),
            holder_is_opener: self.opener == holder,
        }
    }
}
