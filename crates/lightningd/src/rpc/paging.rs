//! A part of a list: `index`, `start` and `limit`.

use ln_db::{Page, PageIndex};
use ln_rpc::RpcError;
use ln_rpc::methods::invoices::listinvoices::ListIndex;

/// The part that is asked for. `start` and `limit` mean nothing without an `index`.
pub(super) fn page(
    index: Option<ListIndex>,
    start: Option<u64>,
    limit: Option<u32>,
) -> Result<Page, RpcError> {
    let start = start.unwrap_or(0);
    let index = match index {
        Some(ListIndex::Created) => PageIndex::Created,
        Some(ListIndex::Updated) => PageIndex::Updated,
        None if start != 0 => {
            let text = "Can only specify {start} with {index}";
            return Err(RpcError::invalid_params(text));
        }
        None if limit.is_some() => {
            let text = "Can only specify {limit} with {index}";
            return Err(RpcError::invalid_params(text));
        }
        None => PageIndex::Created,
    };
    Ok(Page {
        index,
        start,
        limit: limit.unwrap_or(u32::MAX),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn start_and_limit_need_an_index() {
        assert_eq!(page(None, None, None), Ok(Page::default()));
        assert_eq!(page(None, Some(0), None), Ok(Page::default()));
        assert!(page(None, Some(1), None).is_err());
        assert!(page(None, None, Some(1)).is_err());
        let part = page(Some(ListIndex::Updated), Some(3), Some(2)).unwrap();
        assert_eq!(
            (part.index, part.start, part.limit),
            (PageIndex::Updated, 3, 2)
        );
    }
}
