//! `plugin-hook-timeout`: how long the operator lets plugins think.

use std::time::Duration;

use super::HOOKS;
use crate::options::{OptionError, Settings, nearest};

/// The option's name.
const OPTION: &str = "plugin-hook-timeout";

/// What the operator said about time limits of hooks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct HookTimeouts(Vec<Rule>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    /// The plugin it is about; nothing means all.
    plugin: Option<String>,
    hook: String,
    /// Nothing means for ever.
    patience: Option<Duration>,
}

impl HookTimeouts {
    /// Understands the settings.
    pub(crate) fn read(settings: &Settings) -> Result<Self, OptionError> {
        let all = settings.all().iter();
        let own = all.filter(|setting| setting.name == OPTION);
        let rules = own.map(|setting| {
            let text = setting.value.as_deref().unwrap_or_default();
            rule(text).map_err(|problem| OptionError::new(setting, problem))
        });
        Ok(Self(rules.collect::<Result<_, _>>()?))
    }

    /// How long a plugin may take in a hook, where `default` is how long it may take if nothing was said.
    pub(super) fn patience(
        &self,
        plugin: &str,
        hook: &str,
        default: Option<Duration>,
    ) -> Option<Duration> {
        let of = |plugin: Option<&str>| {
            let mut rules = self.0.iter().rev();
            rules.find(|rule| rule.hook == hook && rule.plugin.as_deref() == plugin)
        };
        let Some(rule) = of(Some(plugin)).or_else(|| of(None)) else {
            return default;
        };
        match (rule.patience, default) {
            // The few commands that have a limit without being told so: with them a plugin is stopped.
            (Some(set), Some(limit)) if hook == "rpc_command" => Some(set.min(limit)),
            (None, Some(limit)) if hook == "rpc_command" => Some(limit),
            (set, _) => set,
        }
    }

    /// The plugins that are named.
    pub(crate) fn plugins(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|rule| rule.plugin.as_deref())
    }
}

/// Reads `[NAME:]HOOK=SECONDS`.
fn rule(text: &str) -> Result<Rule, String> {
    let form = "write [NAME:]HOOK=SECONDS, such as openchannel=20 or shop.py:htlc_accepted=none";
    let (what, seconds) = text.rsplit_once('=').ok_or(form)?;
    let (plugin, hook) = match what.rsplit_once(':') {
        Some(("", _)) => return Err(form.to_owned()),
        Some((plugin, hook)) => (Some(plugin.to_owned()), hook),
        None => (None, what),
    };
    check_hook(hook)?;
    let patience = match (seconds, seconds.parse()) {
        ("none", _) => None,
        (_, Ok(seconds @ 1..=MAX_SECONDS)) => Some(Duration::from_secs(seconds)),
        (_, _) => {
            return Err(format!(
                "'{seconds}' is no time: write seconds from 1 to {MAX_SECONDS}, or none to wait for ever"
            ));
        }
    };
    Ok(Rule {
        plugin,
        hook: hook.to_owned(),
        patience,
    })
}

/// A day. Whoever wants more wants `none`.
const MAX_SECONDS: u64 = 24 * 60 * 60;

/// Fails, with a hint, if there is no hook with this name.
pub(in crate::plugins) fn check_hook(hook: &str) -> Result<(), String> {
    if HOOKS.contains(&hook) {
        return Ok(());
    }
    let hint = match nearest(hook, HOOKS.iter().copied()) {
        Some(known) => format!("did you mean '{known}'?"),
        None => format!("there are {}", HOOKS.join(", ")),
    };
    Err(format!("there is no hook '{hook}': {hint}"))
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;

    fn timeouts(values: &[&str]) -> Result<HookTimeouts, String> {
        let line = values.iter().map(|value| format!("--{OPTION}={value}"));
        let line: Vec<OsString> = line.map(OsString::from).collect();
        let settings = Settings::command_line(&line).unwrap();
        HookTimeouts::read(&settings).map_err(|error| error.to_string())
    }

    #[test]
    fn the_closest_rule_counts() {
        let given = [
            "openchannel=20",
            "a.py:openchannel=none",
            "htlc_accepted=5",
            "openchannel=30",
            "rpc_command=20",
        ];
        let timeouts = timeouts(&given).unwrap();
        let minute = Some(Duration::from_mins(1));
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(timeouts.patience("a.py", "openchannel", minute), None);
        assert_eq!(
            timeouts.patience("b.py", "openchannel", minute),
            seconds(30)
        );
        assert_eq!(timeouts.patience("b.py", "custommsg", minute), minute);
        assert_eq!(timeouts.patience("b.py", "htlc_accepted", None), seconds(5));
        // `stop` must work.
        let brief = seconds(10);
        assert_eq!(timeouts.patience("b.py", "rpc_command", brief), brief);
        assert_eq!(timeouts.patience("b.py", "rpc_command", None), seconds(20));
        assert_eq!(timeouts.plugins().collect::<Vec<_>>(), ["a.py"]);
    }

    #[test]
    fn what_is_no_rule_is_explained() {
        for (value, problem) in [
            ("openchanel=3", "did you mean 'openchannel'?"),
            ("zzzzzzzzz=3", "there are commitment_revocation"),
            ("openchannel", "write [NAME:]HOOK=SECONDS"),
            (":openchannel=3", "write [NAME:]HOOK=SECONDS"),
            ("openchannel=0", "'0' is no time"),
            ("openchannel=-1", "'-1' is no time"),
            ("openchannel=86401", "none to wait for ever"),
        ] {
            let error = timeouts(&[value]).unwrap_err();
            assert!(error.contains(problem), "{error}");
        }
    }
}
