//! Methods that pay: by route, by invoice, and the lists of what was paid.

mod delforward;
mod delpay;
mod entry;
mod errors;
mod listforwards;
mod listpays;
mod listsendpays;
mod pay;
mod preapproveinvoice;
mod sendpay;
mod waitsendpay;
mod xpay;

pub(crate) use entry::response as shown_payment;
pub(crate) use errors::failed as payment_error;
pub(crate) use listforwards::{shown_forward, shown_forward_status};
pub(crate) use pay::{Own, unwanted};

use crate::node::Node;

/// The height from which delays count. One more than the chain's, so that a block found meanwhile does no harm.
fn first_expiry_base(node: &Node) -> u32 {
    let height = node.chain.height().0;
    height
        .max(node.chain.backend_height.get())
        .saturating_add(1)
}
