//! One system call in a list.

/// A system call, and when it is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Call {
    /// Its number.
    pub(crate) number: i64,
    /// What must be so.
    pub(crate) when: When,
}

/// A condition on one argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// None.
    Always,
    /// The argument of this index has none of these bits.
    Without(u8, i32),
    /// The argument of this index has all of these bits.
    With(u8, i32),
    /// The argument of this index is this number.
    Is(u8, i32),
    /// The argument of this index is the number of this process.
    IsThisProcess(u8),
}
