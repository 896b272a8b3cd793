//! One definition for a set of numbered messages.

/// Declares an enum of numbered messages: a `u16` type, then the body.
///
/// ```
/// use ln_codec::{Decode, Encode, messages};
/// /// One.
/// #[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
/// pub struct Hello { /// A number.
///     pub value: u32 }
/// messages! {
///     /// What may be said.
///     pub enum Spoken { 7 => Hello(Hello), }
/// }
/// assert_eq!(Spoken::from(Hello { value: 1 }).to_bytes(), [0, 7, 0, 0, 0, 1]);
/// ```
#[macro_export]
macro_rules! messages {
    ($(#[$meta:meta])* $vis:vis enum $name:ident { $($(#[$vmeta:meta])* $number:literal => $variant:ident($body:ty)),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[allow(missing_docs, clippy::large_enum_variant, reason = "each variant is documented at its body")]
        $vis enum $name { $($(#[$vmeta])* $variant($body)),* }

        impl $name {
            /// The message's number on the wire.
            pub fn number(&self) -> u16 {
                match self { $(Self::$variant(_) => $number),* }
            }

            /// The message's name, as the log shows it.
            pub fn name(&self) -> &'static str {
                match self { $(Self::$variant(_) => stringify!($variant)),* }
            }

            /// Whether a message of this number belongs to the set.
            pub fn knows(number: u16) -> bool {
                matches!(number, $($number)|*)
            }
        }

        impl $crate::Encode for $name {
            fn encode(&self, out: &mut Vec<u8>) {
                $crate::Encode::encode(&self.number(), out);
                match self { $(Self::$variant(body) => $crate::Encode::encode(body, out)),* }
            }
        }

        impl $crate::Decode for $name {
            fn decode(reader: &mut $crate::Reader<'_>) -> Result<Self, $crate::DecodeError> {
                match <u16 as $crate::Decode>::decode(reader)? {
                    $($number => Ok(Self::$variant($crate::Decode::decode(reader)?)),)*
                    number => Err($crate::DecodeError::UnknownTag { what: stringify!($name), tag: u64::from(number) }),
                }
            }
        }

        $(impl From<$body> for $name {
            fn from(body: $body) -> Self { Self::$variant(body) }
        })*
    };
}
