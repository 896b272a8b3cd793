//! What somebody may have meant.

/// How many letters may be wrong.
const MAX_WRONG: usize = 3;

/// The known name that is least different, if any is close.
pub(crate) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|known| (distance(name, known), known))
        .min()
        .filter(|(far, _)| *far <= MAX_WRONG)
        .map(|(_, known)| known)
}

/// How many letters must be put in, taken out or changed.
fn distance(name: &str, known: &str) -> usize {
    let mut row: Vec<usize> = (0..=known.len()).collect();
    for (i, a) in name.bytes().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (cell, b) in row.iter_mut().skip(1).zip(known.bytes()) {
            let here = (*cell + 1)
                .min(left + 1)
                .min(diagonal + usize::from(a != b));
            diagonal = std::mem::replace(cell, here);
            left = here;
        }
    }
    row.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_close_is_meant() {
        let known = ["alias", "addr", "bind-addr"];
        assert_eq!(nearest("aliass", known.into_iter()), Some("alias"));
        assert_eq!(nearest("nothing-like-it", known.into_iter()), None);
    }
}
