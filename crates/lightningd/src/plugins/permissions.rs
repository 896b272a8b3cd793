//! `plugin-permissions`: what the operator lets a plugin do.

use std::collections::BTreeSet;

use super::hooks::check_hook;
use crate::options::{OptionError, Setting, Settings, nearest};

/// The option's name.
const OPTION: &str = "plugin-permissions";

/// What may be called, or asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Allowed {
    All,
    These(BTreeSet<String>),
}

impl Allowed {
    fn permits(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::These(names) => names.contains(name),
        }
    }
}

/// What one plugin may do.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    plugin: String,
    methods: Allowed,
    hooks: Allowed,
    setting: Setting,
}

/// What plugins may do. One that is not named may do everything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Permissions(Vec<Rule>);

impl Permissions {
    /// Understands the settings.
    pub(crate) fn read(settings: &Settings) -> Result<Self, OptionError> {
        let mut rules: Vec<Rule> = Vec::new();
        let all = settings.all().iter();
        for setting in all.filter(|setting| setting.name == OPTION) {
            let wrong = |problem: String| OptionError::new(setting, problem);
            let rule = rule(setting).map_err(wrong)?;
            if rules.iter().any(|known| known.plugin == rule.plugin) {
                let text = format!("{} has permissions already: write all in one", rule.plugin);
                return Err(wrong(text));
            }
            rules.push(rule);
        }
        Ok(Self(rules))
    }

    /// Whether every plugin may do everything.
    pub(crate) fn is_open(&self) -> bool {
        self.0.is_empty()
    }

    fn of(&self, plugin: &str) -> Option<&Rule> {
        self.0.iter().find(|rule| rule.plugin == plugin)
    }

    /// Whether a plugin may call a method.
    pub(super) fn permits_method(&self, plugin: &str, method: &str) -> bool {
        self.of(plugin)
            .is_none_or(|rule| rule.methods.permits(method))
    }

    /// Whether a plugin may be asked in a hook.
    pub(super) fn permits_hook(&self, plugin: &str, hook: &str) -> bool {
        self.of(plugin).is_none_or(|rule| rule.hooks.permits(hook))
    }

    /// The plugins that are named.
    pub(super) fn plugins(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|rule| rule.plugin.as_str())
    }

    /// Fails at a method that is almost one of the known. What is like none of them may be a method of a plugin that comes later.
    pub(super) fn check_methods<'a>(
        &self,
        known: impl Fn(&str) -> bool,
        names: impl Iterator<Item = &'a str> + Clone,
    ) -> Result<(), OptionError> {
        for rule in &self.0 {
            let Allowed::These(methods) = &rule.methods else {
                continue;
            };
            for method in methods.iter().filter(|method| !known(method)) {
                let close = nearest(method, names.clone());
                // In a short word three wrong letters make another word.
                let close = close.filter(|_| method.len() > 6);
                if let Some(close) = close {
                    let text = format!("there is no method '{method}': did you mean '{close}'?");
                    return Err(OptionError::new(&rule.setting, text));
                }
            }
        }
        Ok(())
    }
}

const FORM: &str = "write NAME:methods=METHOD,...:hooks=HOOK,..., such as shop.py:methods=invoice,waitinvoice:hooks=none";

/// Reads `NAME:methods=...:hooks=...`.
fn rule(setting: &Setting) -> Result<Rule, String> {
    let text = setting.value.as_deref().unwrap_or_default();
    let mut parts = text.split(':');
    let plugin = parts.next().filter(|name| !name.is_empty()).ok_or(FORM)?;
    let (mut methods, mut hooks) = (None, None);
    for part in parts {
        let (what, names) = part.split_once('=').ok_or(FORM)?;
        let place = match what {
            "methods" => &mut methods,
            "hooks" => &mut hooks,
            other => return Err(format!("'{other}' is neither methods nor hooks: {FORM}")),
        };
        if place.replace(allowed(names)?).is_some() {
            return Err(format!("{what} stands there twice: {FORM}"));
        }
    }
    if methods.is_none() && hooks.is_none() {
        return Err(FORM.to_owned());
    }
    let hooks = hooks.unwrap_or(Allowed::All);
    if let Allowed::These(names) = &hooks {
        names.iter().try_for_each(|name| check_hook(name))?;
    }
    Ok(Rule {
        plugin: plugin.to_owned(),
        methods: methods.unwrap_or(Allowed::All),
        hooks,
        setting: setting.clone(),
    })
}

fn allowed(names: &str) -> Result<Allowed, String> {
    match names {
        "all" => Ok(Allowed::All),
        "none" => Ok(Allowed::These(BTreeSet::new())),
        names => {
            let names: BTreeSet<_> = names.split(',').map(str::to_owned).collect();
            if names.contains("") || names.contains("all") || names.contains("none") {
                return Err(format!(
                    "write names separated by commas, or all, or none: {FORM}"
                ));
            }
            Ok(Allowed::These(names))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;

    fn permissions(values: &[&str]) -> Result<Permissions, String> {
        let line = values.iter().map(|value| format!("--{OPTION}={value}"));
        let line: Vec<OsString> = line.map(OsString::from).collect();
        let settings = Settings::command_line(&line).unwrap();
        Permissions::read(&settings).map_err(|error| error.to_string())
    }

    #[test]
    fn a_plugin_may_do_what_stands_there_and_others_everything() {
        let given = [
            "shop.py:methods=invoice,getinfo:hooks=none",
            "b:hooks=openchannel",
        ];
        let permissions = permissions(&given).unwrap();
        assert!(permissions.permits_method("shop.py", "invoice"));
        assert!(!permissions.permits_method("shop.py", "pay"));
        assert!(!permissions.permits_hook("shop.py", "openchannel"));
        assert!(permissions.permits_method("b", "pay"));
        assert!(permissions.permits_hook("b", "openchannel"));
        assert!(!permissions.permits_hook("b", "htlc_accepted"));
        assert!(permissions.permits_method("c", "pay"));
        assert!(permissions.permits_hook("c", "htlc_accepted"));
        assert!(!permissions.is_open());
        assert!(Permissions::default().is_open());
    }

    #[test]
    fn what_is_no_permission_is_explained() {
        for (values, problem) in [
            (&["shop.py"][..], "write NAME:methods="),
            (&[":methods=pay"], "write NAME:methods="),
            (&["a:method=pay"], "'method' is neither methods nor hooks"),
            (&["a:methods=pay,,x"], "names separated by commas"),
            (&["a:methods=pay,none"], "names separated by commas"),
            (&["a:methods="], "names separated by commas"),
            (&["a:methods=x:methods=y"], "methods stands there twice"),
            (&["a:hooks=openchanel"], "did you mean 'openchannel'?"),
            (
                &["a:hooks=none", "a:methods=none"],
                "a has permissions already",
            ),
        ] {
            let error = permissions(values).unwrap_err();
            assert!(error.contains(problem), "{error}");
        }
    }

    #[test]
    fn mistyped_methods_are_found() {
        let check = |value: &str| {
            let names = ["invoice", "listinvoices"];
            let known = |name: &str| names.contains(&name);
            let permissions = permissions(&[value]).unwrap();
            let checked = permissions.check_methods(known, names.into_iter());
            checked.map_err(|error| error.to_string())
        };
        assert_eq!(check("a:methods=invoice,plugins-own"), Ok(()));
        let error = check("a:methods=listinvoice").unwrap_err();
        assert!(error.ends_with("there is no method 'listinvoice': did you mean 'listinvoices'?"));
    }
}
