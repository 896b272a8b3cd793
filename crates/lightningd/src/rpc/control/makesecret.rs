//! `makesecret`

use std::rc::Rc;

use ln_rpc::RpcError;
use ln_rpc::methods::control::makesecret::{Makesecret, MakesecretResponse};
use ln_rpc::params::Secret32;

use crate::node::Node;
use crate::rpc::{Context, Handle, internal};

impl Handle for Makesecret {
    async fn handle(
        node: Rc<Node>,
        _: Context,
        params: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        let info = crate::rpc::hex_or_string(params.hex, params.string)?;
        crate::rpc::check_length("hex", &info)?;
        let secret = node.hsm.derive_secret(info).await.map_err(internal)?;
        Ok(MakesecretResponse {
            secret: Secret32(secret),
        })
    }
}
