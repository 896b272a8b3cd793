//! What plugins cost: the way of a hook and of a method, and notifications to many.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use ln_plugin::hooks::{HTLC_ACCEPTED, HtlcAcceptedAnswer, RPC_COMMAND, RpcCommandAnswer};
use ln_plugin::{Init, Method, Plugin};
use ln_testkit::nodes::{NodeOptions, TestNet, TestNode};
use ln_types::Sat;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::load::Latencies;
use crate::processes::{cpu_time, cpu_time_of};
use crate::report::Report;
use crate::{call, client, pay_all, prepare, send};

/// Payments of which each is timed.
const PAYMENTS: usize = 200;
/// Round trips of which each is timed.
const ROUND_TRIPS: usize = 5000;
/// Payments with many in flight.
const IN_PARALLEL: usize = 1500;
/// How often those are repeated, without and with plugins in turn.
const TURNS: usize = 4;
/// Plugins that hear everything, on a node.
const LISTENERS: usize = 20;

/// If this process is to be a plugin, is one: returns its exit code.
pub(crate) fn run() -> Option<i32> {
    std::env::var_os("LIGHTNINGD_PLUGIN")?;
    let name = std::env::args().next().unwrap_or_default();
    Some(if name.ends_with("noop") {
        noop()
    } else {
        listener()
    })
}

/// Is asked and has nothing to say.
fn noop() -> i32 {
    Plugin::new(|_: &Init| Ok::<(), String>(()))
        .hook(HTLC_ACCEPTED, |(), _, _| Ok(HtlcAcceptedAnswer::CONTINUE))
        .hook(RPC_COMMAND.filter("getinfo"), |(), _, _| {
            Ok(RpcCommandAnswer::go_on())
        })
        .method(Method::new("noop", ""), |(), _| Ok(json!({})))
        .dynamic()
        .run()
}

/// Hears everything and does nothing with it.
fn listener() -> i32 {
    Plugin::new(|_: &Init| Ok::<(), String>(()))
        .subscribe_all(|(), _| {})
        .dynamic()
        .run()
}

/// This program under another name.
fn plugin(directory: &Path, name: &str) -> PathBuf {
    let path = directory.join(name);
    let own = std::env::current_exe().expect("the system knows the path of the running program");
    symlink(own, &path).expect("the directory is ours");
    path
}

/// Measures all of it.
pub(crate) fn measure(report: &mut Report) {
    let directory = TempDir::new().expect("there is room for a directory");
    let noop = plugin(directory.path(), "noop");
    let net = TestNet::start();
    let payer = net.node("payer");
    let options = NodeOptions::default().argument(format!("--plugin={}", noop.display()));
    let asking = net.node_with("asking", options);
    let plain = net.node("plain");
    let capacity = Sat::from_sat(16_000_000);
    let to_asking = net.open_channel(&payer, &asking, capacity);
    let to_plain = net.open_channel(&payer, &plain, capacity);
    round_trips(&noop, &plain, &asking, report);
    hooked_payments(
        &payer,
        [
            (&plain, &to_plain.short_channel_id),
            (&asking, &to_asking.short_channel_id),
        ],
        report,
    );
    let listeners: Vec<PathBuf> = (0..LISTENERS)
        .map(|number| plugin(directory.path(), &format!("listener-{number}")))
        .collect();
    heard_payments(
        &payer,
        &plain,
        &to_plain.short_channel_id,
        &listeners,
        report,
    );
}

/// How long a no-op plugin takes to answer a hook when nothing but pipes is between.
fn alone(program: &Path) -> Duration {
    let mut command = Command::new(program);
    let command = command.env("LIGHTNINGD_PLUGIN", "1");
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command
        .arg0(program)
        .spawn()
        .expect("a plugin can be started");
    let mut to = child.stdin.take().expect("it is a pipe");
    let mut from = BufReader::new(child.stdout.take().expect("it is a pipe"));
    let mut ask = |method: &str, params: Value| {
        let request = json!({ "jsonrpc": "2.0", "id": "x", "method": method, "params": params });
        let asked = writeln!(to, "{request}\n");
        let mut line = String::new();
        let answered = (0..2).try_for_each(|_| from.read_line(&mut line).map(drop));
        asked.and(answered).expect("the plugin answers");
    };
    let configuration =
        json!({ "lightning-dir": "/", "rpc-file": "x", "startup": true, "network": "regtest" });
    ask(
        "init",
        json!({ "options": {}, "configuration": configuration }),
    );
    let mut latencies = Latencies::default();
    for _ in 0..ROUND_TRIPS {
        let told = json!({ "rpc_command": { "id": "x", "method": "getinfo", "params": {} } });
        latencies.time(|| ask("rpc_command", told));
    }
    drop(to);
    child.wait().expect("it ends with its input");
    latencies.percentile(50)
}

fn median(node: &TestNode, method: &str) -> Duration {
    let mut client = client(node);
    let mut latencies = Latencies::default();
    for _ in 0..ROUND_TRIPS {
        latencies.time(|| call(&mut client, method, &json!({})));
    }
    latencies.percentile(50)
}

/// What a hook, or the way to a plugin's method, adds to a call.
fn round_trips(program: &Path, plain: &TestNode, asking: &TestNode, report: &mut Report) {
    let alone = alone(program);
    let without = median(plain, "getinfo");
    let with = median(asking, "getinfo");
    report.duration("getinfo, p50", without, "");
    report.duration(
        "a hook of a no-op plugin adds (rpc_command), p50",
        with.saturating_sub(without),
        "",
    );
    report.duration("of which is the plugin's own, p50", alone, "");
    report.duration(
        "so the way to a hook and back takes, p50",
        with.saturating_sub(without).saturating_sub(alone),
        "0.1 ms",
    );
    let method = median(asking, "noop");
    report.duration("a plugin's no-op method, p50", method, "");
}

/// What `htlc_accepted` adds to a payment: payments with and without in turn.
fn hooked_payments(payer: &TestNode, payees: [(&TestNode, &str); 2], report: &mut Report) {
    let mut client = client(payer);
    let mut latencies = [Latencies::default(), Latencies::default()];
    let invoices = payees.map(|(payee, _)| prepare(payee, PAYMENTS, "hooked"));
    for index in 0..PAYMENTS {
        let kinds = payees.iter().zip(&invoices).zip(&mut latencies);
        for (((payee, scid), invoices), latencies) in kinds {
            let invoice = invoices.get(index).unwrap_or(&Value::Null);
            latencies.time(|| send(&mut client, payee.id(), scid, invoice));
        }
    }
    let [without, with] = latencies.map(|latencies| latencies.percentile(50));
    report.duration("a payment, p50", without, "");
    report.duration(
        "htlc_accepted of a no-op plugin adds to it, p50",
        with.saturating_sub(without),
        "0.1 ms",
    );
}

/// What payments took.
#[derive(Debug, Default)]
struct Spent {
    wall: Duration,
    /// CPU of both nodes and all that belongs to them.
    all: Duration,
    /// CPU of the listeners among that.
    listeners: Duration,
}

impl Spent {
    fn pay(&mut self, payer: &TestNode, payee: &TestNode, scid: &str, invoices: &[Value]) {
        let nodes = [payer, payee];
        let now = || {
            let listeners = cpu_time_of(&nodes, |name| name.starts_with("listener"));
            (cpu_time(&nodes), listeners)
        };
        let before = now();
        self.wall += pay_all(payer, payee, scid, invoices);
        let after = now();
        self.all += after.0.saturating_sub(before.0);
        self.listeners += after.1.saturating_sub(before.1);
    }
}

/// What listeners cost payments: when nobody listens, 20 on one of the nodes, 20 on each; each of these first in one of the turns.
fn heard_payments(
    payer: &TestNode,
    payee: &TestNode,
    scid: &str,
    listeners: &[PathBuf],
    report: &mut Report,
) {
    let manage = |what: &str, nodes: &[&TestNode]| {
        for node in nodes {
            for path in listeners {
                node.call("plugin", json!([what, path]));
            }
        }
    };
    let mut kinds: [(&[&TestNode], Spent); 4] = [
        (&[], Spent::default()),
        (&[payer], Spent::default()),
        (&[payee], Spent::default()),
        (&[payer, payee], Spent::default()),
    ];
    for turn in 0..TURNS {
        let (last, first) = kinds.split_at_mut(turn);
        for (place, (nodes, spent)) in first.iter_mut().chain(last).enumerate() {
            manage("start", nodes);
            let name = format!("{turn} {place}");
            let invoices = prepare(payee, IN_PARALLEL, &name);
            spent.pay(payer, payee, scid, &invoices);
            manage("stop", nodes);
        }
    }
    let count = IN_PARALLEL * TURNS;
    let payments = u32::try_from(count).unwrap_or(u32::MAX);
    let heard = [
        "nothing listens",
        "20 listeners on the payer",
        "20 listeners on the payee",
        "20 on each node",
    ];
    for ((_, spent), heard) in kinds.iter().zip(heard) {
        let nodes = spent.all.saturating_sub(spent.listeners) / payments;
        let listeners = spent.listeners / payments;
        report.rate(&format!("payments, {heard}"), count, spent.wall, "");
        report.duration(&format!("CPU of the nodes for one, {heard}"), nodes, "");
        report.duration(&format!("CPU of the listeners, {heard}"), listeners, "");
    }
    let [(_, without), with @ ..] = kinds;
    for ((_, with), heard) in with.iter().zip(&heard[1..]) {
        let slower = 1.0 - without.wall.as_secs_f64() / with.wall.as_secs_f64();
        report.percent(&format!("{heard} cost"), slower, "5 %");
    }
}
