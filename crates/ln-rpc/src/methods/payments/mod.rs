//! Paying.

pub mod delpay;
pub mod listpays;
pub mod listsendpays;
pub mod pay;
pub mod preapproveinvoice;
pub mod sendpay;
pub mod waitsendpay;
