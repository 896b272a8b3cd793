//! A node whose database is kept a second time.

use std::fs;

use ln_testkit::nodes::{NodeOptions, TestNet};
use ln_types::Sat;
use serde_json::json;
use tempfile::TempDir;

use crate::networks::start_in_vain;
use crate::support::{CAPACITY_MSAT, Pair};

#[test]
fn a_node_goes_on_with_the_second_file_when_its_database_is_lost() {
    let net = TestNet::start();
    let elsewhere = TempDir::new().unwrap();
    let backup = elsewhere.path().join("backup.sqlite3");
    let l2 = net.node("l2");
    // Paths count from the network's directory.
    let wallet = format!("--wallet=sqlite3://db.sqlite3:{}", backup.display());
    let l1 = net.node_with("l1", NodeOptions::default().argument(wallet.clone()));
    let open = net.open_channel(&l1, &l2, Sat::from_sat(CAPACITY_MSAT / 1000));
    let pair = Pair { l1, l2, open, net };
    pair.pay(2_000_000_000, "first");
    let database = pair.l1.dir().join("regtest/db.sqlite3");
    let old = elsewhere.path().join("old.sqlite3");
    pair.l1.stop();
    fs::copy(&database, &old).unwrap();
    pair.l1.start_again();
    pair.wait_quiet();
    pair.pay(1_000_000_000, "second");
    pair.l1.kill();
    // An old copy in its place is noticed: the node would lose its channel with it.
    let beside = |suffix: &str| pair.l1.dir().join(format!("regtest/db.sqlite3{suffix}"));
    for suffix in ["", "-wal", "-shm"] {
        drop(fs::remove_file(beside(suffix)));
    }
    fs::copy(&old, &database).unwrap();
    let failed = start_in_vain(&pair.l1, pair.net.chain.port(), &[&wallet]);
    assert!(failed.contains("is newer than the database"), "{failed}");
    // The second file knows all that was paid.
    fs::copy(&backup, &database).unwrap();
    pair.l1.start_again();
    let (ours, _) = pair.wait_quiet();
    pair.pay(500_000_000, "third");
    assert_eq!(pair.wait_quiet().0, ours - 500_000_000);
    let paid = pair.l2.call("listinvoices", json!({"label": "second"}));
    assert_eq!(paid["invoices"][0]["status"], "paid");
}
