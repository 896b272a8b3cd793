//! What only developers set.

use std::cell::Cell;
use std::str::FromStr;
use std::time::Duration;

use ln_onion::FAILURE_LENGTH;
use ln_types::ChannelId;

use super::config::{helper, special};
use super::{ForcedSecrets, OptionError, Settings};
use crate::features::ForceFeatures;
use crate::plugins::BUILTIN_PLUGINS;

/// What only developers set.
#[derive(Debug, Clone, Default)]
pub(crate) struct DevConfig {
    /// The helper that waits for a debugger.
    pub(crate) debugger: Option<String>,
    /// The helper that makes a mistake, and after how many messages.
    pub(crate) panic: Option<(String, u32)>,
    /// Helpers are not confined.
    pub(crate) no_sandbox: bool,
    /// The helper that tries to get out of its sandbox, and how.
    pub(crate) break_out: Option<(String, String)>,
    /// Whether programs may stand in for helpers whatever version they are.
    pub(crate) any_version: bool,
    /// Seconds after which the node crashes.
    pub(crate) crash_after: Option<u64>,
    pub(crate) fast_gossip: bool,
    pub(crate) fast_gossip_prune: bool,
    pub(crate) bitcoind_poll: Option<u64>,
    pub(crate) disconnect_file: Option<String>,
    pub(crate) no_reconnect: bool,
    pub(crate) no_reconnect_private: bool,
    pub(crate) fast_reconnect: bool,
    pub(crate) no_ping_timer: bool,
    pub(crate) fail_on_subdaemon_fail: bool,
    pub(crate) allow_localhost: bool,
    pub(crate) allow_dust_reserve: bool,
    pub(crate) timeout_secs: Option<u32>,
    pub(crate) disable_commit_after: Option<u32>,
    pub(crate) mpp_timeout: Duration,
    pub(crate) max_fee_multiplier: u32,
    pub(crate) force_features: Vec<ForceFeatures>,
    pub(crate) force_secrets: ForcedSecrets,
    pub(crate) force_temporary_channel_id: Option<ChannelId>,
    /// Whether hsmd refuses all that it is asked to approve.
    pub(crate) hsmd_fail_preapprove: bool,
    /// Whether hsmd pretends that it can't be asked without consequences.
    pub(crate) hsmd_no_preapprove_check: bool,
    /// Whether hsmd complains of signatures that are shorter than most.
    pub(crate) warn_on_overgrind: bool,
    pub(crate) handshake_no_reply: bool,
    pub(crate) limit_connections_inflight: bool,
    pub(crate) keep_nagle: bool,
    pub(crate) throttle_gossip: bool,
    /// How many open files there shall be room for per channel.
    pub(crate) fd_limit_multiplier: u32,
    /// Blocks after which a channel opened to us is forgotten if its funding is not in the chain.
    pub(crate) max_funding_unconfirmed_blocks: u32,
    /// Whether a peer may take as long as it likes with an HTLC.
    pub(crate) no_htlc_timeout: bool,
    /// Whether no onion can be read.
    pub(crate) fail_process_onionpacket: bool,
    /// Whether an HTLC goes on over the channel asked for or not at all.
    pub(crate) strict_forwarding: bool,
    /// What a failure and its padding have together, in bytes.
    pub(crate) onion_reply_length: usize,
    /// Whether peers are told nothing of our channels' changes any more: the command `dev-suppress-gossip` sets it.
    pub(crate) suppress_gossip: Cell<bool>,
}

impl DevConfig {
    /// Understands their options.
    pub(super) fn new(settings: &Settings) -> Result<Self, OptionError> {
        let optional = |name| {
            special(settings, name, |text| {
                text.parse()
                    .map_err(|_| format!("'{text}' is not a number"))
            })
        };
        Ok(Self {
            debugger: special(settings, "dev-debugger", helper)?,
            any_version: settings.flag("dev-no-version-checks"),
            panic: special(settings, "dev-panic", panicking)?,
            no_sandbox: settings.flag("dev-no-sandbox"),
            break_out: special(settings, "dev-break-out", breaking_out)?,
            crash_after: special(settings, "dev-crash-after", seconds)?,
            strict_forwarding: settings.flag("dev-strict-forwarding"),
            fast_gossip: settings.flag("dev-fast-gossip"),
            fast_gossip_prune: settings.flag("dev-fast-gossip-prune"),
            bitcoind_poll: special(settings, "dev-bitcoind-poll", seconds)?,
            disconnect_file: settings.text("dev-disconnect").map(str::to_owned),
            no_reconnect: settings.flag("dev-no-reconnect"),
            no_reconnect_private: settings.flag("dev-no-reconnect-private"),
            fast_reconnect: settings.flag("dev-fast-reconnect"),
            no_ping_timer: settings.flag("dev-no-ping-timer"),
            fail_on_subdaemon_fail: settings.flag("dev-fail-on-subdaemon-fail"),
            allow_localhost: settings.flag("dev-allow-localhost"),
            allow_dust_reserve: settings.bool("dev-allowdustreserve", false)?,
            timeout_secs: optional("dev-timeout-secs")?,
            disable_commit_after: optional("dev-disable-commit-after")?,
            mpp_timeout: Duration::from_secs(settings.parsed("dev-mpp-timeout", 60)?),
            max_fee_multiplier: settings.parsed("dev-max-fee-multiplier", 10)?,
            force_features: every(settings, "dev-force-features")?,
            force_secrets: ForcedSecrets::new(settings)?,
            force_temporary_channel_id: special(settings, "dev-force-tmp-channel-id", |text| {
                text.parse()
                    .map_err(|_| "needs a channel id: 64 hex digits".to_owned())
            })?,
            hsmd_fail_preapprove: settings.flag("dev-hsmd-fail-preapprove"),
            hsmd_no_preapprove_check: settings.flag("dev-hsmd-no-preapprove-check"),
            warn_on_overgrind: settings.flag("dev-warn-on-overgrind"),
            handshake_no_reply: settings.flag("dev-handshake-no-reply"),
            limit_connections_inflight: settings.flag("dev-limit-connections-inflight"),
            keep_nagle: settings.flag("dev-keep-nagle"),
            throttle_gossip: settings.flag("dev-throttle-gossip"),
            fd_limit_multiplier: settings.parsed("dev-fd-limit-multiplier", 2)?,
            max_funding_unconfirmed_blocks: settings
                .parsed("dev-max-funding-unconfirmed-blocks", 2016)?,
            no_htlc_timeout: settings.flag("dev-no-htlc-timeout"),
            fail_process_onionpacket: settings.flag("dev-fail-process-onionpacket"),
            onion_reply_length: settings.parsed("dev-onion-reply-length", FAILURE_LENGTH)?,
            suppress_gossip: Cell::default(),
        })
    }
}

/// `HELPER[:HOW]`.
fn breaking_out(text: &str) -> Result<(String, String), String> {
    let (name, how) = text.split_once(':').unwrap_or((text, "all"));
    match how {
        "all" | "exec" | "fork" => Ok((helper(name)?, how.to_owned())),
        _ => Err(format!("'{how}' is no way out: use all, exec or fork")),
    }
}

fn seconds(text: &str) -> Result<u64, String> {
    text.parse()
        .map_err(|_| format!("'{text}' is not a number of seconds"))
}

/// `NAME[:MESSAGES]`.
fn panicking(text: &str) -> Result<(String, u32), String> {
    let (name, after) = text.split_once(':').unwrap_or((text, "0"));
    let after = after
        .parse()
        .map_err(|_| format!("'{after}' is not a number of messages"))?;
    if BUILTIN_PLUGINS.contains(&name) {
        return Ok((name.to_owned(), after));
    }
    let name = helper(name)
        .map_err(|error| format!("{error}, or a plugin: {}", BUILTIN_PLUGINS.join(", ")))?;
    Ok((name, after))
}

/// Reads a setting that may be given more than once.
fn every<T: FromStr<Err: std::fmt::Display>>(
    settings: &Settings,
    name: &str,
) -> Result<Vec<T>, OptionError> {
    let all = settings.all().iter();
    all.filter(|setting| setting.name == name)
        .map(|setting| {
            let text = setting.value.as_deref().unwrap_or_default();
            text.parse()
                .map_err(|error| OptionError::new(setting, error))
        })
        .collect()
}
