//! `dev-listaddrs`

use std::rc::Rc;

use bitcoin::hashes::{Hash as _, hash160};
use ln_rpc::RpcError;
use ln_rpc::methods::developer::dev_listaddrs::{DevListaddrs, DevListaddrsResponse, KeyAddresses};
use ln_rpc::params::Hex;
use ln_types::NodeId;
use ln_wallet::{AddressKind, script_of};

use crate::node::Node;
use crate::rpc::wallet::address_of;
use crate::rpc::{Context, Handle, internal};

/// The last key that can be asked for: more would only fill the memory.
const MOST: u32 = 100_000;
/// After so many keys others have their turn.
const SOME: u32 = 64;

impl Handle for DevListaddrs {
    async fn handle(
        node: Rc<Node>,
        _: Context,
        params: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        let given_out = node.wallet.last_index();
        let last = params.max_index.unwrap_or(given_out.into());
        let Some(last) = u32::try_from(last).ok().filter(|last| *last <= MOST) else {
            let text = format!("max_index: no more than {MOST} addresses are listed at once");
            return Err(RpcError::invalid_params(text));
        };
        let mut addresses = Vec::new();
        for index in 1..=last {
            if index % SOME == 0 {
                tokio::task::yield_now().await;
            }
            let pubkey = node.wallet.public_key(index);
            let pubkey = pubkey.ok_or_else(|| internal("a wallet has keys up to 2^31"))?;
            let address = |kind| {
                address_of(node.config.network, &script_of(kind, &pubkey))
                    .ok_or_else(|| internal("the script of a key has no address"))
            };
            addresses.push(KeyAddresses {
                keyidx: index.into(),
                pubkey: NodeId::from(pubkey),
                bech32: address(AddressKind::P2wpkh)?,
                bech32_redeemscript: Hex(hash160::Hash::hash(&pubkey.serialize())
                    .to_byte_array()
                    .to_vec()),
                p2tr: address(AddressKind::P2tr)?,
            });
        }
        Ok(DevListaddrsResponse { addresses })
    }
}
