//! The network we do not have.

use super::args::Args;
use super::{Context, RpcError};
use crate::json::Json;
use crate::params::{CORE_VERSION, SUBVERSION};

pub(super) fn getnetworkinfo(context: &mut Context<'_>, _: &Args) -> Result<Json, RpcError> {
    let policy = &context.node.policy;
    let networks: Json = ["ipv4", "ipv6", "onion", "i2p", "cjdns"]
        .into_iter()
        .map(|name| {
            Json::object()
                .with("name", name)
                .with("limited", false)
                .with("reachable", name.starts_with("ip"))
                .with("proxy", "")
                .with("proxy_randomize_credentials", false)
        })
        .collect();
    Ok(Json::object()
        .with("version", CORE_VERSION)
        .with("subversion", SUBVERSION)
        .with("protocolversion", 70016)
        .with("localservices", "0000000000000009")
        .with(
            "localservicesnames",
            Json::Array(vec!["NETWORK".into(), "WITNESS".into()]),
        )
        .with("localrelay", true)
        .with("timeoffset", 0)
        .with("networkactive", true)
        .with("connections", 0)
        .with("connections_in", 0)
        .with("connections_out", 0)
        .with("networks", networks)
        .with(
            "relayfee",
            Json::sats(policy.min_relay.to_sat_per_kvb().cast_signed()),
        )
        .with(
            "incrementalfee",
            Json::sats(policy.incremental_relay.to_sat_per_kvb().cast_signed()),
        )
        .with("localaddresses", Vec::new())
        .with("warnings", Vec::new()))
}

pub(super) fn getpeerinfo(_: &mut Context<'_>, _: &Args) -> Result<Json, RpcError> {
    Ok(Json::Array(Vec::new()))
}

pub(super) fn getconnectioncount(_: &mut Context<'_>, _: &Args) -> Result<Json, RpcError> {
    Ok(0.into())
}

pub(super) fn nothing(_: &mut Context<'_>, _: &Args) -> Result<Json, RpcError> {
    Ok(Json::Null)
}
