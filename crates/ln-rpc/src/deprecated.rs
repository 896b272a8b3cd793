//! What is on its way out of the interface: one table, and who may still use what.
//!
//! A thing is deprecated from one version on and gone after another. In between it works unless `allow-deprecated-apis=false` (or a
//! connection's own `deprecations`) forbids it; afterwards, or where it is forbidden, only for those who promise to repair what needs it
//! with `i-promise-to-fix-broken-api-user`.

use crate::params::ParamEnv;

/// Something that is on its way out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeprecatedApi {
    /// Its name, as `i-promise-to-fix-broken-api-user` takes it.
    pub name: &'static str,
    /// The version that deprecated it.
    pub since: &'static str,
    /// The last version that has it; nothing while there is no date yet.
    pub until: Option<&'static str>,
    /// What it is, and what replaces it.
    pub what: &'static str,
}

/// Plugins that speak as pylightning 0.0.7 did are told things as they were told in 2019.
pub const OLD_PLUGINS: &str = "old-plugins";
/// Requests without the member `jsonrpc` are answered, with amounts as they were written in 2019.
pub const OLD_CLIENTS: &str = "old-clients";
/// The member `details` in the reply to `wait`.
pub const WAIT_DETAILS: &str = "wait.details";
/// What `newaddr` gives when it is not asked for one kind.
pub const NEWADDR_ALL: &str = "newaddr.addresstype";
/// Amounts in millisatoshi under the name they had.
pub const MSATOSHI: &str = "msatoshi";
/// Amounts of channels under the name they had.
pub const SATOSHI: &str = "satoshi";

/// Everything that is on its way out but for whole methods, which declare it themselves.
pub const DEPRECATED: &[DeprecatedApi] = &[
    DeprecatedApi {
        name: OLD_PLUGINS,
        since: "v23.08",
        until: None,
        what: "plugins written with pylightning 0.0.7: `connect` and `disconnect` tell `id` and `address` without the object around them, \
               `htlc_accepted` tells `onion` and `htlc` only, and amounts are text such as `24msat`. Use pyln-client.",
    },
    DeprecatedApi {
        name: OLD_CLIENTS,
        since: "v23.08",
        until: None,
        what: "requests without `\"jsonrpc\": \"2.0\"`, as pylightning 0.0.7 sends them: amounts in replies are text such as `24msat`, and \
               stand under their old names, such as `msatoshi`, as well. Use pyln-client.",
    },
    DeprecatedApi {
        name: MSATOSHI,
        since: "v23.08",
        until: None,
        what: "the parameter `msatoshi`. Use `amount_msat`.",
    },
    DeprecatedApi {
        name: SATOSHI,
        since: "v23.08",
        until: None,
        what: "the parameter `satoshi` of `fundchannel` and `fundchannel_start`. Use `amount`.",
    },
    DeprecatedApi {
        name: WAIT_DETAILS,
        since: "v25.05",
        until: Some("v26.06"),
        what: "`details` in the reply to `wait`. Use the member with the subsystem's name.",
    },
    DeprecatedApi {
        name: NEWADDR_ALL,
        since: "v25.12",
        until: Some("v26.12"),
        what: "the bech32 address in the reply to `newaddr` without `addresstype`. Ask for `all` or `bech32`.",
    },
];

/// How far something is on its way out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Not yet deprecated.
    Fine,
    /// It works unless it is forbidden.
    Deprecated,
    /// The same, and this is the last version that has it.
    Last,
    /// It works only for those who promised.
    Gone,
}

/// Reads `v26.06` as year and month; what follows does not matter.
fn version(text: &str) -> Option<(u32, u32)> {
    let (year, rest) = text.strip_prefix('v')?.split_once('.')?;
    let month: String = rest.chars().take_while(char::is_ascii_digit).collect();
    Some((year.parse().ok()?, month.parse().ok()?))
}

/// How far something is, in a version.
pub fn standing(since: &str, until: Option<&str>, now: &str) -> Standing {
    let (since, until, now) = (version(since), until.and_then(version), version(now));
    match until {
        _ if now < since => Standing::Fine,
        Some(until) if now > Some(until) => Standing::Gone,
        Some(until) if now == Some(until) => Standing::Last,
        _ => Standing::Deprecated,
    }
}

/// The entry with this name.
pub fn find(name: &str) -> Option<&'static DeprecatedApi> {
    DEPRECATED.iter().find(|api| api.name == name)
}

/// Which deprecated things somebody promised to do without soon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Promises(u64);

impl Promises {
    /// Notes a promise; returns whether there is anything with this name.
    pub fn add(&mut self, name: &str) -> bool {
        let bit = bit(name);
        self.0 |= bit;
        bit != 0
    }

    fn include(self, name: &str) -> bool {
        self.0 & bit(name) != 0
    }
}

/// The bit of an entry; none for one that is not in the table.
fn bit(name: &str) -> u64 {
    let index = DEPRECATED.iter().position(|api| api.name == name);
    let bit = index.and_then(|index| 1_u64.checked_shl(u32::try_from(index).ok()?));
    bit.unwrap_or(0)
}

impl ParamEnv {
    /// Whether something that is on its way out may still be used: a name of the table.
    pub fn allows(self, name: &str) -> bool {
        let Some(api) = find(name) else {
            return true;
        };
        self.promises.include(name)
            || match standing(api.since, api.until, self.version) {
                Standing::Fine => true,
                Standing::Deprecated | Standing::Last => self.deprecated_ok,
                Standing::Gone => false,
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_decide_how_far_something_is() {
        let of = |now: &str| standing("v25.05", Some("v26.06"), now);
        assert_eq!(of("v25.04.9"), Standing::Fine);
        assert_eq!(of("v25.05"), Standing::Deprecated);
        assert_eq!(of("v26.06.6-fulgurite-0.1.0"), Standing::Last);
        assert_eq!(of("v26.9"), Standing::Gone);
        assert_eq!(standing("v25.05", None, "v99.12"), Standing::Deprecated);
        assert!(DEPRECATED.iter().all(|api| version(api.since).is_some()));
        assert!(DEPRECATED.iter().all(|api| {
            api.until
                .is_none_or(|until| version(until) >= version(api.since))
        }));
        assert!(DEPRECATED.len() <= 64, "each has its bit");
    }

    #[test]
    fn a_promise_counts_where_the_rest_is_forbidden() {
        let mut env = ParamEnv::default();
        assert!(!env.allows(MSATOSHI));
        assert!(env.promises.add(MSATOSHI));
        assert!(!env.promises.add("anything"));
        assert!(env.allows(MSATOSHI));
        assert!(!env.allows(SATOSHI));
        env.deprecated_ok = true;
        assert!(env.allows(SATOSHI));
        env.version = "v27.01";
        assert!(!env.allows(WAIT_DETAILS));
        assert!(env.allows(OLD_PLUGINS));
    }
}
