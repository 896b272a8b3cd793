//! How fast two nodes are: payments, invoices, RPC round trips, start, what it costs in CPU and memory, and what plugins cost.
//!
//! `cargo xtask bench plugins` measures only the last, `cargo xtask bench listeners` only those of them that listen,
//! `cargo xtask bench forwarded` only payments through a third node, `cargo xtask bench routes` only how ways are found.
//!
//! Figures of one machine and one run: compare ratios, not figures. Nothing here is a test; nothing fails for being slow.
#![allow(clippy::print_stdout, reason = "a benchmark's output is its purpose")]

mod load;
mod plugins;
mod processes;
mod report;
mod routes;

use std::time::{Duration, Instant};

use ln_rpc::client::Client;
use ln_testkit::nodes::{NodeOptions, TestNet, TestNode};
use ln_types::Sat;
use serde_json::{Value, json};

use load::{Latencies, in_parallel};
use processes::{cpu_time, private_memory};
use report::Report;

/// Payments one after another.
const SEQUENTIAL: usize = 200;
/// Payments with many in flight.
const PARALLEL: usize = 3000;
/// How many in flight.
const IN_FLIGHT: usize = 100;
/// Invoices made.
const INVOICES: usize = 2000;
/// How long until nodes rest.
const REST: Duration = Duration::from_secs(3);
/// `getinfo` round trips.
const ROUND_TRIPS: usize = 20_000;

fn main() {
    // lightningd starts this program again as the plugins that it measures with.
    if let Some(code) = plugins::run() {
        std::process::exit(code);
    }
    let mut report = Report::default();
    let only: Option<fn(&mut Report)> = match std::env::args().nth(1).as_deref() {
        Some("plugins") => Some(plugins::measure),
        Some("listeners") => Some(plugins::measure_listeners),
        Some("forwarded") => Some(forwarded),
        Some("routes") => Some(routes::measure),
        _ => None,
    };
    if let Some(measure) = only {
        measure(&mut report);
        report.print();
        return;
    }
    let net = TestNet::start();
    let (l1, l2) = start(&net, &mut report);
    let channel = net.open_channel(&l1, &l2, Sat::from_sat(16_000_000));
    round_trips(&l1, &mut report);
    invoices(&l2, &mut report);
    sequential(&l1, &l2, &channel.short_channel_id, &mut report);
    parallel(&l1, &l2, &channel.short_channel_id, &mut report);
    memory(&[&l1, &l2], &mut report);
    drop((l1, l2, net));
    forwarded(&mut report);
    routes::measure(&mut report);
    plugins::measure(&mut report);
    report.print();
}

fn client(node: &TestNode) -> Client {
    Client::connect(&node.rpc_socket()).expect("the node is up")
}

fn call(client: &mut Client, method: &str, params: &Value) -> Value {
    client
        .call(method, params)
        .unwrap_or_else(|error| panic!("{method}: {error}"))
}

/// Start to first answer, of a new node and of one that was there before.
fn start(net: &TestNet, report: &mut Report) -> (TestNode, TestNode) {
    let before = Instant::now();
    let l1 = net.node("l1");
    l1.call("getinfo", json!({}));
    report.duration(
        "start to first getinfo, new node",
        before.elapsed(),
        "0.3 s",
    );
    let l2 = net.node("l2");
    l2.stop();
    let before = Instant::now();
    l2.start_again();
    l2.call("getinfo", json!({}));
    report.duration("start to first getinfo, restart", before.elapsed(), "0.3 s");
    (l1, l2)
}

fn round_trips(node: &TestNode, report: &mut Report) {
    let mut client = client(node);
    let params = json!({});
    let before = Instant::now();
    for _ in 0..ROUND_TRIPS {
        call(&mut client, "getinfo", &params);
    }
    report.rate(
        "getinfo round trips, one connection",
        ROUND_TRIPS,
        before.elapsed(),
        "",
    );
}

fn invoices(node: &TestNode, report: &mut Report) {
    let mut one = client(node);
    let make = |client: &mut Client, label: String| {
        let params = json!({ "amount_msat": 1000, "label": label, "description": "bench" });
        call(client, "invoice", &params)
    };
    let before = Instant::now();
    for index in 0..INVOICES {
        make(&mut one, format!("one {index}"));
    }
    report.rate(
        "invoices, one after another",
        INVOICES,
        before.elapsed(),
        "",
    );
    let before = Instant::now();
    in_parallel(10, INVOICES, |worker| {
        let mut client = client(node);
        move |index| {
            make(&mut client, format!("ten {worker} {index}"));
        }
    });
    report.rate("invoices, ten connections", INVOICES, before.elapsed(), "");
}

/// Invoices to pay.
fn prepare(payee: &TestNode, count: usize, name: &str) -> Vec<Value> {
    let mut client = client(payee);
    (0..count)
        .map(|index| {
            let params = json!({ "amount_msat": 1000, "label": format!("{name} {index}"), "description": "bench" });
            call(&mut client, "invoice", &params)
        })
        .collect()
}

fn send(client: &mut Client, payee: &str, scid: &str, invoice: &Value) {
    let hop = json!({ "id": payee, "channel": scid, "delay": 12, "amount_msat": 1000 });
    send_along(client, &json!([hop]), invoice);
}

/// Pays by a route and waits for the proof.
fn send_along(client: &mut Client, route: &Value, invoice: &Value) {
    let hash = invoice.get("payment_hash");
    let params = json!({
        "route": route,
        "payment_hash": hash,
        "payment_secret": invoice.get("payment_secret"),
        "amount_msat": 1000,
    });
    call(client, "sendpay", &params);
    call(client, "waitsendpay", &json!({ "payment_hash": hash }));
}

fn sequential(payer: &TestNode, payee: &TestNode, scid: &str, report: &mut Report) {
    let mut client = client(payer);
    let mut latencies = Latencies::default();
    for invoice in prepare(payee, SEQUENTIAL, "sendpay") {
        latencies.time(|| send(&mut client, payee.id(), scid, &invoice));
    }
    report.duration(
        "one sendpay after another, p50",
        latencies.percentile(50),
        "15 ms",
    );
    report.duration(
        "one sendpay after another, p99",
        latencies.percentile(99),
        "",
    );
    let mut latencies = Latencies::default();
    for invoice in prepare(payee, SEQUENTIAL, "pay") {
        let params = json!({ "bolt11": invoice.get("bolt11") });
        latencies.time(|| call(&mut client, "pay", &params));
    }
    report.duration(
        "one pay after another, p50",
        latencies.percentile(50),
        "15 ms",
    );
    report.duration("one pay after another, p99", latencies.percentile(99), "");
}

/// Pays invoices with many in flight; how long that took.
fn pay_all(payer: &TestNode, payee: &TestNode, scid: &str, invoices: &[Value]) -> Duration {
    let before = Instant::now();
    in_parallel(IN_FLIGHT, invoices.len(), |_| {
        let mut client = client(payer);
        let payee = payee.id();
        move |index| {
            if let Some(invoice) = invoices.get(index) {
                send(&mut client, payee, scid, invoice);
            }
        }
    });
    before.elapsed()
}

fn parallel(payer: &TestNode, payee: &TestNode, scid: &str, report: &mut Report) {
    let invoices = prepare(payee, PARALLEL, "parallel");
    let cpu_before = cpu_time(&[payer, payee]);
    let elapsed = pay_all(payer, payee, scid, &invoices);
    let cpu = cpu_time(&[payer, payee]).saturating_sub(cpu_before);
    report.rate("payments, 100 in flight", PARALLEL, elapsed, "400 /s");
    let each = cpu / u32::try_from(PARALLEL).unwrap_or(u32::MAX);
    report.duration("CPU for one of them, both nodes", each, "");
    let idle = Duration::ZERO.max(elapsed.saturating_sub(cpu));
    report.duration("of which nobody computed", idle, "");
}

/// Payments through a third node, with many in flight.
fn forwarded(report: &mut Report) {
    let net = TestNet::start();
    let node = |name| {
        let options = NodeOptions::default().argument("--log-level=info");
        net.node_with(name, options)
    };
    let (payer, middle, payee) = (node("payer"), node("middle"), node("payee"));
    let capacity = Sat::from_sat(16_000_000);
    let first = net.open_channel(&payer, &middle, capacity);
    let second = net.open_channel(&middle, &payee, capacity);
    // One millisatoshi is what a node asks for on a test network, besides ten millionths.
    let route = json!([
        { "id": middle.id(), "channel": first.short_channel_id, "delay": 18, "amount_msat": 1001 },
        { "id": payee.id(), "channel": second.short_channel_id, "delay": 12, "amount_msat": 1000 },
    ]);
    let invoices = prepare(&payee, PARALLEL, "forwarded");
    let nodes = [&payer, &middle, &payee];
    let (before, cpu_before) = (Instant::now(), cpu_time(&nodes));
    in_parallel(IN_FLIGHT, invoices.len(), |_| {
        let mut client = client(&payer);
        let (invoices, route) = (&invoices, &route);
        move |index| {
            if let Some(invoice) = invoices.get(index) {
                send_along(&mut client, route, invoice);
            }
        }
    });
    let what = "payments through a third node, 100 in flight";
    report.rate(what, PARALLEL, before.elapsed(), "500 /s");
    let cpu = cpu_time(&nodes).saturating_sub(cpu_before);
    let each = cpu / u32::try_from(PARALLEL).unwrap_or(u32::MAX);
    report.duration("CPU for one of them, three nodes", each, "");
}

/// What each kind of process holds right after the work, and once it rests.
fn memory(nodes: &[&TestNode], report: &mut Report) {
    if let Some(bytes) = private_memory(nodes).remove("lightning_channeld") {
        report.bytes("private memory, lightning_channeld, at work", bytes, "");
    }
    std::thread::sleep(REST);
    for (name, bytes) in private_memory(nodes) {
        report.bytes(
            &format!("private memory, {name}"),
            bytes,
            if name == "lightning_channeld" {
                "1 MiB"
            } else {
                ""
            },
        );
    }
}
