//! States, types and names of channels in replies.

use ln_db::ChannelRow;
use ln_rpc::methods::channels::types::{
    ChannelAliases, ChannelState as Shown, ChannelType, StateChangeCause,
};
use ln_types::{ChannelState, FeatureBit, Features};

/// A channel's state in the interface's words; nothing for a channel that is over.
pub(in crate::rpc) fn state_of(state: ChannelState) -> Option<Shown> {
    Shown::from_word(state.name())
}

/// A channel type in bits and names.
pub(super) fn channel_type(features: &Features) -> ChannelType {
    ChannelType {
        bits: features.bits().map(u32::from).collect(),
        names: features
            .bits()
            .filter_map(|bit| Some(name(FeatureBit::of(bit)?).to_owned()))
            .collect(),
    }
}

/// A channel type as JSON.
pub(crate) fn shown_channel_type(features: &Features) -> serde_json::Value {
    serde_json::to_value(channel_type(features)).unwrap_or_default()
}

/// The name that a feature has in a channel type. There all bits are even.
fn name(feature: FeatureBit) -> &'static str {
    match feature {
        FeatureBit::StaticRemotekey => "static_remotekey/even",
        FeatureBit::AnchorOutputs => "anchor_outputs/even",
        FeatureBit::Anchors => "anchors/even",
        FeatureBit::ScidAlias => "scid_alias/even",
        FeatureBit::Zeroconf => "zeroconf/even",
        other => other.name(),
    }
}

/// Both sides' names for a channel.
pub(super) fn aliases(row: &ChannelRow) -> ChannelAliases {
    ChannelAliases {
        local: Some(row.alias_local),
        remote: row.alias_remote,
    }
}

/// Why a channel changed its state.
pub(super) fn cause(word: &str) -> StateChangeCause {
    StateChangeCause::from_word(word).unwrap_or(StateChangeCause::Unknown)
}
