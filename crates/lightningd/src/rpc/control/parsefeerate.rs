//! `parsefeerate`

use std::rc::Rc;

use ln_rpc::methods::control::parsefeerate::{Parsefeerate, ParsefeerateResponse};
use ln_rpc::{RpcError, RpcErrorCode};
use ln_types::{Feerate, FeerateSpec};

use crate::node::Node;
use crate::rpc::{Context, Handle};

impl Handle for Parsefeerate {
    async fn handle(
        node: Rc<Node>,
        _: Context,
        params: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        let rate = match params.feerate {
            // A number stands for itself, whatever the network relays at the moment.
            FeerateSpec::Exact(rate) => Some(rate.max(Feerate::FLOOR)),
            spec @ (FeerateSpec::Target(_) | FeerateSpec::Blocks(_)) => {
                node.fees.borrow().resolve(spec)
            }
        };
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
