//! BOLT 11 invoices: text in, fields out, and back.
//!
//! Covers BOLT 11. Why not the `lightning-invoice` crate: it checks the signature over its own re-encoding, so that a
//! validly signed invoice with an unusual encoding gives a wrong payee, and it limits the length; here the words as they came are hashed,
//! and fields nobody defined are kept. It serves as an oracle in the tests.
//!
//! To write an invoice: fill an [`Invoice`], turn it into an [`UnsignedInvoice`], have the key holder sign that, `finish` it.
//! To read one: [`decode`]. Error texts are those Core Lightning's users know.
//!
//! Invariants: no secret key, no clock (whether an invoice has expired is the caller's question), no socket.
#![warn(clippy::arithmetic_side_effects)]

mod amount;
mod decode;
mod encode;
mod error;
mod fallback;
mod fields;
pub mod fuzz;
mod invoice;
mod text;
mod words;

pub use decode::{Expectations, SignedInvoice, decode, decode_unsigned};
pub use encode::{UnsignedInvoice, invoice_hash};
pub use error::{EncodeError, InvoiceError};
pub use invoice::{
    DEFAULT_EXPIRY, DEFAULT_MIN_FINAL_CLTV_EXPIRY, Description, ExtraField, Invoice,
    MAX_FIELD_BYTES, RouteHint,
};
pub use text::canonical;
