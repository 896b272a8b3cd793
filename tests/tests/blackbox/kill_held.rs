//! The node killed while plugins hold HTLCs: each is asked about again, and resolved exactly once.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use bitcoin::hashes::{Hash, sha256};
use bitcoin::hex::DisplayHex;
use ln_testkit::nodes::{NodeOptions, Seed, TestNet, wait_until};
use ln_types::Sat;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::plugin_hooks::judge;
use crate::plugins::{Script, heard, manifest, put, write_plugin};
use crate::support::{CAPACITY_MSAT, Pair, invoice, payment_status, send};

/// So many HTLCs are held at once.
const HTLCS: u8 = 6;
const AMOUNT_MSAT: u64 = 1_000_000;

/// A plugin that alone knows preimages: it holds HTLCs while there is a file `.hold`, until `release`. Without it it resolves at once.
/// With a file `.suicide` it kills the node right after its next answer.
fn holder(dir: &Path) -> PathBuf {
    let script = Script {
        manifest: manifest(json!({
            "hooks": ["htlc_accepted"],
            "rpcmethods": [{"name": "release", "usage": ""}],
        })),
        branches: r#"
    release)
        asker=$id
        for one in $held; do id=${one%=*}; resolve "${one#*=}"; done
        held=
        id=$asker; reply '{}' ;;
    htlc_accepted)
        hash=$(printf '%s' "$line" | sed 's/.*"payment_hash":"\([0-9a-f]*\)".*/\1/')
        if [ -e "$0.hold" ]; then held="$held $id=$hash"; else resolve "$hash"; fi ;;
    "#,
    };
    let path = write_plugin(dir, "holder", &script);
    let text = fs::read_to_string(&path).unwrap();
    let resolve = r#"
resolve() {
    key=$(sed -n "s/^$1 //p" "$0.keys")
    reply "{\"result\":\"resolve\",\"payment_key\":\"$key\"}"
    if [ -e "$0.suicide" ]; then rm "$0.suicide"; kill -9 $PPID; fi
}
while read -r line"#;
    fs::write(&path, text.replacen("\nwhile read -r line", resolve, 1)).unwrap();
    path
}

struct Held {
    pair: Pair,
    first: PathBuf,
    holder: PathBuf,
    /// What the payee has.
    balance: u64,
    _dir: TempDir,
}

impl Held {
    fn start() -> Self {
        let dir = TempDir::new().unwrap();
        // The first in the chain lets everything continue.
        let first = judge(dir.path(), "first", &json!(["htlc_accepted"]));
        let holder = holder(dir.path());
        let options = NodeOptions::default()
            .argument(format!("--plugin={}", first.display()))
            .argument(format!("--plugin={}", holder.display()));
        let net = TestNet::start();
        let l1 = net.node("l1");
        let l2 = net.node_with("l2", options);
        let open = net.open_channel(&l1, &l2, Sat::from_sat(CAPACITY_MSAT / 1000));
        Self {
            pair: Pair { l1, l2, open, net },
            first,
            holder,
            balance: 0,
            _dir: dir,
        }
    }

    fn beside(&self, suffix: &str) -> PathBuf {
        PathBuf::from(format!("{}.{suffix}", self.holder.display()))
    }

    /// Sends HTLCs whose preimages only the plugin knows; their hashes.
    fn send(&self, round: u8) -> Vec<Value> {
        let mut keys = String::new();
        let hashes: Vec<String> = (0..HTLCS)
            .map(|number| {
                let mut key = [number; 32];
                key[0] = round;
                let hash = sha256::Hash::hash(&key).to_string();
                let hex = key.to_lower_hex_string();
                keys.extend([hash.as_str(), " ", hex.as_str(), "\n"]);
                hash
            })
            .collect();
        put(&self.beside("keys"), &keys);
        let Pair { l1, l2, open, .. } = &self.pair;
        for hash in &hashes {
            let mut bill = invoice(l2, AMOUNT_MSAT, hash);
            bill["payment_hash"] = json!(hash);
            send(l1, l2, open, &bill, AMOUNT_MSAT);
        }
        hashes.into_iter().map(|hash| json!(hash)).collect()
    }

    fn forget_asked(&self) {
        for plugin in [&self.first, &self.holder] {
            fs::remove_file(format!("{}.heard", plugin.display())).unwrap();
        }
    }

    fn status(&self, hash: &Value) -> String {
        payment_status(&self.pair.l1, hash).unwrap()
    }

    /// How many of the payments are made.
    fn complete(&self, hashes: &[Value]) -> usize {
        let complete = hashes.iter().filter(|hash| self.status(hash) == "complete");
        complete.count()
    }

    /// All were paid, and once only.
    fn settled(&mut self, hashes: &[Value]) {
        for hash in hashes {
            self.pair.l1.wait_for("the end of a payment", || {
                let status = self.status(hash);
                assert_ne!(status, "failed", "{hash}");
                (status == "complete").then_some(())
            });
        }
        self.balance += u64::from(HTLCS) * AMOUNT_MSAT;
        let balances = self.pair.wait_quiet();
        assert_eq!(balances, (CAPACITY_MSAT - self.balance, self.balance));
    }
}

/// Waits until a plugin was asked about all these.
fn wait_asked(plugin: &Path, hashes: &[Value]) {
    wait_until(&format!("all HTLCs to reach {}", plugin.display()), || {
        let asked = asked(plugin);
        let all = hashes
            .iter()
            .all(|hash| asked.contains(hash.as_str().unwrap()));
        all.then_some(())
    });
}

/// The hashes of the HTLCs a plugin was asked about.
fn asked(plugin: &Path) -> BTreeSet<String> {
    let mut all = heard(plugin);
    all.retain(|message| message["method"] == "htlc_accepted");
    let hash = |message: Value| {
        message["params"]["htlc"]["payment_hash"]
            .as_str()
            .map(str::to_owned)
    };
    all.into_iter().filter_map(hash).collect()
}

#[test]
fn htlcs_held_when_the_node_is_killed_are_asked_about_again() {
    let mut held = Held::start();
    fs::write(held.beside("hold"), "").unwrap();
    let hashes = held.send(1);
    wait_asked(&held.holder, &hashes);
    // Twice, to be sure that asking again leaves nothing behind.
    for _ in 0..2 {
        held.pair.l2.kill();
        held.forget_asked();
        held.pair.l2.start_again();
        wait_asked(&held.first, &hashes);
        wait_asked(&held.holder, &hashes);
    }
    assert_eq!(held.complete(&hashes), 0);
    held.pair.l2.call("release", json!({}));
    held.settled(&hashes);
    // Nothing is left to be asked about.
    held.forget_asked();
    held.pair.l2.restart();
    held.pair.wait_quiet();
    assert!(asked(&held.holder).is_empty());
}

#[test]
fn an_answer_just_before_the_node_is_killed_counts_once() {
    let mut held = Held::start();
    let mut seed = Seed::from_environment("kill_held");
    for round in 1..5 {
        fs::write(held.beside("hold"), "").unwrap();
        let hashes = held.send(round);
        wait_asked(&held.holder, &hashes);
        fs::remove_file(held.beside("hold")).unwrap();
        let l2 = &held.pair.l2;
        if seed.below(2) == 0 {
            eprintln!("round {round}: the plugin kills the node after its first answer");
            fs::write(held.beside("suicide"), "").unwrap();
            l2.poll("release", json!({}));
            l2.wait_for_exit();
        } else {
            let moment = usize::try_from(seed.below(u64::from(HTLCS))).unwrap();
            eprintln!("round {round}: killed when {moment} payments are made");
            l2.call("release", json!({}));
            wait_until("some payments to be made", || {
                (held.complete(&hashes) >= moment).then_some(())
            });
            l2.kill();
        }
        l2.start_again();
        held.settled(&hashes);
    }
}
