//! Lines of the log as replies show them.

use std::time::Duration;

use ln_rpc::methods::control::getlog::{LogEntry, LogEntryType};
use ln_rpc::params::Hex;
use ln_types::NodeId;

use crate::clock;
use crate::log::{Line, LogLevel, Logger};

/// The least level that a user's word for one means.
pub(in crate::rpc) fn level(asked: ln_rpc::jsonrpc::LogLevel) -> LogLevel {
    use ln_rpc::jsonrpc::LogLevel as Asked;
    match asked {
        Asked::Io => LogLevel::IoIn,
        Asked::Trace => LogLevel::Trace,
        Asked::Debug => LogLevel::Debug,
        Asked::Info => LogLevel::Info,
        Asked::Unusual => LogLevel::Unusual,
        Asked::Broken => LogLevel::Broken,
    }
}

/// The lines kept from a level up, all or those about one peer. Lines that had to go are counted in an entry before the others.
pub(in crate::rpc) fn log_entries(
    log: &Logger,
    least: LogLevel,
    peer: Option<NodeId>,
) -> Vec<LogEntry> {
    let (created, _, _, skipped) = log.usage();
    let mut entries = Vec::new();
    if skipped > 0 && peer.is_none() {
        entries.push(skipped_entry(skipped));
    }
    log.visit(|line| {
        let wanted = line.level >= least && (peer.is_none() || line.origin.peer == peer);
        if wanted {
            entries.push(entry(line, created));
        }
    });
    entries
}

fn skipped_entry(skipped: u64) -> LogEntry {
    LogEntry {
        kind: LogEntryType::Skipped,
        num_skipped: Some(u32::try_from(skipped).unwrap_or(u32::MAX)),
        time: None,
        source: None,
        log: None,
        node_id: None,
        data: None,
    }
}

fn entry(line: &Line, created: Duration) -> LogEntry {
    let kind = match line.level {
        LogLevel::Broken => LogEntryType::Broken,
        LogLevel::Unusual => LogEntryType::Unusual,
        LogLevel::Info => LogEntryType::Info,
        LogLevel::Debug => LogEntryType::Debug,
        LogLevel::Trace => LogEntryType::Trace,
        LogLevel::IoIn => LogEntryType::IoIn,
        LogLevel::IoOut => LogEntryType::IoOut,
    };
    let is_io = matches!(line.level, LogLevel::IoIn | LogLevel::IoOut);
    LogEntry {
        kind,
        num_skipped: None,
        time: Some(clock::precise(line.time.saturating_sub(created))),
        source: Some(line.origin.name.to_string()),
        log: Some(line.text.clone()),
        node_id: line.origin.peer,
        data: is_io.then(|| Hex(line.data.as_deref().unwrap_or_default().to_vec())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Origin;

    #[test]
    fn a_line_keeps_its_level_source_and_time_since_the_start() {
        let line = Line {
            time: Duration::from_millis(2500),
            level: LogLevel::Unusual,
            origin: Origin::of("connectd"),
            text: "hm".to_owned(),
            data: None,
        };
        let entry = entry(&line, Duration::from_secs(1));
        assert_eq!(entry.kind, LogEntryType::Unusual);
        assert_eq!(entry.time.as_deref(), Some("1.500000000"));
        assert_eq!(entry.source.as_deref(), Some("connectd"));
        assert_eq!((entry.node_id, entry.data), (None, None));
    }
}
