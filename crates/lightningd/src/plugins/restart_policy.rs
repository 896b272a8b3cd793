//! Which plugins are started again when they end by themselves (`plugin-restart`).

use crate::options::{OptionError, Settings};

/// What the settings say of plugins that end by themselves.
#[derive(Debug, Clone, Default)]
pub(crate) struct RestartPolicy {
    /// Whose rule it is (all plugins' if nobody's), and whether they are started again; later ones count.
    rules: Vec<(Option<String>, bool)>,
}

impl RestartPolicy {
    /// Reads `plugin-restart`: `always` or `never`, for one plugin behind its name and a colon.
    ///
    /// # Errors
    ///
    /// If a value is neither.
    pub(crate) fn new(settings: &Settings) -> Result<Self, OptionError> {
        let mut rules = Vec::new();
        for setting in settings.all() {
            if setting.name != "plugin-restart" {
                continue;
            }
            let value = setting.value.as_deref().unwrap_or_default();
            let (whose, when) = match value.rsplit_once(':') {
                Some((whose, when)) => (Some(whose.to_owned()), when),
                None => (None, value),
            };
            let again = match when {
                "always" => true,
                "never" => false,
                _ => {
                    let problem =
                        format!("'{value}' is none of always, never, NAME:always and NAME:never");
                    return Err(OptionError::new(setting, problem));
                }
            };
            rules.push((whose, again));
        }
        Ok(Self { rules })
    }

    /// Whether a plugin is started again. With an important one the node stops, unless it is named.
    pub(super) fn again(&self, path: &str, important: bool) -> bool {
        let name = path.rsplit('/').next().unwrap_or(path);
        let last = |wanted: &dyn Fn(Option<&str>) -> bool| {
            let mut rules = self.rules.iter().rev();
            let rule = rules.find(|(whose, _)| wanted(whose.as_deref()));
            rule.map(|(_, again)| *again)
        };
        last(&|whose| whose.is_some_and(|whose| whose == path || whose == name))
            .unwrap_or_else(|| !important && last(&|whose| whose.is_none()).unwrap_or(true))
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;

    fn policy(values: &[&str]) -> Result<RestartPolicy, String> {
        let line: Vec<OsString> = values
            .iter()
            .map(|value| OsString::from(format!("--plugin-restart={value}")))
            .collect();
        let settings = Settings::command_line(&line).unwrap();
        RestartPolicy::new(&settings).map_err(|error| error.to_string())
    }

    #[test]
    fn a_plugins_own_rule_counts_more_than_that_of_all() {
        let again = |values: &[&str], path| policy(values).unwrap().again(path, false);
        assert!(again(&[], "/x/a"));
        assert!(!again(&["never"], "/x/a"));
        assert!(again(&["never", "always"], "/x/a"));
        assert!(again(&["a:always", "never"], "/x/a"));
        assert!(!again(&["a:always", "never"], "/x/b"));
        assert!(!again(&["/x/a:never"], "/x/a"));
        assert!(again(&["/x/a:never"], "/y/a"));
    }

    #[test]
    fn an_important_one_must_be_named() {
        let again = |values: &[&str]| policy(values).unwrap().again("/x/a", true);
        assert!(!again(&[]));
        assert!(!again(&["always"]));
        assert!(again(&["a:always"]));
    }

    #[test]
    fn other_words_are_refused() {
        for value in ["", "maybe", "a:", "a:sometimes"] {
            assert!(policy(&[value]).unwrap_err().contains("none of always"));
        }
    }
}
