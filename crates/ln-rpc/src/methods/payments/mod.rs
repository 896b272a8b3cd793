//! Paying.

pub mod delforward;
pub mod delpay;
pub mod listforwards;
pub mod listpays;
pub mod listsendpays;
pub mod pay;
pub mod preapproveinvoice;
pub mod sendpay;
pub mod waitsendpay;
pub mod xpay;
