//! `getinfo`

use std::rc::Rc;

use bitcoin::hex::DisplayHex;
use ln_daemon::VERSION;
use ln_ipc::connectd::ConnectdBinding;
use ln_rpc::RpcError;
use ln_rpc::methods::control::getinfo::{
    AddressType, AnnouncedAddress, Binding, BindingType, Getinfo, GetinfoResponse, OurFeatures,
};
use ln_types::{ChannelState, NetAddr};

use crate::channels::is_pending;
use crate::node::Node;
use crate::rpc::{Context, Handle};

impl Handle for Getinfo {
    async fn handle(
        node: Rc<Node>,
        _: Context,
        _: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        let states: Vec<ChannelState> = node
            .channels
            .all()
            .iter()
            .map(|channel| channel.row().state)
            .collect();
        let count = |which: &dyn Fn(ChannelState) -> bool| {
            u32::try_from(states.iter().filter(|state| which(**state)).count()).unwrap_or(u32::MAX)
        };
        let chain = &node.chain;
        let syncing = chain
            .backend_syncing
            .get()
            .then(|| "Bitcoind is not up-to-date with network.".to_owned());
        let stale = chain
            .stale
            .borrow()
            .as_ref()
            .map(|why| format!("The chain backend does not answer: {why}"));
        let behind = (!chain.is_synced() && syncing.is_none())
            .then(|| "Still loading latest blocks from bitcoind.".to_owned());
        Ok(GetinfoResponse {
            id: node.id(),
            alias: node.alias_text(),
            color: node.color().as_hex().to_string(),
            num_peers: u32::try_from(node.peers.all().len()).unwrap_or(u32::MAX),
            num_pending_channels: count(&is_pending),
            num_active_channels: count(&|state| state == ChannelState::ChanneldNormal),
            num_inactive_channels: count(&ChannelState::is_closing),
            version: VERSION.to_owned(),
            lightning_dir: node.config.network_dir.display().to_string(),
            our_features: Some(OurFeatures {
                init: node.features.init.clone(),
                node: node.features.node.clone(),
                channel: node.features.channel.clone(),
                invoice: node.features.invoice.clone(),
            }),
            blockheight: chain.height(),
            network: node.config.network.name().to_owned(),
            fees_collected_msat: node.payments.fees_collected.get(),
            address: node
                .addresses
                .announced(&node.config.net)
                .iter()
                .filter_map(announced)
                .collect(),
            binding: Some(node.addresses.bindings().iter().map(binding).collect()),
            warning_bitcoind_sync: syncing.or(stale),
            warning_lightningd_sync: behind,
        })
    }
}

fn announced(address: &NetAddr) -> Option<AnnouncedAddress> {
    let kind = match address {
        NetAddr::Ipv4(..) => AddressType::Ipv4,
        NetAddr::Ipv6(..) => AddressType::Ipv6,
        NetAddr::TorV3(..) => AddressType::Torv3,
        NetAddr::Dns(..) => AddressType::Dns,
        NetAddr::Unix(_) => return None,
    };
    Some(AnnouncedAddress {
        kind,
        address: Some(address.host()),
        port: address.port()?,
    })
}

fn binding(binding: &ConnectdBinding) -> Binding {
    let address = &binding.address;
    let kind = match address {
        NetAddr::Ipv4(..) | NetAddr::Dns(..) => BindingType::Ipv4,
        NetAddr::Ipv6(..) => BindingType::Ipv6,
        NetAddr::TorV3(..) => BindingType::Torv3,
        NetAddr::Unix(_) => BindingType::LocalSocket,
    };
    let local = matches!(address, NetAddr::Unix(_));
    Binding {
        kind: if binding.websocket {
            BindingType::Websocket
        } else {
            kind
        },
        address: (!local).then(|| address.host()),
        port: address.port(),
        socket: local.then(|| address.host()),
        subtype: binding.websocket.then(|| address.kind().to_owned()),
    }
}
