//! What the processes of nodes cost, as `/proc` tells.

use std::collections::BTreeMap;
use std::time::Duration;

use ln_testkit::nodes::TestNode;

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

/// Time on a CPU of nodes, their helpers and their plugins since they started.
pub(crate) fn cpu_time(nodes: &[&TestNode]) -> Duration {
    cpu_time_of(nodes, |_| true)
}

/// The same of those processes only whose name is one of these.
pub(crate) fn cpu_time_of(nodes: &[&TestNode], wanted: impl Fn(&str) -> bool) -> Duration {
    processes(nodes)
        .into_iter()
        .filter(|(_, name)| wanted(name))
        .filter_map(|(pid, _)| on_cpu(pid))
        .sum()
}

/// What the threads of a process that are alive have run: to the nanosecond, while `stat` counts ticks, which plugins that run for a moment
/// only pass between.
fn on_cpu(pid: u32) -> Option<Duration> {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).ok()?;
    let run = |thread: std::fs::DirEntry| {
        let text = std::fs::read_to_string(thread.path().join("schedstat")).ok()?;
        let nanoseconds = text.split_whitespace().next()?.parse().ok()?;
        Some(Duration::from_nanos(nanoseconds))
    };
    Some(threads.flatten().filter_map(run).sum())
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
