//! `dev-memleak`

use std::rc::Rc;

use ln_rpc::RpcError;
use ln_rpc::methods::developer::dev_memleak::{DevMemleak, DevMemleakResponse};

use crate::node::Node;
use crate::rpc::{Context, Handle};

impl Handle for DevMemleak {
    /// Memory that nothing refers to is freed at once here.
    async fn handle(_: Rc<Node>, _: Context, _: Self::Params) -> Result<Self::Response, RpcError> {
        Ok(DevMemleakResponse { leaks: Vec::new() })
    }
}
