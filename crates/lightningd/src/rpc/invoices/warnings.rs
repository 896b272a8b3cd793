//! Telling the maker of an invoice why its payment may not arrive.

use ln_types::Msat;

/// What can come in, by what stands in its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Capacities {
    /// Nothing.
    pub(super) available: Msat,
    /// The peer is offline.
    pub(super) offline: Msat,
    /// Nobody can reach the peer.
    pub(super) deadend: Msat,
    /// The channel is private and was not to be told.
    pub(super) private: Msat,
}

/// The warnings, each with its text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Warnings {
    pub(super) capacity: Option<String>,
    pub(super) offline: Option<String>,
    pub(super) deadends: Option<String>,
    pub(super) private_unused: Option<String>,
}

/// What to warn of when `needed` is to come in. Of what would have helped, only the first thing is told.
pub(super) fn warnings(needed: Msat, capacities: &Capacities) -> Warnings {
    let with_offline = capacities.available.saturating_add(capacities.offline);
    let with_deadends = with_offline.saturating_add(capacities.deadend);
    let all = with_deadends.saturating_add(capacities.private);
    let mut warnings = Warnings::default();
    if needed >= all {
        let text = "Insufficient incoming channel capacity to pay invoice";
        warnings.capacity = Some(text.to_owned());
    }
    if needed <= capacities.available {
        return warnings;
    }
    let excluded = |what: &str| {
        Some(format!(
            "Insufficient incoming capacity, once {what} were excluded"
        ))
    };
    if needed <= with_offline {
        warnings.offline = excluded("offline peers");
    } else if needed <= with_deadends {
        warnings.deadends = excluded("dead-end peers");
    } else if needed <= all {
        let text = excluded("private channels");
        warnings.private_unused = text.map(|text| text + " (try exposeprivatechannels=true?)");
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_obstacle_is_told() {
        let capacities = Capacities {
            available: Msat::from_msat(10),
            offline: Msat::from_msat(10),
            deadend: Msat::from_msat(10),
            private: Msat::from_msat(10),
        };
        let warn = |needed| {
            let found = warnings(Msat::from_msat(needed), &capacities);
            [
                found.capacity,
                found.offline,
                found.deadends,
                found.private_unused,
            ]
            .map(|warning| warning.is_some())
        };
        assert_eq!(warn(10), [false; 4]);
        assert_eq!(warn(20), [false, true, false, false]);
        assert_eq!(warn(30), [false, false, true, false]);
        assert_eq!(warn(39), [false, false, false, true]);
        assert_eq!(warn(40), [true, false, false, true]);
        assert_eq!(warn(41), [true, false, false, false]);
    }
}
