//! `parsefeerate`

use std::rc::Rc;

use ln_rpc::methods::control::parsefeerate::{Parsefeerate, ParsefeerateResponse};
use ln_rpc::{RpcError, RpcErrorCode};

use crate::node::Node;
use crate::rpc::{Context, Handle};

impl Handle for Parsefeerate {
    async fn handle(
        node: Rc<Node>,
        _: Context,
        params: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        let rate = node.fees.borrow().resolve(params.feerate);
        let rate = rate.ok_or_else(|| {
            RpcError::new(
                RpcErrorCode::BcliNoFeeEstimates,
                "Cannot estimate fees (yet)",
            )
        })?;
        Ok(ParsefeerateResponse {
            perkw: Some(rate.as_perkw()),
        })
    }
}
