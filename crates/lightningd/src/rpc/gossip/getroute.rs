//! `getroute`

use std::collections::HashMap;
use std::rc::Rc;

use ln_route::{Hop, MAX_HOPS, Network, NoRoute, Query, Risk, find};
use ln_rpc::methods::gossip::getroute::{
    FoundHop, Getroute, GetrouteParams, GetrouteResponse, HopStyle,
};
use ln_rpc::{RpcError, RpcErrorCode};
use ln_types::Msat;

use crate::node::Node;
use crate::rpc::payments::{Own, unwanted};
use crate::rpc::{Context, Handle, internal};

impl Handle for Getroute {
    async fn handle(
        node: Rc<Node>,
        _: Context,
        params: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        let query = query(&params)?;
        let known = unwanted(params.exclude.as_deref().unwrap_or_default());
        let from = params.fromid.unwrap_or(node.id());
        let own = (from == node.id()).then(|| Own::now(&node, &HashMap::new()));
        let usable = own.as_ref().map(|own| own.usable.clone());
        let found = node.graph.search(move |graph| {
            let network = Network::new(graph, from.into());
            let network = match usable {
                Some(usable) => network.with_own(usable),
                None => network,
            };
            find(&network, &known, &query)
        });
        let route = found
            .await
            .map_err(internal)?
            .map_err(|reason| not_found(own.as_ref(), reason))?;
        let hops = route.hops.iter().map(shown);
        Ok(GetrouteResponse {
            route: hops.collect::<Result<_, _>>()?,
        })
    }
}

fn query(params: &GetrouteParams) -> Result<Query, RpcError> {
    if params.amount_msat.is_zero() {
        return Err(RpcError::invalid_params("amount_msat must be above 0msat"));
    }
    let hops = usize::try_from(params.maxhops).unwrap_or(MAX_HOPS);
    Ok(Query {
        destination: params.id.into(),
        amount: params.amount_msat,
        final_delay: params.cltv,
        max_fee: Msat::MAX,
        max_delay: u32::MAX,
        max_hops: hops.min(MAX_HOPS),
        risk: Risk::percent_per_year(params.riskfactor),
    })
}

fn not_found(own: Option<&Own>, reason: NoRoute) -> RpcError {
    let text = match own.and_then(Own::why_none) {
        Some(why) => format!("Could not find a route: {why}"),
        None => format!("Could not find a route: {reason}"),
    };
    RpcError::new(RpcErrorCode::PayRouteNotFound, text)
}

fn shown(hop: &Hop) -> Result<FoundHop, RpcError> {
    let id = hop.node.to_node_id();
    Ok(FoundHop {
        id: id.ok_or_else(|| internal("a node on the route has no valid id"))?,
        channel: hop.channel.scid,
        direction: hop.channel.direction.into(),
        amount_msat: hop.amount,
        delay: hop.delay,
        style: HopStyle::Tlv,
    })
}
