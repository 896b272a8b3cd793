//! What each of our own options comes to: given by somebody or not.

use bitcoin::hex::DisplayHex;
use ln_types::Msat;

use crate::node::Node;
use crate::options::{Kind, OptionInfo, Setting};

/// The value of an option, in the type it is shown in.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Shown {
    Str(String),
    Msat(Msat),
    Int(i64),
    Bool(bool),
}

impl Shown {
    /// What was given, in the type that the option takes. What can't be read is shown as it was written.
    pub(super) fn given(kind: Kind, text: &str) -> Self {
        let read = match kind {
            Kind::Flag | Kind::Bool => match text {
                "" | "true" | "yes" | "1" => Some(Self::Bool(true)),
                "false" | "no" | "0" => Some(Self::Bool(false)),
                _ => None,
            },
            Kind::Int => text.parse().ok().map(Self::Int),
            Kind::Msat => text.parse().ok().map(Self::Msat),
            Kind::Text => None,
        };
        read.unwrap_or_else(|| Self::Str(text.to_owned()))
    }
}

fn int(number: impl TryInto<i64>) -> Shown {
    Shown::Int(number.try_into().unwrap_or(i64::MAX))
}

fn text(text: impl ToString) -> Shown {
    Shown::Str(text.to_string())
}

/// What an option that takes a value comes to; nothing when it was not given and has no default.
pub(super) fn shown(node: &Node, info: &OptionInfo, given: Option<&Setting>) -> Option<Shown> {
    let of_config = of_node(node, info.name).or_else(|| of_channels(node, info.name));
    of_config.or_else(|| {
        let given = given.and_then(|setting| setting.value.as_deref());
        given.map_or_else(
            || default(node, info.name),
            |text| Some(Shown::given(info.kind, text)),
        )
    })
}

/// Options about the node as a whole.
fn of_node(node: &Node, name: &str) -> Option<Shown> {
    let config = &node.config;
    Some(match name {
        "lightning-dir" => text(config.base_dir.display()),
        "network" => text(config.network.name()),
        "allow-deprecated-apis" => Shown::Bool(config.allow_deprecated),
        "rpc-file" => text(&config.rpc_file),
        "rpc-file-mode" => text(format!("{:04o}", config.rpc_file_mode)),
        "pid-file" => text(config.pid_file.display()),
        "rescan" => int(config.rescan),
        "alias" => text(node.alias_text()),
        "rgb" => text(node.color().as_hex()),
        "autoconnect-seeker-peers" => int(config.net.gossip_peers),
        "always-use-proxy" => Shown::Bool(config.net.always_use_proxy),
        _ => return None,
    })
}

/// Options about channels.
fn of_channels(node: &Node, name: &str) -> Option<Shown> {
    let config = &node.config;
    Some(match name {
        "fee-base" => int(config.fee_base.as_msat()),
        "fee-per-satoshi" => int(config.fee_ppm),
        "min-capacity-sat" => int(config.min_capacity.get().as_sat()),
        "xpay-slow-mode" => Shown::Bool(config.waits_for_all_parts.get()),
        "ignore-fee-limits" => Shown::Bool(config.ignore_fee_limits),
        "htlc-minimum-msat" => Shown::Msat(config.htlc_minimum),
        "htlc-maximum-msat" => {
            let unlimited = Msat::from_msat(u64::MAX);
            Shown::Msat(config.htlc_maximum.unwrap_or(unlimited))
        }
        "watchtime-blocks" => int(config.watchtime_blocks),
        "funding-confirms" => int(config.funding_confirms),
        "commit-fee" => int(config.commit_fee_percent),
        "commit-feerate-offset" => int(config.commit_feerate_offset),
        "max-concurrent-htlcs" => int(config.max_concurrent_htlcs),
        "max-dust-htlc-exposure-msat" => Shown::Msat(config.max_dust_exposure),
        "cltv-delta" => int(config.cltv_delta.0),
        "cltv-final" => int(config.cltv_final.0),
        "min-emergency-msat" => Shown::Msat(config.emergency_reserve),
        _ => return None,
    })
}

/// Defaults of options that are only looked at where they are needed.
fn default(node: &Node, name: &str) -> Option<Shown> {
    Some(match name {
        "log-level" => text("info"),
        "log-prefix" => text(""),
        "log-timestamps" => Shown::Bool(true),
        "commit-time" => int(10),
        "xpay-handle-pay" => Shown::Bool(true),
        "require-confirmed-inputs" => Shown::Bool(false),
        "announce-addr-discovered" => text("auto"),
        "announce-addr-discovered-port" => int(node.config.network.lightning_port()),
        "autolisten" => {
            let settings = node.settings();
            let mut names = ["addr", "bind-addr", "announce-addr"].into_iter();
            Shown::Bool(names.all(|name| settings.last(name).is_none()))
        }
        "message-padding" => Shown::Bool(false),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_given_is_shown_in_the_type_of_the_option() {
        assert_eq!(Shown::given(Kind::Bool, ""), Shown::Bool(true));
        assert_eq!(Shown::given(Kind::Bool, "false"), Shown::Bool(false));
        assert_eq!(Shown::given(Kind::Int, "-7"), Shown::Int(-7));
        assert_eq!(
            Shown::given(Kind::Msat, "5sat"),
            Shown::Msat(Msat::from_msat(5000))
        );
        assert_eq!(Shown::given(Kind::Text, "5"), Shown::Str("5".to_owned()));
    }
}
