//! Dependencies between our crates point down.

use crate::cargo::Package;

/// What layer a crate is in; docs/book tells what the layers are.
const LAYERS: &[(u8, &[&str])] = &[
    (0, &["ln-codec", "ln-codec-derive", "ln-types"]),
    (
        1,
        &[
            "ln-invoice",
            "ln-keys",
            "ln-noise",
            "ln-offer",
            "ln-onion",
            "ln-tx",
            "ln-wire",
        ],
    ),
    (
        2,
        &[
            "ln-channel",
            "ln-gossip",
            "ln-onchain",
            "ln-payment",
            "ln-route",
            "ln-signer",
            "ln-wallet",
        ],
    ),
    (
        3,
        &[
            "ln-chain",
            "ln-channeld",
            "ln-closingd",
            "ln-connectd",
            "ln-daemon",
            "ln-db",
            "ln-gossipd",
            "ln-hsmd",
            "ln-ipc",
            "ln-onchaind",
            "ln-openingd",
            "ln-plugin",
            "ln-rpc",
            "ln-sandbox",
            "ln-sys",
        ],
    ),
    (
        4,
        &[
            "bcli",
            "benches",
            "bolt11-cli",
            "lightning-cli",
            "lightning-hsmtool",
            "lightning-playground",
            "lightningd",
            "playground-view",
            "regtest-bitcoind",
            "sim",
            "tests",
            "xtask",
        ],
    ),
];

/// The crate that only tests may use.
const TESTKIT: &str = "ln-testkit";

/// Crates that are no tests and yet run nodes as tests do.
const BESIDE_TESTS: &[&str] = &["benches", "tests"];

/// Edges inside a layer, each with its reason.
const SIDEWAYS: &[(&str, &str, &str)] = &[
    (
        "ln-codec",
        "ln-codec-derive",
        "the derive macro belongs to the traits it implements",
    ),
    ("ln-types", "ln-codec", "a value knows its own wire form"),
    (
        "ln-tx",
        "ln-keys",
        "scripts and transactions are made of derived keys",
    ),
    (
        "ln-channel",
        "ln-signer",
        "a channel sees signing as a trait that ln-signer owns",
    ),
    (
        "ln-onchain",
        "ln-channel",
        "what closes on chain is a channel",
    ),
    (
        "ln-route",
        "ln-gossip",
        "ways are looked for in the graph of the network",
    ),
    (
        "ln-plugin",
        "ln-rpc",
        "plugins speak the interface's envelope and types",
    ),
    (
        "lightningd",
        "bcli",
        "built-in plugins are linked into the one executable",
    ),
    (
        "lightning-playground",
        "playground-view",
        "the playground's own plugin is linked into it",
    ),
    (
        "ln-channeld",
        "ln-hsmd",
        "signing goes through hsmd's client",
    ),
    (
        "ln-closingd",
        "ln-hsmd",
        "signing goes through hsmd's client",
    ),
    (
        "ln-onchaind",
        "ln-hsmd",
        "signing goes through hsmd's client",
    ),
    (
        "ln-openingd",
        "ln-hsmd",
        "signing goes through hsmd's client",
    ),
];

/// Crates of layer 3 that every daemon of that layer is built on.
const SHELLS: &[&str] = &["ln-daemon", "ln-ipc", "ln-sandbox", "ln-sys"];

fn layer(name: &str) -> Option<u8> {
    LAYERS
        .iter()
        .find(|(_, names)| names.contains(&name))
        .map(|(layer, _)| *layer)
}

/// Whether a crate of layers 0 to 2: no clock, no file, no socket.
pub(super) fn is_pure(name: &str) -> bool {
    layer(name).is_some_and(|layer| layer <= 2)
}

/// Tells edges that point up or sideways without a reason, and crates without a layer.
pub(super) fn check(packages: &[Package]) -> Vec<String> {
    let mut problems = Vec::new();
    for package in packages.iter().filter(|package| package.name != TESTKIT) {
        let Some(own) = layer(&package.name) else {
            problems.push(format!(
                "{}: this crate has no layer; add it to xtask/src/tidy/layers.rs",
                package.name
            ));
            continue;
        };
        for dependency in package
            .dependencies
            .iter()
            .filter(|dependency| dependency.is_ours)
        {
            let name = dependency.name.as_str();
            if name == TESTKIT {
                if !dependency.only_for_tests && !BESIDE_TESTS.contains(&package.name.as_str()) {
                    problems.push(format!("{} -> {name}: only tests may use it", package.name));
                }
                continue;
            }
            let Some(below) = layer(name) else {
                continue;
            };
            // Tests may use what stands beside them.
            let sideways = below == own
                && (dependency.only_for_tests
                    || SHELLS.contains(&name)
                    || has_reason(&package.name, name));
            if below >= own && !sideways {
                problems.push(format!(
                    "{} (layer {own}) -> {name} (layer {below}): dependencies point down; an edge inside a layer needs a reason \
                     in xtask/src/tidy/layers.rs",
                    package.name
                ));
            }
        }
    }
    problems
}

fn has_reason(from: &str, to: &str) -> bool {
    SIDEWAYS
        .iter()
        .any(|(a, b, reason)| *a == from && *b == to && !reason.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cargo::Dependency;

    fn package(name: &str, to: &str, only_for_tests: bool) -> Package {
        Package {
            name: name.to_owned(),
            directory: std::path::PathBuf::new(),
            dependencies: vec![Dependency {
                name: to.to_owned(),
                only_for_tests,
                is_ours: true,
            }],
        }
    }

    #[test]
    fn edges_point_down_or_have_a_reason() {
        for (from, to, tests, fine) in [
            ("ln-tx", "ln-types", false, true),
            ("ln-types", "ln-tx", false, false),
            ("ln-tx", "ln-keys", false, true),
            ("ln-keys", "ln-tx", false, false),
            ("ln-channeld", "ln-daemon", false, true),
            ("ln-channeld", "ln-openingd", false, false),
            ("ln-rpc", "ln-testkit", true, true),
            ("ln-rpc", "ln-testkit", false, false),
            ("ln-nobody", "ln-types", false, false),
        ] {
            let problems = check(&[package(from, to, tests)]);
            assert_eq!(problems.is_empty(), fine, "{from} -> {to}: {problems:?}");
        }
    }
}
