//! Why an invoice can't be read or written.

/// Why a text is not an invoice we can pay. The messages are what RPC callers see.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvoiceError {
    /// Not bech32: a wrong character, mixed case, no separator, or a wrong checksum.
    #[error("Bad bech32 string")]
    Bech32,
    /// Not a Lightning invoice at all.
    #[error("Prefix '{0}' does not start with ln")]
    NotLightning(String),
    /// Of another network than the one asked for.
    #[error("Prefix {prefix} is not for {network}")]
    WrongNetwork {
        /// The prefix after `ln`.
        prefix: String,
        /// The network we are on.
        network: &'static str,
    },
    /// Of a network nobody knows.
    #[error("Unknown chain {0}")]
    UnknownNetwork(String),
    /// More than 64 bits.
    #[error("Invalid amount '{0}'")]
    Amount(String),
    /// Not a number with one of the multipliers.
    #[error("Invalid amount postfix '{0}'")]
    AmountPostfix(String),
    /// Not a whole number of millisatoshi.
    #[error("Invalid sub-millisatoshi amount '{0}p'")]
    SubMillisatoshi(String),
    /// No room for the timestamp.
    #[error("Can't get 35-bit timestamp: {0}")]
    Timestamp(&'static str),
    /// The data ends in a field's type.
    #[error("Can't get tag: {0}")]
    Tag(&'static str),
    /// The data ends in a field's length.
    #[error("Can't get length: {0}")]
    Length(&'static str),
    /// A field is longer than the data.
    #[error("{0}: truncated")]
    Truncated(char),
    /// A field's content is wrong.
    #[error("{tag}: {problem}")]
    Field {
        /// The field's type.
        tag: char,
        /// What is wrong with it.
        problem: String,
    },
    /// A field's last byte is incomplete and not all zeros.
    #[error("non-zero trailing bits")]
    TrailingBits,
    /// The payee's key is not a point.
    #[error("invalid public key {0}")]
    Payee(String),
    /// No payment hash.
    #[error("No valid 'p' field found")]
    NoPaymentHash,
    /// No payment secret.
    #[error("Missing required payment secret (s field)")]
    NoPaymentSecret,
    /// The description given does not have the invoice's hash.
    #[error("h: does not match description")]
    DescriptionMismatch,
    /// Neither description nor its hash.
    #[error("must have either 'd' or 'h' field")]
    NoDescription,
    /// Both a description and a hash.
    #[error("must not have both 'd' and 'h' fields")]
    TwoDescriptions,
    /// The data is shorter than a signature.
    #[error("can't read signature: {0}")]
    SignatureTruncated(&'static str),
    /// A recovery id past 3.
    #[error("invalid recovery ID: {0}")]
    RecoveryId(u8),
    /// Not a signature.
    #[error("signature invalid")]
    Signature,
    /// No key fits the signature.
    #[error("signature recovery failed")]
    Recovery,
    /// Not signed by the key in the `n` field, or not in canonical form.
    #[error("invalid signature")]
    NotByPayee,
}

/// Why an invoice can't be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// A field holds more than its length can say.
    #[error("the '{tag}' field would be {bytes} bytes, and at most {max} fit: use a description hash for long descriptions", max = crate::MAX_FIELD_BYTES)]
    TooLong {
        /// The field's type.
        tag: char,
        /// How long it would be.
        bytes: usize,
    },
    /// A time past 35 bits.
    #[error("timestamp {0} does not fit an invoice")]
    Timestamp(u64),
    /// An expiry past 60 bits.
    #[error("expiry of {0} seconds does not fit an invoice")]
    Expiry(u64),
    /// A script that has no address form.
    #[error("fallback script {0} has no form in an invoice")]
    Fallback(String),
    /// An extra field with a letter or a word that bech32 lacks.
    #[error("extra field '{0}' can't be written in bech32")]
    Extra(char),
}
