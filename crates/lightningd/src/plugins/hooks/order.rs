//! In which order plugins are asked.

/// What one plugin says about its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::plugins) struct Place<'a> {
    /// The name of its file.
    pub(in crate::plugins) name: &'a str,
    /// Those that come after it.
    pub(in crate::plugins) before: &'a [String],
    /// Those that come before it.
    pub(in crate::plugins) after: &'a [String],
}

impl Place<'_> {
    /// Whether this plugin must be asked before the other. Names that nobody has mean nothing.
    fn precedes(&self, other: &Self) -> bool {
        self.before.iter().any(|name| name == other.name)
            || other.after.iter().any(|name| name == self.name)
    }
}

/// The order, as indexes: that of registration, changed as little as the wishes demand. Nothing if they contradict each other.
pub(in crate::plugins) fn order(places: &[Place<'_>]) -> Option<Vec<usize>> {
    let mut left: Vec<(usize, &Place<'_>)> = places.iter().enumerate().collect();
    let mut order = Vec::new();
    while !left.is_empty() {
        let free = left.iter().position(|(index, place)| {
            left.iter()
                .all(|(other, earlier)| other == index || !earlier.precedes(place))
        })?;
        order.push(left.remove(free).0);
    }
    Some(order)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(list: &[&str]) -> Vec<String> {
        list.iter().map(|name| (*name).to_owned()).collect()
    }

    fn ordered(wishes: &[(&str, &[&str], &[&str])]) -> Option<Vec<String>> {
        let owned: Vec<_> = wishes
            .iter()
            .map(|(name, before, after)| (*name, names(before), names(after)))
            .collect();
        let places: Vec<_> = owned
            .iter()
            .map(|(name, before, after)| Place {
                name,
                before,
                after,
            })
            .collect();
        let order = order(&places)?;
        let name = |index: usize| places.get(index).map(|place| place.name.to_owned());
        Some(order.into_iter().filter_map(name).collect())
    }

    #[test]
    fn without_wishes_the_first_to_come_is_the_first_to_be_asked() {
        let none: &[&str] = &[];
        let all = ordered(&[
            ("a", none, none),
            ("b", &["nobody"], none),
            ("c", none, none),
        ]);
        assert_eq!(all, Some(names(&["a", "b", "c"])));
    }

    #[test]
    fn before_and_after_are_heeded() {
        let all = ordered(&[("a", &[], &["c"]), ("b", &[], &[]), ("c", &["b"], &[])]);
        assert_eq!(all, Some(names(&["c", "a", "b"])));
    }

    #[test]
    fn wishes_in_a_circle_can_not_be_met() {
        assert_eq!(ordered(&[("a", &["b"], &[]), ("b", &["a"], &[])]), None);
        assert_eq!(
            ordered(&[("a", &["b"], &[]), ("b", &["c"], &[]), ("c", &["a"], &[])]),
            None
        );
    }
}
