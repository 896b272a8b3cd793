//! On machines whose system calls nobody has listed: nothing is filtered.

use crate::call::Call;
use crate::profile::May;

/// None is known.
pub(crate) const FATAL: &[Call] = &[];

/// None is known.
pub(crate) fn allowed(_may: &[May], _opens: bool) -> impl Iterator<Item = Call> {
    std::iter::empty()
}
