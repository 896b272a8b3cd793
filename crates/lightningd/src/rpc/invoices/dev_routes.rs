//! Route hints given by a developer, used as they are.

use ln_invoice::RouteHint;
use ln_rpc::RpcError;
use ln_types::CltvDelta;
use serde_json::Value;

/// Reads an array of routes, each an array of channels.
pub(super) fn dev_routes(routes: &Value) -> Result<Vec<Vec<RouteHint>>, RpcError> {
    let wrong = || {
        RpcError::invalid_params(
            "dev-routes: should be an array of arrays of objects with id, short_channel_id, fee_base_msat, \
             fee_proportional_millionths and cltv_expiry_delta",
        )
    };
    let route =
        |route: &Value| -> Option<Vec<RouteHint>> { route.as_array()?.iter().map(hint).collect() };
    let routes = routes.as_array().ok_or_else(wrong)?;
    routes
        .iter()
        .map(|item| route(item).ok_or_else(wrong))
        .collect()
}

fn hint(value: &Value) -> Option<RouteHint> {
    let number = |member: &str| value.get(member)?.as_u64();
    let small = |member: &str| u32::try_from(number(member)?).ok();
    Some(RouteHint {
        node_id: value.get("id")?.as_str()?.parse().ok()?,
        short_channel_id: value.get("short_channel_id")?.as_str()?.parse().ok()?,
        fee_base_msat: small("fee_base_msat")?,
        fee_proportional_millionths: small("fee_proportional_millionths")?,
        cltv_expiry_delta: CltvDelta(u16::try_from(number("cltv_expiry_delta")?).ok()?),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn routes_are_read_or_refused_whole() {
        let hop = json!({
            "id": "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
            "short_channel_id": "1x2x3", "fee_base_msat": 10, "fee_proportional_millionths": 20, "cltv_expiry_delta": 30,
        });
        let routes = dev_routes(&json!([[hop], []])).unwrap();
        assert_eq!(routes[0][0].fee_base_msat, 10);
        assert!(routes[1].is_empty());
        assert!(dev_routes(&json!([[1]])).is_err());
        assert!(dev_routes(&json!({})).is_err());
    }
}
