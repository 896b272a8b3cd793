//! Why bytes could not be read.

/// Why bytes could not be read as the expected value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The bytes end inside a value.
    #[error("truncated: {wanted} more bytes wanted, {left} left")]
    Truncated {
        /// How many bytes the value still wanted.
        wanted: usize,
        /// How many there were.
        left: usize,
    },
    /// Bytes are left after the value.
    #[error("{left} bytes left over after the value")]
    TrailingBytes {
        /// How many.
        left: usize,
    },
    /// A BigSize or truncated integer was not in its shortest form.
    #[error("integer not in its shortest form")]
    NotMinimal,
    /// TLV records were out of order or repeated.
    #[error("tlv type {number} after type {previous}: records must ascend")]
    TlvOrder {
        /// The offending record's type.
        number: u64,
        /// The type before it.
        previous: u64,
    },
    /// A TLV record of an even type we do not know.
    #[error("unknown even tlv type {number}")]
    UnknownEvenTlv {
        /// The record's type.
        number: u64,
    },
    /// An enum tag or message number nobody defined.
    #[error("{what}: unknown tag {tag}")]
    UnknownTag {
        /// The type being read.
        what: &'static str,
        /// The tag found.
        tag: u64,
    },
    /// A value of the right size that is not allowed.
    #[error("invalid {what}")]
    Invalid {
        /// What was being read.
        what: &'static str,
    },
}
