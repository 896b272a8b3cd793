//! The features we offer, and where.

use std::cell::OnceCell;
use std::ops::Deref;
use std::str::FromStr;

use ln_plugin::protocol::FeatureBits;
use ln_types::{FeatureBit, Features};

/// What we offer in `init`, in `node_announcement`, in `channel_announcement` and in invoices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OurFeatures {
    pub(crate) init: Features,
    pub(crate) node: Features,
    pub(crate) channel: Features,
    pub(crate) invoice: Features,
}

impl OurFeatures {
    /// Takes the bits of a plugin out again.
    fn withdraw(&mut self, bits: &FeatureBits) {
        let places = [
            (&mut self.init, &bits.init),
            (&mut self.node, &bits.node),
            (&mut self.channel, &bits.channel),
            (&mut self.invoice, &bits.invoice),
        ];
        for (ours, theirs) in places {
            for bit in theirs.bits() {
                ours.clear(bit);
            }
        }
    }
}

/// What we offer: while the node starts with the bits of all plugins, afterwards without those of plugins that do not work after all.
#[derive(Debug)]
pub(crate) struct Offer {
    declared: OurFeatures,
    kept: OnceCell<OurFeatures>,
}

impl Offer {
    /// What is offered if all plugins work.
    pub(crate) fn new(declared: OurFeatures) -> Self {
        Self {
            declared,
            kept: OnceCell::new(),
        }
    }

    /// All plugins have started, but for those with these bits. No peer has heard of our features yet.
    pub(crate) fn settle(&self, withdrawn: &[FeatureBits]) {
        let mut kept = self.declared.clone();
        for bits in withdrawn {
            kept.withdraw(bits);
        }
        drop(self.kept.set(kept));
    }
}

impl Deref for Offer {
    type Target = OurFeatures;

    fn deref(&self) -> &OurFeatures {
        self.kept.get().unwrap_or(&self.declared)
    }
}

/// One `dev-force-features`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ForceFeatures {
    /// `+N`: offer this bit, too.
    Add(u16),
    /// `-N`: do not offer this feature.
    Remove(u16),
    /// The sets themselves: init, node, channel, invoice.
    Sets(Box<[Features; 4]>),
}

/// The sets of Core Lightning's option: init, globalinit, `node_announce`, channel, bolt11 and three of BOLT 12, each ended by a slash.
const SETS: usize = 8;

impl FromStr for ForceFeatures {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bit = |text: &str| {
            let wrong = |_| format!("'{text}' is no feature bit");
            text.parse::<u16>().map_err(wrong)
        };
        if let Some(number) = text.strip_prefix('+') {
            return bit(number).map(Self::Add);
        }
        if let Some(number) = text.strip_prefix('-') {
            return bit(number).map(Self::Remove);
        }
        let mut sets = Vec::new();
        for set in text.split('/') {
            let bits = set.split(',').filter(|bit| !bit.is_empty());
            sets.push(bits.map(bit).collect::<Result<Features, _>>()?);
        }
        match sets.as_slice() {
            [init, _, node, channel, invoice, ..] if sets.len() == SETS + 1 => {
                let sets = [init, node, channel, invoice].map(Clone::clone);
                Ok(Self::Sets(Box::new(sets)))
            }
            _ => Err("expected 8 feature sets (init/globalinit/node_announce/channel/bolt11/b12offer/b12invreq/b12inv), \
                      each terminated by /, or +/-<single_bit_num>"
                .to_owned()),
        }
    }
}

impl OurFeatures {
    /// What this node can do.
    pub(crate) fn new() -> Self {
        use FeatureBit as F;
        let even = [
            F::DataLossProtect,
            F::VarOnion,
            F::StaticRemotekey,
            F::PaymentSecret,
            F::ChannelType,
        ];
        let odd = [
            F::UpfrontShutdownScript,
            F::GossipQueries,
            F::BasicMpp,
            F::Wumbo,
            F::Anchors,
            F::ShutdownAnysegwit,
            F::ScidAlias,
        ];
        let init: Features = even
            .iter()
            .map(|f| f.even())
            .chain(odd.iter().map(|f| f.odd()))
            .collect();
        let invoice: Features = [
            F::VarOnion.even(),
            F::PaymentSecret.even(),
            F::BasicMpp.odd(),
        ]
        .into_iter()
        .collect();
        Self {
            node: init.clone(),
            init,
            channel: Features::new(),
            invoice,
        }
    }

    /// What a developer wants us to pretend.
    pub(crate) fn forced(mut self, forces: &[ForceFeatures]) -> Self {
        for force in forces {
            match force {
                ForceFeatures::Add(bit) => {
                    self.init.set(*bit);
                    self.node.set(*bit);
                }
                ForceFeatures::Remove(bit) => {
                    for set in [&mut self.init, &mut self.node, &mut self.invoice] {
                        set.clear(bit & !1);
                        set.clear(bit | 1);
                    }
                }
                ForceFeatures::Sets(sets) => {
                    let [init, node, channel, invoice] = (**sets).clone();
                    self = Self {
                        init,
                        node,
                        channel,
                        invoice,
                    };
                }
            }
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_feature_is_added_or_taken_away() {
        let forces = ["+101", "-27", "-17"].map(|text| text.parse().unwrap());
        let forced = OurFeatures::new().forced(&forces);
        assert!(forced.init.has_bit(101) && forced.node.has_bit(101));
        assert!(!forced.init.supports(FeatureBit::ShutdownAnysegwit));
        assert!(!forced.invoice.supports(FeatureBit::BasicMpp));
        assert!(forced.init.supports(FeatureBit::Anchors));
    }

    #[test]
    fn the_bits_of_a_plugin_are_taken_out_again() {
        let bits = FeatureBits {
            node: [201].into_iter().collect(),
            invoice: [203].into_iter().collect(),
            ..FeatureBits::default()
        };
        let mut declared = OurFeatures::new();
        declared.node.set(201);
        declared.init.set(201);
        declared.invoice.set(203);
        let offer = Offer::new(declared);
        assert!(offer.node.has_bit(201));
        offer.settle(&[bits]);
        assert!(!offer.node.has_bit(201) && !offer.invoice.has_bit(203));
        assert!(offer.init.has_bit(201));
    }

    #[test]
    fn all_sets_are_replaced() {
        let force: ForceFeatures = "0,9//1/2/3////".parse().unwrap();
        let forced = OurFeatures::new().forced(&[force]);
        let bits = |set: &Features| set.bits().collect::<Vec<_>>();
        assert_eq!(bits(&forced.init), [0, 9]);
        assert_eq!(bits(&forced.node), [1]);
        assert_eq!(bits(&forced.channel), [2]);
        assert_eq!(bits(&forced.invoice), [3]);
    }

    #[test]
    fn nonsense_is_refused() {
        for text in [
            "",
            "7",
            "+",
            "-x",
            "1/2",
            "+70000",
            "a////////",
            "/////////",
        ] {
            assert!(text.parse::<ForceFeatures>().is_err(), "{text}");
        }
    }
}
