//! Being paid.

mod decode;
mod delinvoice;
mod dev_routes;
mod entry;
mod hints;
mod invoice;
mod listinvoices;
mod waitanyinvoice;
mod waitinvoice;
mod warnings;

pub(super) use entry::changed;
