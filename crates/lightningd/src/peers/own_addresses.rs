//! Where we are reached, and what of it others are told.

use std::cell::{Cell, RefCell};
use std::net::{Ipv4Addr, Ipv6Addr};

use ln_ipc::connectd::ConnectdBinding;
use ln_types::NetAddr;

use crate::options::{Discovery, Networking};

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct OwnAddresses {
    bindings: RefCell<Vec<ConnectdBinding>>,
    announced: RefCell<Vec<NetAddr>>,
    /// Where peers see us.
    pub(super) seen_v4: Cell<Option<Ipv4Addr>>,
    /// See [`Self::seen_v4`].
    pub(super) seen_v6: Cell<Option<Ipv6Addr>>,
    last_announcement: Cell<u32>,
}

impl OwnAddresses {
    /// connectd has them all.
    pub(super) fn settled(&self, bindings: Vec<ConnectdBinding>, announced: Vec<NetAddr>) {
        self.bindings.replace(bindings);
        self.announced.replace(announced);
    }

    /// Where we listen.
    pub(crate) fn bindings(&self) -> Vec<ConnectdBinding> {
        self.bindings.borrow().clone()
    }

    /// What others are told, in the order of `node_announcement`: what the operator said, and where peers see us if that is wanted.
    pub(crate) fn announced(&self, net: &Networking) -> Vec<NetAddr> {
        let mut all = self.announced.borrow().clone();
        let wanted = match net.discovery {
            Discovery::On => true,
            Discovery::Off => false,
            Discovery::Auto => all.is_empty(),
        };
        if !wanted {
            return all;
        }
        let port = net.discovered_port;
        let v6 = self.seen_v6.get().map(|ip| NetAddr::Ipv6(ip, port));
        let v4 = self.seen_v4.get().map(|ip| NetAddr::Ipv4(ip, port));
        for seen in [v4, v6].into_iter().flatten() {
            if !all.contains(&seen) {
                all.push(seen);
            }
        }
        // BOLT 7 §The `node_announcement` Message: address descriptors are in ascending order.
        all.sort_by_key(place_in_order);
        all
    }

    /// The time to write on an announcement: later than that of the last one, or nobody would take it.
    pub(crate) fn announcement_time(&self, now: u64) -> u32 {
        let now = u32::try_from(now).unwrap_or(u32::MAX);
        let time = now.max(self.last_announcement.get().saturating_add(1));
        self.last_announcement.set(time);
        time
    }
}

/// The type's number and the address's bytes.
fn place_in_order(address: &NetAddr) -> (u8, Vec<u8>, Option<u16>) {
    let (kind, bytes) = match address {
        NetAddr::Ipv4(ip, _) => (1, ip.octets().to_vec()),
        NetAddr::Ipv6(ip, _) => (2, ip.octets().to_vec()),
        NetAddr::TorV3(host, _) => (4, host.as_bytes().to_vec()),
        NetAddr::Dns(host, _) => (5, host.as_bytes().to_vec()),
        NetAddr::Unix(path) => (6, path.as_bytes().to_vec()),
    };
    (kind, bytes, address.port())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Settings;
    use ln_types::Network;

    fn net(argument: &str) -> Networking {
        let settings = Settings::command_line(&[argument.into()]).unwrap();
        Networking::new(&settings, Network::Bitcoin).unwrap()
    }

    fn announced(own: &OwnAddresses, argument: &str) -> Vec<String> {
        let all = own.announced(&net(argument));
        all.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn where_peers_see_us_is_announced_if_wanted() {
        let own = OwnAddresses::default();
        own.seen_v4.set(Some([8, 8, 8, 8].into()));
        let (auto, on, off) = (
            "--announce-addr-discovered=auto",
            "--announce-addr-discovered=on",
            "--announce-addr-discovered=off",
        );
        assert_eq!(announced(&own, auto), ["8.8.8.8:9735"]);
        assert_eq!(announced(&own, off), Vec::<String>::new());
        let port = "--announce-addr-discovered-port=7";
        assert_eq!(announced(&own, port), ["8.8.8.8:7"]);
        own.settled(
            Vec::new(),
            vec![
                "9.9.9.9:1".parse().unwrap(),
                "a.example.com:2".parse().unwrap(),
            ],
        );
        assert_eq!(announced(&own, auto), ["9.9.9.9:1", "a.example.com:2"]);
        own.seen_v6.set(Some("2606:4700::1111".parse().unwrap()));
        let all = [
            "8.8.8.8:9735",
            "9.9.9.9:1",
            "[2606:4700::1111]:9735",
            "a.example.com:2",
        ];
        assert_eq!(announced(&own, on), all);
        // What we know ourselves is not said twice.
        own.settled(Vec::new(), vec!["8.8.8.8:9735".parse().unwrap()]);
        assert_eq!(
            announced(&own, on),
            ["8.8.8.8:9735", "[2606:4700::1111]:9735"]
        );
    }

    #[test]
    fn each_announcement_is_later_than_the_last() {
        let own = OwnAddresses::default();
        let times = [100, 100, 99, 200].map(|now| own.announcement_time(now));
        assert_eq!(times, [100, 101, 102, 200]);
    }
}
