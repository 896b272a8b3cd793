//! Commands of Core Lightning for its own developers that are not built here.

/// Their names.
const NOT_YET: &[&str] = &[
    "dev-compact-gossip-store",
    "dev-connectd-exhaust-fds",
    "dev-feerate",
    "dev-ignore-htlcs",
    "dev-listaddrs",
    "dev-memdump",
    "dev-peer-shachain",
    "dev-queryrates",
    "dev-quiesce",
    "dev-rawrequest",
    "dev-reenable-commit",
    "dev-rescan-outputs",
    "dev-set-max-scids-encode-size",
    "dev-sign-last-tx",
    "dev-splice",
    "dev-suppress-gossip",
];

/// Whether Core Lightning has a command for developers with this name and this version has not.
pub(in crate::rpc) fn is_not_yet(name: &str) -> bool {
    NOT_YET.contains(&name)
}
