//! Derive macros for `ln-codec`: `Encode`, `Decode` and `Tlv`.
//!
//! - `Encode`/`Decode` on a struct writes and reads its fields in order. A field attribute picks another form:
//!   `#[codec(bigsize)]` (BOLT 1 BigSize), `#[codec(rest)]` (a `Vec` until the end of the message).
//!   `#[codec(extensible)]` on the struct reads what follows the fields as a TLV stream of which no type is known.
//! - on an enum they write a `u8` tag, the variant's position or `#[codec(tag = N)]`, then the variant's fields.
//! - `Tlv` on a struct of `Option` fields reads and writes a BOLT 1 TLV stream: `#[tlv(N)]`, `#[tlv(N, tu)]` (truncated integer),
//!   `#[tlv(N, rest)]` (a `Vec` filling the record), `#[tlv(N, fill)]` (a value of type `Fill`, which has no length of its own there),
//!   `#[tlv(N, flag)]` (a `bool` field: present or not, no value); `#[tlv(unknown)]` keeps records of unknown odd types.
//!
//! Invariants: generates calls into `ln-codec` only; no logic of any message lives here.

mod fields;
mod tlv;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Derives `ln_codec::Encode`.
#[proc_macro_derive(Encode, attributes(codec))]
pub fn derive_encode(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    fields::encode(&input)
        .unwrap_or_else(|error| error.to_compile_error())
        .into()
}

/// Derives `ln_codec::Decode`.
#[proc_macro_derive(Decode, attributes(codec))]
pub fn derive_decode(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    fields::decode(&input)
        .unwrap_or_else(|error| error.to_compile_error())
        .into()
}

/// Derives `Encode` and `Decode` for a TLV stream.
#[proc_macro_derive(Tlv, attributes(tlv))]
pub fn derive_tlv(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    tlv::derive(&input)
        .unwrap_or_else(|error| error.to_compile_error())
        .into()
}
