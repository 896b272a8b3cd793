//! `listaddresses`

use std::rc::Rc;

use ln_rpc::RpcError;
use ln_rpc::methods::wallet::listaddresses::{AddressEntry, Listaddresses, ListaddressesResponse};
use ln_wallet::AddressKind;

use super::{address_of, parse_address};
use crate::node::Node;
use crate::rpc::{Context, Handle, internal};

impl Handle for Listaddresses {
    async fn handle(
        node: Rc<Node>,
        _: Context,
        params: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        let network = node.config.network;
        let wanted = match &params.address {
            Some(text) => address_of(network, &parse_address(network, "address", text)?),
            None => None,
        };
        let start = params.start.unwrap_or(1);
        if start == 0 {
            return Err(RpcError::invalid_params(
                "Starting keyidx is 1; Cannot {start} with 0",
            ));
        }
        let rows = node
            .db
            .read(|txn| txn.addresses())
            .await
            .map_err(internal)?;
        let limit = params.limit.and_then(|limit| usize::try_from(limit).ok());
        let rows = rows
            .into_iter()
            .filter(|(index, _)| u64::from(*index) >= start)
            .take(limit.unwrap_or(usize::MAX));
        let mut addresses = Vec::new();
        for (index, kinds) in rows {
            let address = |kind, bit: u8| -> Result<Option<String>, RpcError> {
                if kinds & bit == 0 {
                    return Ok(None);
                }
                let script = node.wallet.script(kind, index).map_err(internal)?;
                Ok(address_of(network, &script))
            };
            let entry = AddressEntry {
                keyidx: index.into(),
                bech32: address(AddressKind::P2wpkh, 2)?,
                p2tr: address(AddressKind::P2tr, 4)?,
            };
            if wanted.is_none() || wanted == entry.bech32 || wanted == entry.p2tr {
                addresses.push(entry);
            }
        }
        Ok(ListaddressesResponse { addresses })
    }
}
