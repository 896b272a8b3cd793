//! `connect`

use std::rc::Rc;

use ln_rpc::methods::peers::connect::{Connect, ConnectDirection, ConnectResponse};
use ln_rpc::{RpcError, RpcErrorCode};
use ln_types::{NetAddr, NodeId};

use super::address::{Target, shown, target};
use crate::node::Node;
use crate::rpc::{Context, Handle};

impl Handle for Connect {
    async fn handle(
        node: Rc<Node>,
        context: Context,
        params: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        if params.port == Some(0) {
            return Err(crate::rpc::bad_value(
                &context,
                "port",
                "0",
                "should be non-zero",
            ));
        }
        let to = target(&params.id, params.host, params.port)?;
        let id: NodeId = to.id.parse().map_err(|_| {
            crate::rpc::bad_value(&context, "id", &params.id, "should be a node id")
        })?;
        let mut addresses: Vec<NetAddr> = address(&node, &to)?.into_iter().collect();
        if !node.peers.is_connected(id) {
            addresses.extend(announced(&node, id));
        }
        let connection = node
            .peers
            .connect(&node, id, addresses)
            .await
            .map_err(|error| {
                if error.no_address {
                    let text =
                        "Unable to connect, no address known for peer: give one as ID@HOST:PORT";
                    RpcError::new(RpcErrorCode::ConnectNoKnownAddress, text)
                } else {
                    RpcError::new(RpcErrorCode::ConnectAllAddressesFailed, error.reason)
                }
            })?;
        let Some(peer) = node.peers.get(id).filter(|peer| peer.connection.is_some()) else {
            let code = RpcErrorCode::ConnectDisconnectedDuring;
            return Err(RpcError::new(code, "disconnected during connection"));
        };
        Ok(ConnectResponse {
            id,
            features: peer.features,
            direction: if connection.incoming {
                ConnectDirection::In
            } else {
                ConnectDirection::Out
            },
            address: shown(&connection.address),
        })
    }
}

/// The address that was given, if any.
fn address(node: &Node, to: &Target) -> Result<Option<NetAddr>, RpcError> {
    let Some(host) = &to.host else {
        return match to.port {
            Some(_) => Err(RpcError::invalid_params("Can't specify port without host")),
            None => Ok(None),
        };
    };
    let port = to
        .port
        .unwrap_or_else(|| node.config.network.lightning_port());
    // A host given by itself may still carry its port.
    let parsed = match to.port {
        Some(port) => NetAddr::from_host(host, port),
        None => NetAddr::parse(host, port).ok(),
    };
    parsed.map(Some).ok_or_else(|| {
        RpcError::lightningd(format!(
            "Host {host}:{port} not valid: write HOST, HOST:PORT, [IPV6]:PORT or the /path of a unix socket"
        ))
    })
}

/// The addresses a node announced.
fn announced(node: &Node, id: NodeId) -> Vec<NetAddr> {
    match crate::rpc::announced_addresses(node, id) {
        Ok(addresses) => addresses,
        Err(error) => {
            let text = format!("addresses of {id} can't be looked up: {error:#}");
            node.log.debug(&node.origin, text);
            Vec::new()
        }
    }
}
