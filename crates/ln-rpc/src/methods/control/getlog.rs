//! `getlog`

use ln_types::NodeId;

use crate::jsonrpc::LogLevel;
use crate::methods::rpc_method;
use crate::params::{Hex, rpc_params};
use crate::shape::{rpc_enum, rpc_object};

rpc_method! {
    /// Shows the log that the node keeps in memory.
    pub struct Getlog = "getlog" (GetlogParams) -> GetlogResponse {
        category: Control,
        since: "",
    }
}

rpc_params! {
    /// The parameters of `getlog`.
    pub struct GetlogParams {
        /// The least level to show.
        level: LogLevel = LogLevel::Info,
    }
}

rpc_object! {
    /// The answer to `getlog`.
    pub struct GetlogResponse {
        /// When the log was started, in seconds since 1970 with a fraction.
        created_at: String,
        /// How much memory the log uses.
        bytes_used: u32,
        /// How much it may use.
        bytes_max: u32,
        /// The lines.
        log: Vec<LogEntry>,
    }

    /// One line of a log, or how many were left out.
    pub struct LogEntry {
        /// What this is.
        kind as "type": LogEntryType,
        /// How many lines were left out here.
        num_skipped: Option<u32>,
        /// Seconds after the log was started, with a fraction.
        time: Option<String>,
        /// Which part of the node wrote it.
        source: Option<String>,
        /// What it says.
        log: Option<String>,
        /// The peer it is about.
        node_id: Option<NodeId>,
        /// The bytes that went in or out.
        data: Option<Hex>,
    }
}

rpc_enum! {
    /// Levels and directions of log lines.
    pub enum LogEntryType ("should be a type of log line") {
        /// Lines were left out.
        Skipped = "SKIPPED",
        /// A fault.
        Broken = "BROKEN",
        /// Worth a look.
        Unusual = "UNUSUAL",
        /// Good to know.
        Info = "INFO",
        /// Helps to find a bug.
        Debug = "DEBUG",
        /// Every step.
        Trace = "TRACE",
        /// Bytes that came in.
        IoIn = "IO_IN",
        /// Bytes that went out.
        IoOut = "IO_OUT",
    }
}
