//! A node that is made from what its operator kept of another.

use std::fs;
use std::path::Path;

use ln_testkit::nodes::{NodeOptions, TestNet};
use ln_testkit::schemas;
use serde_json::json;
use tempfile::TempDir;

use crate::plugin_hooks::judge;
use crate::plugins::{lightningd, wait_heard};

const CODEX: &str = "cl10leetsllhdmn9m42vcsamx24zrxgs3qrl7ahwvhw4fnzrhve25gvezzyqqjdsjnzedu43ns";
const HEX: &str = "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100";

#[test]
fn a_node_comes_back_from_its_secret_and_plugins_are_told() {
    let net = TestNet::start();
    let dir = TempDir::new().unwrap();
    let plugin = judge(dir.path(), "rescuer", &json!(["recover"]));
    let recovered = |name: &str, secret: &str| {
        let options = NodeOptions::default()
            .argument(format!("--recover={secret}"))
            .argument(format!("--plugin={}", plugin.display()));
        net.node_with(name, options)
    };
    let first = net.node("l1");
    let file = fs::read(first.dir().join("regtest/hsm_secret")).unwrap();
    let words = String::from_utf8(file[32..].to_vec()).unwrap();
    let of_codex = recovered("codex", CODEX);
    let told = wait_heard(&plugin, "recover");
    schemas::check_hook("recover", &told).assert("recover");
    assert_eq!(told, json!({"codex32": CODEX}));
    let kept = fs::read(of_codex.dir().join("regtest/hsm_secret")).unwrap();
    assert_eq!(kept.len(), 32);
    // It is offline.
    let info = of_codex.call("getinfo", json!({}));
    assert_eq!(info["binding"], json!([]), "{info}");
    assert_eq!(recovered("hex", HEX).id(), of_codex.id());
    let of_words = recovered("words", &words);
    assert_eq!(of_words.id(), first.id());
    let again = fs::read(of_words.dir().join("regtest/hsm_secret")).unwrap();
    assert_eq!(again, file);
}

#[test]
fn what_is_no_secret_makes_no_node_and_nothing_is_overwritten() {
    let refused = |dir: &Path, secret: &str| {
        let output = lightningd(dir, &[&format!("--recover={secret}")]);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    for (secret, why) in [
        (&*CODEX.replace("leets", "leetq"), "Invalid checksum"),
        ("00112233", "Invalid length: must be 32 bytes"),
        ("one two three", "mnemonic"),
        ("wat", "Not a valid mnemonic, hex, or codex32 string"),
    ] {
        let dir = TempDir::new().unwrap();
        let said = refused(dir.path(), secret);
        assert!(said.contains(why), "{secret}: {said}");
        assert!(!dir.path().join("regtest/hsm_secret").exists());
    }
    let dir = TempDir::new().unwrap();
    let regtest = dir.path().join("regtest");
    fs::create_dir(&regtest).unwrap();
    fs::write(regtest.join("hsm_secret"), [7; 32]).unwrap();
    let said = refused(dir.path(), CODEX);
    assert!(said.contains("hsm_secret already exists!"), "{said}");
    assert_eq!(fs::read(regtest.join("hsm_secret")).unwrap(), [7; 32]);
    fs::remove_file(regtest.join("hsm_secret")).unwrap();
    fs::write(regtest.join("lightningd.sqlite3"), "").unwrap();
    let said = refused(dir.path(), CODEX);
    assert!(said.contains("lightningd.sqlite3 already exists"), "{said}");
    assert!(!regtest.join("hsm_secret").exists());
}
