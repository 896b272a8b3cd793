//! Being paid.

pub mod decode;
pub mod delinvoice;
pub mod invoice;
pub mod listinvoices;
pub mod waitanyinvoice;
pub mod waitinvoice;
