//! What several themes need.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::process::Command;
use std::thread;

use ln_testkit::nodes::{NodeOptions, OpenChannel, TestNet, TestNode, program, wait_until};
use ln_types::Sat;
use serde_json::{Value, json};
use tempfile::TempDir;

/// What the channels of most tests hold.
pub(crate) const CAPACITY_MSAT: u64 = 4_200_000_000;

/// A user without any rights, where root runs the tests; else whoever does.
pub(crate) struct Stranger {
    /// Where anybody may run the program.
    copy: Option<TempDir>,
}

impl Stranger {
    /// Nobody's user and group.
    const ID: u32 = 65534;

    pub(crate) fn new() -> Self {
        if !rustix::process::getuid().is_root() {
            return Self { copy: None };
        }
        let copy = TempDir::new().unwrap();
        let node = copy.path().join("lightningd");
        fs::copy(program("lightningd"), &node).unwrap();
        for path in [copy.path(), &node] {
            fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        Self { copy: Some(copy) }
    }

    /// Whether it is somebody else.
    pub(crate) fn is_another(&self) -> bool {
        self.copy.is_some()
    }

    /// The node's program, run by it.
    pub(crate) fn lightningd(&self) -> Command {
        let Some(copy) = &self.copy else {
            return Command::new(program("lightningd"));
        };
        let mut command = Command::new("setpriv");
        command
            .arg(format!("--reuid={}", Self::ID))
            .arg(format!("--regid={}", Self::ID))
            .arg("--clear-groups")
            .arg(copy.path().join("lightningd"))
            .env("HOME", "/nonexistent");
        command
    }

    /// A directory of its own.
    pub(crate) fn directory(&self) -> TempDir {
        let dir = TempDir::new().unwrap();
        if self.is_another() {
            chown(dir.path(), Some(Self::ID), Some(Self::ID)).unwrap();
        }
        dir
    }
}

/// Two nodes with a channel from the first to the second.
pub(crate) struct Pair {
    pub(crate) l1: TestNode,
    pub(crate) l2: TestNode,
    pub(crate) open: OpenChannel,
    // Last: the nodes end before their chain.
    pub(crate) net: TestNet,
}

impl Pair {
    /// Starts them.
    pub(crate) fn start() -> Self {
        Self::start_with(NodeOptions::default())
    }

    /// Starts them with options.
    pub(crate) fn start_with(options: NodeOptions) -> Self {
        let net = TestNet::start();
        let l1 = net.node_with("l1", options.clone());
        let l2 = net.node_with("l2", options);
        let open = net.open_channel(&l1, &l2, Sat::from_sat(CAPACITY_MSAT / 1000));
        Self { l1, l2, open, net }
    }

    /// Waits until both sides are connected and agree that nothing is under way; what each owns, in millisatoshi.
    pub(crate) fn wait_quiet(&self) -> (u64, u64) {
        self.wait_quiet_of(CAPACITY_MSAT)
    }

    /// The same of a channel that holds `capacity_msat`.
    pub(crate) fn wait_quiet_of(&self, capacity_msat: u64) -> (u64, u64) {
        let quiet = |node: &TestNode| {
            self.net.wait_usable(node, &self.open.channel_id);
            to_us_at_rest(node, &self.open.channel_id)
        };
        wait_until("both sides to agree", || {
            let (ours, theirs) = (quiet(&self.l1), quiet(&self.l2));
            (ours + theirs == capacity_msat).then_some((ours, theirs))
        })
    }

    /// Pays a fresh invoice of the second node from the first and waits for the proof.
    pub(crate) fn pay(&self, amount_msat: u64, label: &str) {
        let invoice = invoice(&self.l2, amount_msat, label);
        send(&self.l1, &self.l2, &self.open, &invoice, amount_msat);
        let paid = self.l1.call(
            "waitsendpay",
            json!({"payment_hash": invoice["payment_hash"]}),
        );
        assert_eq!(paid["status"], "complete");
    }
}

/// For payments in parts of which the test sends the last only after much else: on a slow machine that takes more than the usual minute.
pub(crate) fn parts_wait() -> NodeOptions {
    NodeOptions::default().argument("--dev-mpp-timeout=86400")
}

/// Makes an invoice.
pub(crate) fn invoice(node: &TestNode, amount_msat: u64, label: &str) -> Value {
    let description = format!("{label} ☕");
    node.call(
        "invoice",
        json!({"amount_msat": amount_msat, "label": label, "description": description}),
    )
}

/// Sends a payment straight over a channel.
pub(crate) fn send(
    from: &TestNode,
    to: &TestNode,
    open: &OpenChannel,
    invoice: &Value,
    amount_msat: u64,
) -> Value {
    let route = json!([{
        "id": to.id(),
        "channel": open.short_channel_id,
        "amount_msat": amount_msat,
        "delay": 15,
    }]);
    from.call(
        "sendpay",
        json!({
            "route": route,
            "payment_hash": invoice["payment_hash"],
            "payment_secret": invoice["payment_secret"],
            "bolt11": invoice["bolt11"],
        }),
    )
}

/// A node's channels, as `listpeerchannels` has them.
pub(crate) fn channels(node: &TestNode) -> Vec<Value> {
    let listed = node.call("listpeerchannels", json!({}));
    listed["channels"].as_array().unwrap().clone()
}

/// How many of a node's coins are set aside.
pub(crate) fn reserved(node: &TestNode) -> usize {
    let funds = node.call("listfunds", json!({}));
    let outputs = funds["outputs"].as_array().unwrap();
    outputs
        .iter()
        .filter(|output| output["reserved"] == true)
        .count()
}

/// A channel as `listpeerchannels` has it.
pub(crate) fn channel(node: &TestNode, channel_id: &str) -> Option<Value> {
    let reply = node.poll("listpeerchannels", json!({}))?;
    let mut channels = reply["channels"].as_array()?.iter();
    channels
        .find(|channel| channel["channel_id"] == channel_id)
        .cloned()
}

/// Waits until a channel of a node has no HTLCs: what it has in it, in millisatoshi.
pub(crate) fn to_us_at_rest(node: &TestNode, channel_id: &str) -> u64 {
    node.wait_for("a channel without HTLCs", || {
        let channel = channel(node, channel_id)?;
        channel["htlcs"].as_array()?.is_empty().then_some(())?;
        channel["to_us_msat"].as_u64()
    })
}

/// Waits until the HTLC that a node was offered over a channel is in both commitments.
pub(crate) fn wait_arrived(node: &TestNode, channel_id: &str) {
    node.wait_for("the HTLC in both commitments", || {
        let channel = channel(node, channel_id)?;
        (channel["htlcs"][0]["state"] == "RCVD_ADD_ACK_REVOCATION").then_some(())
    });
}

/// Pays a bill and kills a node when its log is so many lines longer, and brings it back; whatever the payer was told.
pub(crate) fn pay_and_kill(payer: &TestNode, victim: &TestNode, bill: &Value, lines: usize) {
    let mark = victim.log().end();
    thread::scope(|scope| {
        let paying = scope.spawn(|| payer.try_call("pay", json!([bill["bolt11"]])));
        wait_until("the moment to kill", || {
            let come = victim.log().lines_after(mark).len() >= lines;
            (come || paying.is_finished()).then_some(())
        });
        victim.kill();
        victim.start_again();
        drop(paying.join().unwrap());
    });
}

/// The status of the only part of a payment.
pub(crate) fn payment_status(node: &TestNode, payment_hash: &Value) -> Option<String> {
    let reply = node.poll("listsendpays", json!({"payment_hash": payment_hash}))?;
    let payments = reply["payments"].as_array()?;
    assert!(payments.len() <= 1, "one part was sent: {payments:?}");
    payments.first()?["status"].as_str().map(str::to_owned)
}

/// The status of an invoice.
pub(crate) fn invoice_status(node: &TestNode, label: &str) -> String {
    let reply = node.call("listinvoices", json!({"label": label}));
    reply["invoices"][0]["status"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

/// The confirmed coins of a wallet that are not set aside, in millisatoshi.
pub(crate) fn confirmed_msat(node: &TestNode) -> u64 {
    let funds = node.poll("listfunds", json!({})).unwrap_or_default();
    let outputs = funds["outputs"].as_array().cloned().unwrap_or_default();
    let confirmed = outputs
        .iter()
        .filter(|output| output["status"] == "confirmed");
    confirmed
        .filter_map(|output| output["amount_msat"].as_u64())
        .sum()
}
