//! The completion scripts in the shells they are for.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use ln_rpc::manual::completions;
use ln_rpc::methods::registry;

/// A directory with the scripts and a program `lightning-cli` that answers for a node with a plugin.
fn scene() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, script) in completions(registry()) {
        fs::write(directory.path().join(name), script).unwrap();
    }
    let program = directory.path().join("lightning-cli");
    let text = "#!/bin/sh\necho '{\"help\":[{\"command\":\"getinfo\"},{\"command\": \"hello [name]\"}]}'\n";
    fs::write(&program, text).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    directory
}

/// What bash offers for the last of the words.
fn bash(scene: &Path, words: &[&str]) -> Vec<String> {
    let quoted: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
    let script = format!(
        "source ./lightning-cli.bash; COMP_WORDS=({}); COMP_CWORD={}; _lightning_cli; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        quoted.join(" "),
        words.len() - 1,
    );
    let path = format!("{}:{}", scene.display(), std::env::var("PATH").unwrap());
    let output = Command::new("bash")
        .args(["-c", &script])
        .current_dir(scene)
        .env("PATH", path)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8(output.stdout).unwrap();
    said.lines().map(ToOwned::to_owned).collect()
}

#[test]
fn bash_offers_options_commands_and_parameters() {
    let scene = scene();
    let offers = |words: &[&str]| bash(scene.path(), words);
    assert_eq!(offers(&["lightning-cli", "getin"]), ["getinfo"]);
    assert_eq!(offers(&["lightning-cli", "hel"]), ["hello", "help"]);
    assert_eq!(
        offers(&["lightning-cli", "help", "listpeerc"]),
        ["listpeerchannels"]
    );
    assert_eq!(offers(&["lightning-cli", "--reg"]), ["--regtest"]);
    assert_eq!(offers(&["lightning-cli", "--network", "sig"]), ["signet"]);
    assert_eq!(
        offers(&["lightning-cli", "--network", "=", "sig"]),
        ["signet"]
    );
    assert_eq!(
        offers(&["lightning-cli", "--network", "=", "regtest", "newa"]),
        ["newaddr"]
    );
    assert_eq!(offers(&["lightning-cli", "-N", "unu"]), ["unusual"]);
    assert_eq!(
        offers(&["lightning-cli", "--regtest", "plugin", "sta"]),
        ["start", "startdir"]
    );
    let invoice = offers(&["lightning-cli", "--regtest", "-k", "invoice", ""]);
    assert!(invoice.contains(&"amount_msat=".to_owned()), "{invoice:?}");
    assert_eq!(offers(&["lightning-cli", "--filter", ""]), [""]);
    assert_eq!(offers(&["lightning-cli", "nonsense", ""]), [""]);
}

#[test]
fn other_shells_can_read_theirs() {
    let scene = scene();
    for (shell, script) in [("zsh", "_lightning-cli"), ("fish", "lightning-cli.fish")] {
        let run = Command::new(shell)
            .args(["-n", script])
            .current_dir(scene.path())
            .output();
        match run {
            Ok(output) => assert!(
                output.status.success() && output.stderr.is_empty(),
                "{output:?}"
            ),
            Err(error) => eprintln!("{shell} is not here, its script was not read: {error}"),
        }
    }
}
