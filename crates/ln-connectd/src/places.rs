//! The operator's addresses at start: where to listen, which onion services to have made, what to announce.

use std::time::Duration;

use ln_codec::Encode;
use ln_ipc::connectd::{ConnectdAddress, ConnectdBinding, ConnectdInit, ConnectdInitReply};
use ln_types::{NetAddr, NodeId, OwnAddress, TorService};
use ln_wire::NodeAddress;

use crate::address::seen_from_outside;
use crate::bind::listen_at;
use crate::hsm::Hsm;
use crate::listen::Listener;
use crate::lookup::Lookup;
use crate::tor::{OnionService, Secret};

/// What came of them.
#[derive(Debug, Default)]
pub(crate) struct Places {
    pub(crate) listeners: Vec<Listener>,
    pub(crate) services: Vec<OnionService>,
    bindings: Vec<ConnectdBinding>,
    announced: Vec<NetAddr>,
}

impl Places {
    /// Takes all addresses, or says which can't be had and what to do about it.
    pub(crate) async fn take(init: &ConnectdInit, hsm: &Hsm) -> Result<Self, String> {
        let patience = Duration::from_secs(init.timeout_secs.into());
        let lookup = Lookup::new(init.use_dns && !init.always_use_proxy, patience);
        let local_counts = init.dev.allow_localhost;
        let mut places = Self::default();
        for given in &init.addresses {
            let taken = places.take_one(given, &lookup, local_counts).await;
            taken.map_err(|problem| format!("{}: {problem}", given.option))?;
        }
        // Behind all others: Tor is told where we listen.
        let password = init.tor_password.as_ref();
        let password = password.map(|password| Secret(password.0.clone()));
        for given in &init.addresses {
            if let OwnAddress::Tor(service) = &given.address {
                let made = places
                    .make_onion(service, password.clone(), patience, (hsm, init.node_id))
                    .await;
                let address = made.map_err(|problem| format!("{}: {problem}", given.option))?;
                if given.announce {
                    places.announced.push(address);
                }
            }
        }
        places.sort();
        Ok(places)
    }

    /// What lightningd is told.
    pub(crate) fn reply(taken: &Result<Self, String>) -> ConnectdInitReply {
        match taken {
            Ok(places) => ConnectdInitReply {
                bindings: places.bindings.clone(),
                announced: places.announced.clone(),
                error: None,
            },
            Err(error) => ConnectdInitReply {
                bindings: Vec::new(),
                announced: Vec::new(),
                error: Some(error.clone()),
            },
        }
    }

    async fn take_one(
        &mut self,
        given: &ConnectdAddress,
        lookup: &Lookup,
        local_counts: bool,
    ) -> Result<(), String> {
        if !given.listen {
            self.announced
                .extend(announce(&given.address, lookup).await?);
            return Ok(());
        }
        let listeners = listen_at(&given.address, lookup).await;
        for listener in listeners.map_err(|error| error.to_string())? {
            let address = listener.address().map_err(|error| error.to_string())?;
            if given.announce {
                let outside = seen_from_outside(&address);
                let public = outside.filter(|address| address.is_public(local_counts));
                self.announced.extend(public);
            }
            self.bindings.push(ConnectdBinding {
                address,
                websocket: listener.websocket,
            });
            self.listeners.push(listener);
        }
        Ok(())
    }

    async fn make_onion(
        &mut self,
        service: &TorService,
        password: Option<Secret>,
        patience: Duration,
        keys: (&Hsm, NodeId),
    ) -> Result<NetAddr, String> {
        let target = self.bindings.iter().find_map(tor_target).ok_or(
            "Tor needs a port of this node to lead peers to: add bind-addr=127.0.0.1:9735 (or another port)",
        )?;
        let made = OnionService::start(service, password, target, patience, keys).await;
        let made =
            made.map_err(|error| format!("Tor's control port {}: {error}", service.control))?;
        let address = made.address.clone();
        self.services.push(made);
        Ok(address)
    }

    // BOLT 7 §The `node_announcement` Message: address descriptors are in ascending order.
    fn sort(&mut self) {
        self.announced
            .sort_by_key(|address| NodeAddress::from_net_addr(address).map(|own| own.to_bytes()));
        self.announced.dedup();
    }
}

/// What an address that is only announced stands for: `dns:` means the name itself, a bare name means the first address it has now.
async fn announce(address: &OwnAddress, lookup: &Lookup) -> Result<Option<NetAddr>, String> {
    match address {
        OwnAddress::At {
            address: NetAddr::Dns(host, port),
            ..
        } => {
            let found = lookup.find(host, *port).await;
            let found = found.map_err(|error| {
                format!("{error}, or announce the name itself as dns:{host}:{port}")
            })?;
            Ok(found.first().copied().map(NetAddr::from))
        }
        OwnAddress::At { address, .. } => Ok(Some(address.clone())),
        OwnAddress::Name { host, port } => Ok(Some(NetAddr::Dns(host.clone(), *port))),
        OwnAddress::Everywhere { .. } | OwnAddress::Tor(_) => Ok(None),
    }
}

/// The address by which Tor, on this machine, reaches where we listen.
fn tor_target(binding: &ConnectdBinding) -> Option<NetAddr> {
    use std::net::{Ipv4Addr, Ipv6Addr};
    match &binding.address {
        _ if binding.websocket => None,
        NetAddr::Ipv4(ip, port) if ip.is_unspecified() => {
            Some(NetAddr::Ipv4(Ipv4Addr::LOCALHOST, *port))
        }
        NetAddr::Ipv6(ip, port) if ip.is_unspecified() => {
            Some(NetAddr::Ipv6(Ipv6Addr::LOCALHOST, *port))
        }
        address @ (NetAddr::Ipv4(..) | NetAddr::Ipv6(..)) => Some(address.clone()),
        NetAddr::TorV3(..) | NetAddr::Dns(..) | NetAddr::Unix(_) => None,
    }
}
