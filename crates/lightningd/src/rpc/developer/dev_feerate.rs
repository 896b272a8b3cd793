//! `dev-feerate`

use std::rc::Rc;

use ln_ipc::channeld::ToChanneld;
use ln_rpc::RpcError;
use ln_rpc::methods::developer::dev_feerate::{DevFeerate, DevFeerateResponse};
use ln_types::Feerate;

use super::peer_channel::open_channel;
use crate::channels::feerates;
use crate::node::Node;
use crate::rpc::{Context, Handle};

impl Handle for DevFeerate {
    async fn handle(
        node: Rc<Node>,
        _: Context,
        params: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        let (channel, channeld) = open_channel(&node, params.id)?;
        let wanted = Feerate::from_perkw(params.feerate);
        channel.dev_feerate.set(Some(wanted));
        channeld.send(&ToChanneld::Feerates(feerates(&node, &channel)));
        Ok(DevFeerateResponse {
            id: params.id,
            feerate: params.feerate,
        })
    }

    async fn check(node: Rc<Node>, _: Context, params: Self::Params) -> Result<(), RpcError> {
        open_channel(&node, params.id).map(|_| ())
    }
}
