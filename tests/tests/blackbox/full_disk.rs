//! A disk that is full: at the start, and while payments are under way.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use ln_testkit::nodes::{NodeOptions, TestNet, program, wait_until};
use ln_types::Sat;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{CAPACITY_MSAT, Pair, invoice};

/// What each payment is worth, in millisatoshi.
const AMOUNT: u64 = 10_000;

/// A file system of a few MiB, unmounted in the end.
struct SmallDisk {
    dir: TempDir,
}

impl SmallDisk {
    /// Nothing if this is not allowed, which only root is.
    fn mount(size: &str) -> Option<Self> {
        let dir = TempDir::new().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "none"])
            .arg(dir.path())
            .output();
        if mounted.is_ok_and(|output| output.status.success()) {
            return Some(Self { dir });
        }
        eprintln!("SKIPPED: only root can mount a small disk");
        None
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Leaves no byte.
    fn fill(&self) {
        let mut file = File::create(self.path("filler")).unwrap();
        for size in [64 * 1024, 1] {
            while file.write_all(&vec![0; size]).is_ok() {}
        }
    }

    fn make_room(&self) {
        fs::remove_file(self.path("filler")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let unmounted = Command::new("umount")
            .arg("-l")
            .arg(self.dir.path())
            .status();
        assert!(unmounted.is_ok_and(|status| status.success()));
    }
}

/// Starts a node in a directory; its end, and what it said.
fn start(dir: &Path, port: u16) -> (Option<i32>, String) {
    let output = Command::new(program("lightningd"))
        .arg(format!("--lightning-dir={}", dir.display()))
        .arg(format!("--log-file={}", dir.join("log").display()))
        .args(["--network=regtest", "--disable-dns", "--autolisten=false"])
        .arg(format!("--bitcoin-rpcport={port}"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), said)
}

#[test]
fn a_node_does_not_begin_on_a_full_disk() {
    let Some(disk) = SmallDisk::mount("1m") else {
        return;
    };
    let base = disk.path("node");
    fs::create_dir(&base).unwrap();
    disk.fill();
    let (code, said) = start(&base, 1);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("No space left on device"), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    // With room for the directory and the pid file, but not for a database: the secret is whole or not there.
    disk.make_room();
    fs::create_dir_all(base.join("regtest")).unwrap();
    disk.fill();
    let filler = File::options()
        .write(true)
        .open(disk.path("filler"))
        .unwrap();
    let length = filler.metadata().unwrap().len();
    filler.set_len(length.saturating_sub(16 * 1024)).unwrap();
    let (code, said) = start(&base, 1);
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("full") || said.contains("No space left"),
        "{said}"
    );
    let secret = fs::metadata(base.join("regtest/hsm_secret")).map(|data| data.len());
    assert!(secret.is_ok_and(|length| length > 32) || !base.join("regtest/hsm_secret").exists());
}

/// Two nodes with a channel, the database and log of one of which are on a small disk.
fn pair_on(disk: &SmallDisk, payer: bool) -> Pair {
    let on_disk = NodeOptions::default()
        .argument(format!("--wallet=sqlite3://{}", disk.path("db").display()))
        .argument(format!("--log-file={}", disk.path("log").display()))
        .argument("--log-level=debug")
        .allow_complaint("full");
    let net = TestNet::start();
    let options = |full| {
        if full {
            on_disk.clone()
        } else {
            NodeOptions::default()
        }
    };
    let l1 = net.node_with("l1", options(payer));
    let l2 = net.node_with("l2", options(!payer));
    let open = net.open_channel(&l1, &l2, Sat::from_sat(CAPACITY_MSAT / 1000));
    Pair { l1, l2, open, net }
}

/// Tries to pay an invoice: whether a payment can still be begun is up to the node.
fn try_to_pay(pair: &Pair, invoice: &Value) {
    let route = json!([{
        "id": pair.l2.id(), "channel": pair.open.short_channel_id, "amount_msat": AMOUNT, "delay": 15,
    }]);
    drop(pair.l1.try_call(
        "sendpay",
        json!({
            "route": route, "payment_hash": invoice["payment_hash"],
            "payment_secret": invoice["payment_secret"], "bolt11": invoice["bolt11"],
        }),
    ));
}

/// Waits until a payment has ended, if it was begun: whether the money went over.
fn went_over(pair: &Pair, invoice: &Value) -> bool {
    let hash = json!({"payment_hash": invoice["payment_hash"]});
    pair.l1.wait_for("the end of a payment", || {
        let reply = pair.l1.poll("listsendpays", hash.clone())?;
        let payments = reply["payments"].as_array()?;
        let any = |status: &str| payments.iter().any(|payment| payment["status"] == status);
        (!any("pending")).then(|| any("complete"))
    })
}

/// Pays while the disk of one side, the payer or the payee, is full.
fn no_money_is_lost_when_the_disk_is_full(payer_is_full: bool) {
    let Some(disk) = SmallDisk::mount("4m") else {
        return;
    };
    let pair = pair_on(&disk, payer_is_full);
    pair.pay(1_000_000, "before");
    let before = pair.wait_quiet();
    assert_eq!(before, (CAPACITY_MSAT - 1_000_000, 1_000_000));
    let invoices: Vec<_> = (0..5)
        .map(|number| invoice(&pair.l2, AMOUNT, &format!("during {number}")))
        .collect();
    // What is folded back into the file later would make room again.
    wait_until("the database to rest", || {
        let length = fs::metadata(disk.path("db-wal")).map_or(0, |data| data.len());
        (length == 0).then_some(())
    });
    disk.fill();
    for invoice in &invoices {
        try_to_pay(&pair, invoice);
    }
    // It says what is wrong, and ends by itself: what it can't write it must not act on.
    let full = if payer_is_full { &pair.l1 } else { &pair.l2 };
    let status = full.wait_for_exit();
    assert_eq!(status.code(), Some(1), "{status}");
    let said = full.log().all_with("**BROKEN**");
    let about_it = |line: &String| line.contains("is the disk full?");
    assert!(said.iter().any(about_it), "{said:?}");

    disk.make_room();
    full.start_again();
    if payer_is_full {
        pair.net.connect(&pair.l1, &pair.l2);
    }
    let complete = invoices
        .iter()
        .filter(|invoice| went_over(&pair, invoice))
        .count();
    let moved = AMOUNT * u64::try_from(complete).unwrap();
    assert_eq!(pair.wait_quiet(), (before.0 - moved, before.1 + moved));
    let listed = pair.l2.call("listinvoices", json!({}));
    let listed = listed["invoices"].as_array().unwrap().iter();
    let paid = listed.filter(|invoice| invoice["status"] == "paid");
    assert_eq!(paid.count(), complete + 1);
    pair.pay(5_000, "after");
}

#[test]
fn a_payer_whose_disk_is_full_loses_nothing() {
    no_money_is_lost_when_the_disk_is_full(true);
}

#[test]
fn a_payee_whose_disk_is_full_loses_nothing() {
    no_money_is_lost_when_the_disk_is_full(false);
}
