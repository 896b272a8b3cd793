//! `getmanifest`'s parameters, and `init`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::FeatureBits;

/// The parameters of `getmanifest`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct GetManifestParams {
    /// Whether deprecated things are allowed.
    #[serde(rename = "allow-deprecated-apis", default)]
    pub allow_deprecated_apis: bool,
}

/// The parameters of `init`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InitParams {
    /// The plugin's options as they are set; what is neither set nor has a default is not there.
    #[serde(default)]
    pub options: Map<String, Value>,
    /// The node it runs on.
    pub configuration: Configuration,
}

/// The node a plugin runs on.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Configuration {
    /// The network's directory.
    #[serde(rename = "lightning-dir")]
    pub lightning_dir: String,
    /// The RPC socket's name in it.
    #[serde(rename = "rpc-file")]
    pub rpc_file: String,
    /// Whether the node is starting; false for a plugin that is started later.
    pub startup: bool,
    /// The network.
    pub network: String,
    /// The proxy for connections.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy: Option<Proxy>,
    /// Whether Tor addresses of version 3 are used.
    #[serde(
        rename = "torv3-enabled",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub torv3_enabled: Option<bool>,
    /// Whether all connections go through the proxy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub always_use_proxy: Option<bool>,
    /// What the node announces.
    #[serde(default)]
    pub feature_set: FeatureSets,
}

/// A proxy's address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proxy {
    /// `ipv4`, `ipv6`, ...
    #[serde(rename = "type")]
    pub kind: String,
    /// The host.
    pub address: String,
    /// The port.
    pub port: u16,
}

/// What the node announces, by the message that carries it; unlike in a manifest every member is always there.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "FeatureBits")]
pub struct FeatureSets {
    init: String,
    node: String,
    channel: String,
    invoice: String,
    bolt12_offer: String,
    bolt12_invreq: String,
    bolt12_invoice: String,
    channel_type: String,
}

impl From<FeatureBits> for FeatureSets {
    fn from(bits: FeatureBits) -> Self {
        Self {
            init: bits.init.to_string(),
            node: bits.node.to_string(),
            channel: bits.channel.to_string(),
            invoice: bits.invoice.to_string(),
            bolt12_offer: bits.bolt12_offer.to_string(),
            bolt12_invreq: bits.bolt12_invreq.to_string(),
            bolt12_invoice: bits.bolt12_invoice.to_string(),
            channel_type: bits.channel_type.to_string(),
        }
    }
}

/// What of an answer to `init` (or `getmanifest`) matters to the host.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DisableReply {
    /// Why the plugin does not want to run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disable: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn init_is_written_as_plugins_know_it() {
        let features = FeatureBits {
            node: [15].into_iter().collect(),
            ..FeatureBits::default()
        };
        let params = InitParams {
            options: Map::from_iter([("greeting".to_owned(), "hi".into())]),
            configuration: Configuration {
                lightning_dir: "/x/regtest".to_owned(),
                rpc_file: "lightning-rpc".to_owned(),
                startup: true,
                network: "regtest".to_owned(),
                feature_set: features.into(),
                ..Configuration::default()
            },
        };
        let text = serde_json::to_string(&params).unwrap();
        assert_eq!(
            text,
            r#"{"options":{"greeting":"hi"},"configuration":{"lightning-dir":"/x/regtest","rpc-file":"lightning-rpc","startup":true,"network":"regtest","feature_set":{"init":"","node":"8000","channel":"","invoice":"","bolt12_offer":"","bolt12_invreq":"","bolt12_invoice":"","channel_type":""}}}"#
        );
        assert_eq!(serde_json::from_str::<InitParams>(&text).unwrap(), params);
    }
}
