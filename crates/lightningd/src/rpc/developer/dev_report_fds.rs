//! `dev-report-fds`

use std::fs;
use std::rc::Rc;

use ln_rpc::RpcError;
use ln_rpc::methods::Nothing;
use ln_rpc::methods::developer::dev_report_fds::DevReportFds;

use crate::node::Node;
use crate::rpc::{Context, Handle, internal};

impl Handle for DevReportFds {
    async fn handle(
        node: Rc<Node>,
        _: Context,
        _: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        for entry in fs::read_dir("/proc/self/fd").map_err(internal)? {
            let entry = entry.map_err(internal)?;
            // The descriptor the directory itself is read by is gone when its turn comes.
            if let Ok(target) = fs::read_link(entry.path()) {
                let fd = entry.file_name().to_string_lossy().into_owned();
                let text = format!("dev_report_fds: {fd} -> {}", target.display());
                node.log.info(&node.origin, text);
            }
        }
        Ok(Nothing {})
    }
}
