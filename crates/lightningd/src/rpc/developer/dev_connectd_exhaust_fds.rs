//! `dev-connectd-exhaust-fds`

use std::rc::Rc;

use ln_ipc::connectd::ConnectdDevExhaustFds;
use ln_rpc::RpcError;
use ln_rpc::methods::Nothing;
use ln_rpc::methods::developer::dev_connectd_exhaust_fds::DevConnectdExhaustFds;

use crate::node::Node;
use crate::rpc::{Context, Handle};

impl Handle for DevConnectdExhaustFds {
    async fn handle(
        node: Rc<Node>,
        _: Context,
        _: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        node.to_connectd(ConnectdDevExhaustFds {});
        Ok(Nothing {})
    }
}
