//! Addresses in parameters and replies.

use bitcoin::address::NetworkUnchecked;
use bitcoin::{Address, ScriptBuf};
use ln_rpc::{RpcError, RpcErrorCode};
use ln_types::Network;

/// The script of the address in the parameter called `name`.
pub(in crate::rpc) fn parse_address(
    network: Network,
    name: &str,
    text: &str,
) -> Result<ScriptBuf, RpcError> {
    let address = text.parse::<Address<NetworkUnchecked>>().map_err(|_| {
        let text = format!("Could not parse destination address, {name} should be a valid address");
        RpcError::new(RpcErrorCode::Lightningd, text)
    })?;
    match address.require_network(network.into()) {
        Ok(address) => Ok(address.script_pubkey()),
        Err(_) => {
            let text = format!("Destination address is not on network {network}");
            Err(RpcError::new(RpcErrorCode::Lightningd, text))
        }
    }
}

/// The address of a script, where it has one.
pub(in crate::rpc) fn address_of(network: Network, script: &ScriptBuf) -> Option<String> {
    network.address(script).map(|address| address.to_string())
}
