//! Methods about what moved in the node's accounts.

mod listchainmoves;
mod listchannelmoves;

use ln_db::Page;
use ln_rpc::RpcError;
use ln_rpc::methods::invoices::listinvoices::ListIndex;

use crate::rpc::paging::page;

/// The part of a list that is asked for. What moved is never changed.
fn page_of_moves(
    list: &str,
    index: Option<ListIndex>,
    start: Option<u64>,
    limit: Option<u32>,
) -> Result<Page, RpcError> {
    if index == Some(ListIndex::Updated) {
        let text = format!("index must be 'created', since {list} are never updated");
        return Err(RpcError::invalid_params(text));
    }
    page(index, start, limit)
}
