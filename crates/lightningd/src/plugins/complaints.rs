//! How often the log tells of the same fault of a plugin.

use std::cell::Cell;

/// What a plugin does wrong without ending by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// It answers what nobody asked it.
    Unasked,
    /// It asks for something on its standard output.
    Request,
    /// It sends a notification that can't be read or that it did not declare.
    Notification,
    /// It answers a hook with what can't be understood, or not in time.
    Hook,
    /// It calls what it may not.
    Permission,
}

/// How many times each fault is told before only every tenth power is.
const TOLD: u64 = 10;

/// The faults of one plugin so far.
#[derive(Debug, Default)]
pub(crate) struct Complaints([Cell<u64>; 5]);

impl Complaints {
    /// Counts a fault. `Some` says that it is to be told, with what is to stand behind it.
    pub(super) fn count(&self, fault: Fault) -> Option<String> {
        let index = match fault {
            Fault::Unasked => 0,
            Fault::Request => 1,
            Fault::Notification => 2,
            Fault::Hook => 3,
            Fault::Permission => 4,
        };
        let counter = self.0.get(index)?;
        let count = counter.get().saturating_add(1);
        counter.set(count);
        let power = count
            .checked_ilog10()
            .is_some_and(|log| 10_u64.pow(log) == count);
        match count {
            TOLD => Some(format!(
                " ({count} times by now: from here on only at 100, 1000, ...)"
            )),
            _ if count < TOLD => Some(String::new()),
            _ => power.then(|| format!(" ({count} times by now)")),
        }
    }

    /// How many faults there were.
    pub(crate) fn total(&self) -> u64 {
        self.0.iter().map(Cell::get).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_million_faults_are_a_few_lines() {
        let complaints = Complaints::default();
        let told = (0..1_000_000).filter(|_| complaints.count(Fault::Unasked).is_some());
        assert_eq!(told.count(), 15);
        assert_eq!(complaints.count(Fault::Hook), Some(String::new()));
        assert_eq!(complaints.total(), 1_000_001);
    }
}
