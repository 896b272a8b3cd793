//! Where the programs under test are.

use std::env;
use std::path::PathBuf;

/// The command that builds what tests run.
const BUILD: &str =
    "cargo build -p lightningd -p lightning-cli -p lightning-playground -p regtest-bitcoind";

/// The built program with this name: `LIGHTNINGD` and the like (the name in capitals, `-` as `_`) if set, else the one beside the
/// running executable. Nothing is built here.
///
/// # Panics
/// If it is not there; the message names the command that builds it.
pub fn program(name: &str) -> PathBuf {
    let variable = name.to_uppercase().replace('-', "_");
    if let Some(given) = env::var_os(&variable).filter(|given| !given.is_empty()) {
        return PathBuf::from(given);
    }
    if let Some(built) = env::var_os(format!("CARGO_BIN_EXE_{name}")) {
        return PathBuf::from(built);
    }
    let own = env::current_exe().expect("the system knows the path of the running executable");
    // A test is in target/<profile>/deps/, an example in target/<profile>/examples/, a program in target/<profile>/.
    let places = own.ancestors().skip(1).take(2).map(|dir| dir.join(name));
    for place in places {
        if place.is_file() {
            return place;
        }
    }
    panic!(
        "{name} is not built beside {}: run `{BUILD}` (same profile and target directory), or set {variable}",
        own.display()
    );
}
