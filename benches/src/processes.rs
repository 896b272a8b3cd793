//! What the processes of nodes cost, as `/proc` tells.

use std::collections::BTreeMap;
use std::time::Duration;

use ln_testkit::nodes::TestNode;

/// The kernel's clock ticks a second; Linux has shown 100 to programs since 2.6.
const TICKS: u64 = 100;

/// Process ids and names of nodes and their helpers.
fn processes(nodes: &[&TestNode]) -> Vec<(u32, String)> {
    let mut all = Vec::new();
    for node in nodes {
        all.extend(node.pid().map(|pid| (pid, "lightningd".to_owned())));
        all.extend(
            node.helpers()
                .into_iter()
                .map(|helper| (helper.pid, helper.name)),
        );
    }
    all
}

/// User and system time of nodes, their helpers and their plugins since they started.
pub(crate) fn cpu_time(nodes: &[&TestNode]) -> Duration {
    cpu_time_of(nodes, |_| true)
}

/// The same of those processes only whose name is one of these.
pub(crate) fn cpu_time_of(nodes: &[&TestNode], wanted: impl Fn(&str) -> bool) -> Duration {
    let ticks: u64 = processes(nodes)
        .into_iter()
        .filter(|(_, name)| wanted(name))
        .filter_map(|(pid, _)| ticks(pid))
        .sum();
    Duration::from_millis(ticks * 1000 / TICKS)
}

fn ticks(pid: u32) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = text.rsplit_once(')')?;
    // Fields 14 and 15 of the whole line; the first after the name is field 3.
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
    Some(field(14)? + field(15)?)
}

/// Memory that only one process uses, the largest of each name.
pub(crate) fn private_memory(nodes: &[&TestNode]) -> BTreeMap<String, u64> {
    let mut largest = BTreeMap::new();
    for (pid, name) in processes(nodes) {
        let Some(bytes) = private(pid) else { continue };
        let entry = largest.entry(name).or_insert(0);
        *entry = bytes.max(*entry);
    }
    largest
}

fn private(pid: u32) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    let kilobytes = text
        .lines()
        .filter(|line| line.starts_with("Private_"))
        .filter_map(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok())
        .sum::<u64>();
    Some(kilobytes * 1024)
}
