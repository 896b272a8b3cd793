//! `newaddr`

use std::rc::Rc;

use ln_rpc::RpcError;
use ln_rpc::deprecated::NEWADDR_ALL;
use ln_rpc::methods::wallet::newaddr::{AddressKind as Wanted, Newaddr, NewaddrResponse};
use ln_wallet::AddressKind;

use super::address_of;
use crate::node::Node;
use crate::rpc::{Context, Handle, internal};

impl Handle for Newaddr {
    async fn handle(
        node: Rc<Node>,
        context: Context,
        params: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        let default = if context.env.allows(NEWADDR_ALL) {
            Wanted::All
        } else {
            Wanted::P2tr
        };
        let wanted = params.addresstype.unwrap_or(default);
        let kinds = match wanted {
            Wanted::Bech32 => 2,
            Wanted::P2tr => 4,
            Wanted::All => 6,
        };
        let index = node
            .wallet
            .new_index(&node, kinds)
            .await
            .map_err(internal)?;
        let address = |kind| -> Result<Option<String>, RpcError> {
            let script = node.wallet.script(kind, index).map_err(internal)?;
            Ok(address_of(node.config.network, &script))
        };
        Ok(NewaddrResponse {
            p2tr: if wanted == Wanted::Bech32 {
                None
            } else {
                address(AddressKind::P2tr)?
            },
            bech32: if wanted == Wanted::P2tr {
                None
            } else {
                address(AddressKind::P2wpkh)?
            },
        })
    }
}
