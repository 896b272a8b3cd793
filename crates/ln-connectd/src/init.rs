//! The `init` messages of both sides.

use ln_codec::{Decode, DecodeError, Encode};
use ln_types::{FeatureBit, Features, NetAddr, Network};
use ln_wire::{Init, InitTlvs, NodeAddress, PeerMessage};

use crate::features::{self, FeatureProblem};

/// Feature bytes that still name bits by a `u16`.
const MAX_FEATURE_BYTES: usize = 8192;

/// What a peer told in its `init`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PeerInit {
    pub(crate) features: Features,
    /// Our address as it sees it.
    pub(crate) remote_addr: Option<NetAddr>,
}

/// What to do about a first message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Judgement {
    /// It is an `init` we can live with.
    Accept(PeerInit),
    /// It is of an unknown odd type: wait for the next.
    Ignore,
    /// Hang up, after saying why if `warn`.
    Refuse { reason: InitProblem, warn: bool },
}

/// Why a peer's first message ends the connection.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InitProblem {
    #[error("empty message instead of init")]
    Empty,
    #[error("message of type {0} instead of init")]
    NotInit(u16),
    #[error("bad init: {0}")]
    Malformed(DecodeError),
    #[error("No common network")]
    Chain,
    #[error("{0} bytes of features")]
    HugeFeatures(usize),
    #[error(transparent)]
    Features(FeatureProblem),
}

/// Our `init`, as bytes, for a peer whose address we see as `peer_address` (an incoming connection).
pub(crate) fn ours(
    features: &Features,
    network: Network,
    peer_address: Option<&NetAddr>,
) -> Vec<u8> {
    // BOLT 1 §The `init` Message: the sender need not set more than the old, low bits in globalfeatures.
    let global = [FeatureBit::VarOnion, FeatureBit::StaticRemotekey];
    let global = features
        .bits()
        .filter(|bit| FeatureBit::of(*bit).is_some_and(|pair| global.contains(&pair)));
    // BOLT 1 §The `init` Message: remote_addr tells an incoming IP connection how we see it, unless that is private.
    let told = peer_address.filter(|address| address.is_public(network == Network::Regtest));
    let remote_addr = told
        .and_then(NodeAddress::from_net_addr)
        .map(|address| address.to_bytes());
    let init = Init {
        globalfeatures: global.collect(),
        features: features.clone(),
        tlvs: InitTlvs {
            networks: Some(vec![network.chain_hash()]),
            remote_addr,
        },
    };
    PeerMessage::from(init).to_bytes()
}

/// Judges the first message of a peer.
pub(crate) fn judge(message: &[u8], ours: &Features, network: Network) -> Judgement {
    let refuse = |reason, warn| Judgement::Refuse { reason, warn };
    let Some(number) = PeerMessage::peek_number(message) else {
        return refuse(InitProblem::Empty, false);
    };
    // BOLT 1 §The `init` Message: init comes first. Only a type that anybody may ignore is let pass.
    if !PeerMessage::knows(number) && PeerMessage::may_ignore(number) {
        return Judgement::Ignore;
    }
    let init = match PeerMessage::from_bytes(message) {
        Ok(PeerMessage::Init(init)) => init,
        Err(error) if number == 16 => return refuse(InitProblem::Malformed(error), false),
        Ok(_) | Err(_) => return refuse(InitProblem::NotInit(number), false),
    };
    // BOLT 1 §The `init` Message: a peer that names chains and not ours may be hung up on.
    let chains = init.tlvs.networks.as_ref();
    if chains.is_some_and(|chains| !chains.contains(&network.chain_hash())) {
        return refuse(InitProblem::Chain, true);
    }
    let bytes = message.len();
    if bytes > MAX_FEATURE_BYTES {
        return refuse(InitProblem::HugeFeatures(bytes), true);
    }
    let theirs = init.all_features();
    match features::check(ours, &theirs) {
        Err(problem) => refuse(InitProblem::Features(problem), true),
        Ok(()) => Judgement::Accept(PeerInit {
            remote_addr: useful_remote_addr(&init, network),
            features: theirs,
        }),
    }
}

fn useful_remote_addr(init: &Init, network: Network) -> Option<NetAddr> {
    init.remote_address()?
        .to_net_addr()
        .filter(|address| address.is_public(network == Network::Regtest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn features(bits: &[u16]) -> Features {
        bits.iter().copied().collect()
    }

    fn judge_features(bits: &[u16]) -> Judgement {
        let message = ours(&features(bits), Network::Regtest, None);
        judge(&message, &features(&[1, 8, 12]), Network::Regtest)
    }

    #[test]
    fn our_own_init_is_accepted_and_tells_the_address() {
        let address = "8.8.8.8:9735".parse().unwrap();
        let message = ours(
            &features(&[0, 8, 12, 17, 15]),
            Network::Bitcoin,
            Some(&address),
        );
        let Ok(PeerMessage::Init(init)) = PeerMessage::from_bytes(&message) else {
            panic!("not an init")
        };
        assert_eq!(init.globalfeatures, features(&[8, 12]));
        let judged = judge(&message, &features(&[1, 8, 12]), Network::Bitcoin);
        let Judgement::Accept(init) = judged else {
            panic!("{judged:?}")
        };
        assert_eq!(init.features, features(&[0, 8, 12, 15, 17]));
        assert_eq!(init.remote_addr, Some(address));
    }

    #[test]
    fn private_addresses_are_not_told() {
        let address = "192.168.1.1:9735".parse().unwrap();
        let message = ours(&Features::new(), Network::Bitcoin, Some(&address));
        assert_eq!(message, ours(&Features::new(), Network::Bitcoin, None));
    }

    #[test]
    fn a_first_message_other_than_init_is_refused_and_unknown_odd_ones_pass() {
        let judge = |message: &[u8]| judge(message, &Features::new(), Network::Regtest);
        let refused = |reason| Judgement::Refuse {
            reason,
            warn: false,
        };
        assert_eq!(judge(&[]), refused(InitProblem::Empty));
        assert_eq!(judge(&[0]), refused(InitProblem::Empty));
        assert_eq!(
            judge(&[0, 18, 0, 1, 0, 0]),
            refused(InitProblem::NotInit(18))
        );
        assert_eq!(judge(&[0x12, 0x34]), refused(InitProblem::NotInit(0x1234)));
        assert_eq!(judge(&[0x12, 0x35]), Judgement::Ignore);
        let malformed = judge(&[0, 16, 0, 9]);
        assert!(matches!(
            malformed,
            Judgement::Refuse {
                reason: InitProblem::Malformed(_),
                warn: false
            }
        ));
    }

    #[test]
    fn another_chain_is_refused_with_a_warning() {
        let message = ours(&Features::new(), Network::Bitcoin, None);
        let refused = Judgement::Refuse {
            reason: InitProblem::Chain,
            warn: true,
        };
        assert_eq!(judge(&message, &Features::new(), Network::Regtest), refused);
    }

    #[test]
    fn features_are_checked() {
        assert!(matches!(
            judge_features(&[0, 8, 12, 101]),
            Judgement::Accept(_)
        ));
        let refused = |problem| Judgement::Refuse {
            reason: InitProblem::Features(problem),
            warn: true,
        };
        assert_eq!(
            judge_features(&[100]),
            refused(FeatureProblem::Unsupported(100))
        );
        let dependency = FeatureProblem::Dependency {
            feature: 17,
            needs: 15,
        };
        assert_eq!(judge_features(&[17]), refused(dependency));
    }

    #[test]
    fn features_beyond_any_assigned_bit_are_refused() {
        let mut message = vec![0, 16, 0, 0, 0xf0, 0];
        message.extend(vec![0xff; 0xf000]);
        let judged = judge(&message, &Features::new(), Network::Regtest);
        assert!(matches!(
            judged,
            Judgement::Refuse {
                reason: InitProblem::HugeFeatures(_),
                ..
            }
        ));
    }
}
