//! `getlog`

use std::rc::Rc;

use ln_rpc::RpcError;
use ln_rpc::methods::control::getlog::{Getlog, GetlogResponse};

use super::log_entries::{level, log_entries};
use crate::clock;
use crate::node::Node;
use crate::rpc::{Context, Handle};

impl Handle for Getlog {
    async fn handle(
        node: Rc<Node>,
        _: Context,
        params: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        let (created, used, max, _) = node.log.usage();
        let small = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX);
        Ok(GetlogResponse {
            created_at: clock::precise(created),
            bytes_used: small(used),
            bytes_max: small(max),
            log: log_entries(&node.log, level(params.level), None),
        })
    }
}
