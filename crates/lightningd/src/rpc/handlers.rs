//! The methods this node has, by name.

use ln_rpc::methods::control::{check::Check, getinfo::Getinfo, help::Help, stop::Stop};

use super::dispatch::Entry;

/// The methods this node has, by name.
pub(super) const HANDLERS: &[Entry] = &[
    Entry::of::<Check>(),
    Entry::of::<Getinfo>(),
    Entry::of::<Help>(),
    Entry::of::<Stop>(),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_by_name() {
        assert!(HANDLERS.is_sorted_by(|a, b| a.info.name < b.info.name));
    }
}
