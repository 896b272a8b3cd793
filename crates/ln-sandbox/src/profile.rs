//! Who may what.

/// The helpers, by what their name ends with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Helper {
    /// A live channel.
    Channeld,
    /// A channel being closed together.
    Closingd,
    /// Connections to peers.
    Connectd,
    /// The network graph.
    Gossipd,
    /// The secret.
    Hsmd,
    /// A channel on chain.
    Onchaind,
    /// A channel being opened.
    Openingd,
}

/// What a helper may do besides reading and writing the descriptors it has, computing, looking at the clock and ending.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum May {
    /// Wait for many descriptors at once.
    EventLoop,
    /// Change files that it was given open for writing.
    ChangeGivenFiles,
    /// Make two sockets that are connected to each other, to give one away.
    MakeSocketPairs,
    /// Start threads: the system's name lookup blocks.
    StartThreads,
    /// Connect to others over the internet, be connected to where it listens already, and look names up.
    UseNetwork,
}

/// All about one helper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Profile {
    /// Whose it is.
    pub helper: Helper,
    /// What it may.
    pub may: &'static [May],
    /// How many descriptors it has at most, where that does not depend on how many peers and channels there are.
    pub descriptors: Option<u64>,
}

/// A daemon of one channel has lightningd, the peer, hsmd, and the three standard ones, some of them twice; the rest is for the files a
/// backtrace is read from.
const FEW: Option<u64> = Some(64);

/// The table.
const PROFILES: &[(Helper, &[May], Option<u64>)] = &[
    (Helper::Channeld, &[], FEW),
    (Helper::Closingd, &[], FEW),
    (
        Helper::Connectd,
        &[
            May::EventLoop,
            May::MakeSocketPairs,
            May::StartThreads,
            May::UseNetwork,
        ],
        None,
    ),
    (
        Helper::Gossipd,
        &[May::EventLoop, May::ChangeGivenFiles],
        FEW,
    ),
    (Helper::Hsmd, &[May::MakeSocketPairs], None),
    (Helper::Onchaind, &[], FEW),
    (Helper::Openingd, &[], FEW),
];

impl Helper {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        PROFILES.iter().map(|(helper, ..)| *helper)
    }

    /// Its name without `lightning_`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Channeld => "channeld",
            Self::Closingd => "closingd",
            Self::Connectd => "connectd",
            Self::Gossipd => "gossipd",
            Self::Hsmd => "hsmd",
            Self::Onchaind => "onchaind",
            Self::Openingd => "openingd",
        }
    }

    /// What it may.
    pub fn profile(self) -> Profile {
        let line = PROFILES.iter().find(|(helper, ..)| *helper == self);
        let (helper, may, descriptors) = line.expect("every helper has a line in the table");
        Profile {
            helper: *helper,
            may,
            descriptors: *descriptors,
        }
    }
}

impl Profile {
    /// Whether it may do this.
    pub fn allows(&self, what: May) -> bool {
        self.may.contains(&what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_connectd_has_the_network_and_only_gossipd_a_file() {
        let those = |what: May| {
            Helper::all()
                .filter(|helper| helper.profile().allows(what))
                .collect::<Vec<_>>()
        };
        assert_eq!(those(May::UseNetwork), [Helper::Connectd]);
        assert_eq!(those(May::StartThreads), [Helper::Connectd]);
        assert_eq!(those(May::ChangeGivenFiles), [Helper::Gossipd]);
        assert_eq!(Helper::all().count(), 7);
        assert!(Helper::all().all(|helper| helper.profile().helper == helper));
    }
}
