//! Options of Core Lightning whose feature is not built yet.
//!
//! A node does not start with them: it could not do what they ask, and would be another than its operator thinks. That they are known makes the
//! difference to a mistyped name. A plugin may declare any of them: then it is the plugin's.

/// Their names.
const MISSING: &[&str] = &[
    // Payments
    "invoices-onchain-fallback",
    "payment-fronting-node",
    "xpay-user-layer",
    "askrene-max-threads",
    "askrene-timeout",
    "renepay-debug-mcf",
    "renepay-debug-payflow",
    "fetchinvoice-noconnect",
    "currencyrate-add-source",
    "currencyrate-disable-source",
    // Cleaning up and accounts
    "autoclean-cycle",
    "autoclean-expiredinvoices-age",
    "autoclean-failedforwards-age",
    "autoclean-failedpays-age",
    "autoclean-networkevents-age",
    "autoclean-paidinvoices-age",
    "autoclean-succeededforwards-age",
    "autoclean-succeededpays-age",
    "bkpr-currency",
    "bookkeeper-db",
    "bookkeeper-dir",
    // Servers
    "clnrest-certs",
    "clnrest-cors-origins",
    "clnrest-csp",
    "clnrest-host",
    "clnrest-port",
    "clnrest-protocol",
    "clnrest-swagger-root",
    "grpc-msg-buffer-size",
    "wss-bind-addr",
    "wss-certs",
    "exposesecret-passphrase",
    // Dual funding
    "channel-fee-max-base-msat",
    "channel-fee-max-proportional-thousandths",
    "funder-fund-probability",
    "funder-fuzz-percent",
    "funder-lease-requests-only",
    "funder-max-their-funding",
    "funder-min-their-funding",
    "funder-per-channel-max",
    "funder-per-channel-min",
    "funder-policy",
    "funder-policy-mod",
    "funder-reserve-tank",
    "lease-fee-base-sat",
    "lease-fee-basis",
    "lease-funding-weight",
    // Experimental
    "bwatch-poll-interval",
    "experimental-bwatch",
    "experimental-lsps-client",
    "experimental-lsps2-promise-secret",
    "experimental-lsps2-service",
    "experimental-shutdown-wrong-funding",
    // Developer, without their feature: cleaning up, currencies, offers, onion messages, SQL, xpay
    "dev-autoclean-max-batch",
    "dev-currency-expiry",
    "dev-invoice-bpath-scid",
    "dev-invoice-internal-scid",
    "dev-no-modern-onion",
    "dev-sqlfilename",
    "dev-sqllistlimit",
    "dev-xpay-no-age",
    // Developer: a promised script is kept by the channel's own machine, which no switch gets around
    "dev-allow-shutdown-destination-change",
    // Developer: channels of other types can't be opened at all
    "dev-any-channel-type",
    // Developer: a commitment of ours is never left to wait for a cheap block
    "dev-low-prio-anchor-blocks",
];

/// Whether Core Lightning has an option with this name and this version has not.
pub(super) fn is_missing(name: &str) -> bool {
    MISSING.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::OPTIONS;

    #[test]
    fn what_is_built_is_not_missing() {
        let built = |name: &&&str| OPTIONS.iter().any(|info| info.name == **name);
        assert_eq!(MISSING.iter().find(built), None);
    }
}
