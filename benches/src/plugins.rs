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

/// Payments of which each is timed, in a round.
const PAYMENTS: usize = 50;
/// Round trips of which each is timed.
const ROUND_TRIPS: usize = 5000;
/// Payments with many in flight.
const IN_PARALLEL: usize = 1500;
/// How often payments are repeated, without and with plugins in turn.
const ROUNDS: usize = 16;
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
    round_trips(&net, &noop, report);
    hooked_payments(&Pair::new(&net), &noop, report);
    drop(net);
    measure_listeners(report);
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
fn round_trips(net: &TestNet, program: &Path, report: &mut Report) {
    let alone = alone(program);
    let node = net.node("asking");
    let without = median(&node, "getinfo");
    node.call("plugin", json!(["start", program]));
    let with = median(&node, "getinfo");
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
    let method = median(&node, "noop");
    report.duration("a plugin's no-op method, p50", method, "");
}

/// What `htlc_accepted` adds to a payment: some without the plugin and some with it in turn. The difference is small beside the payments' own
/// ups and downs; how long the answers took, by the node's clock, is not.
fn hooked_payments(pair: &Pair, program: &Path, report: &mut Report) {
    let mut client = client(&pair.payer);
    let mut latencies = [Latencies::default(), Latencies::default()];
    let mut answers = Vec::new();
    for round in 0..ROUNDS {
        for (latencies, manage) in latencies.iter_mut().zip(["stop", "start"]) {
            if manage == "start" {
                pair.payee.call("plugin", json!([manage, program]));
            }
            let name = format!("{manage} {round}");
            for invoice in prepare(&pair.payee, PAYMENTS, &name) {
                latencies.time(|| send(&mut client, pair.payee.id(), &pair.scid, &invoice));
            }
        }
        answers.push(median_answer(&pair.payee, program));
        pair.payee.call("plugin", json!(["stop", program]));
    }
    answers.sort();
    let answer = answers.get(ROUNDS / 2).copied().unwrap_or_default();
    let [without, with] = latencies.map(|latencies| latencies.percentile(50));
    report.duration("a payment, p50", without, "");
    report.duration(
        "htlc_accepted of a no-op plugin adds to it, p50",
        with.saturating_sub(without),
        "",
    );
    report.duration("its answer is there after, p50", answer, "");
}

/// Within what time a plugin gave half of its answers, as its node tells.
fn median_answer(node: &TestNode, program: &Path) -> Duration {
    let params = json!({ "subcommand": "list", "verbose": true });
    let list = call(&mut client(node), "plugin", &params);
    let plugins = list.get("plugins").and_then(Value::as_array);
    let ours = plugins.into_iter().flatten().find(|plugin| {
        let name = plugin.get("name").and_then(Value::as_str);
        name.is_some_and(|name| Path::new(name) == program)
    });
    let micros = ours
        .and_then(|plugin| plugin.get("latency_p50_us")?.as_u64())
        .expect("a plugin that was asked has a latency");
    Duration::from_micros(micros)
}

/// Two nodes with a channel.
struct Pair {
    payer: TestNode,
    payee: TestNode,
    scid: String,
}

impl Pair {
    fn new(net: &TestNet) -> Self {
        let node = |name: &str| {
            let options = NodeOptions::default().argument("--log-level=info");
            net.node_with(name, options)
        };
        let (payer, payee) = (node("payer"), node("payee"));
        let capacity = Sat::from_sat(16_000_000);
        let scid = net.open_channel(&payer, &payee, capacity).short_channel_id;
        Self { payer, payee, scid }
    }
}

/// Where plugins are, and what payments took with them.
struct Kind {
    name: &'static str,
    on_payer: bool,
    on_payee: bool,
    /// Of each round.
    walls: Vec<Duration>,
    /// CPU of both nodes and all that belongs to them.
    all: Duration,
    /// CPU of the listeners among that.
    listeners: Duration,
}

impl Kind {
    fn new(name: &'static str, on_payer: bool, on_payee: bool) -> Self {
        Self {
            name,
            on_payer,
            on_payee,
            walls: Vec::new(),
            all: Duration::ZERO,
            listeners: Duration::ZERO,
        }
    }

    /// Starts or stops the plugins.
    fn manage(&self, what: &str, pair: &Pair, plugins: &[PathBuf]) {
        for (node, is_on) in [(&pair.payer, self.on_payer), (&pair.payee, self.on_payee)] {
            for path in plugins.iter().filter(|_| is_on) {
                node.call("plugin", json!([what, path]));
            }
        }
    }

    fn pay(&mut self, pair: &Pair, invoices: &[Value]) {
        let nodes = [&pair.payer, &pair.payee];
        let now = || {
            let listeners = cpu_time_of(&nodes, |name| name.starts_with("listener"));
            (cpu_time(&nodes), listeners)
        };
        let before = now();
        let wall = pay_all(&pair.payer, &pair.payee, &pair.scid, invoices);
        let after = now();
        self.walls.push(wall);
        self.all += after.0.saturating_sub(before.0);
        self.listeners += after.1.saturating_sub(before.1);
    }
}

/// Measures what plugins cost that only listen. Each round is begun by another kind.
pub(crate) fn measure_listeners(report: &mut Report) {
    let directory = TempDir::new().expect("there is room for a directory");
    let listeners: Vec<PathBuf> = (0..LISTENERS)
        .map(|number| plugin(directory.path(), &format!("listener-{number}")))
        .collect();
    let net = TestNet::start();
    let pair = Pair::new(&net);
    let mut kinds = [
        Kind::new("nothing listens", false, false),
        Kind::new("20 listeners on the payer", true, false),
        Kind::new("20 listeners on the payee", false, true),
        Kind::new("20 on each node", true, true),
    ];
    for round in 0..ROUNDS {
        let (last, first) = kinds.split_at_mut(round % 4);
        for (place, kind) in first.iter_mut().chain(last).enumerate() {
            kind.manage("start", &pair, &listeners);
            let invoices = prepare(&pair.payee, IN_PARALLEL, &format!("{round} {place}"));
            kind.pay(&pair, &invoices);
            kind.manage("stop", &pair, &listeners);
        }
    }
    let count = IN_PARALLEL * ROUNDS;
    let payments = u32::try_from(count).unwrap_or(u32::MAX);
    for kind in &kinds {
        let name = kind.name;
        let nodes = kind.all.saturating_sub(kind.listeners) / payments;
        let wall = kind.walls.iter().sum();
        report.rate(&format!("payments, {name}"), count, wall, "");
        report.duration(&format!("CPU of the nodes for one, {name}"), nodes, "");
        let listeners = kind.listeners / payments;
        report.duration(&format!("CPU of the listeners, {name}"), listeners, "");
    }
    let [without, with @ ..] = &kinds;
    for kind in with {
        // The disk holds up a round here and there: the middle round counts.
        let rounds = without.walls.iter().zip(&kind.walls);
        let mut slower: Vec<f64> = rounds
            .map(|(without, with)| 1.0 - without.as_secs_f64() / with.as_secs_f64())
            .collect();
        slower.sort_by(f64::total_cmp);
        let middle = slower.get(ROUNDS / 2).copied().unwrap_or_default();
        report.percent(&format!("{} cost", kind.name), middle, "5 %");
    }
}
