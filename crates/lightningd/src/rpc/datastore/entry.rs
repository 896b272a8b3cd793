//! Keys and values in replies.

use ln_db::{DatastoreRow, DbError};
use ln_rpc::methods::datastore::datastore::{DatastoreEntry, DatastoreKey};
use ln_rpc::params::Hex;
use ln_rpc::{RpcError, RpcErrorCode};

use crate::rpc::internal;

/// A value in a reply.
pub(super) fn entry(row: DatastoreRow) -> DatastoreEntry {
    DatastoreEntry {
        key: row.key,
        generation: Some(row.generation),
        string: String::from_utf8(row.data.clone()).ok(),
        hex: Some(Hex(row.data)),
    }
}

/// A key that has children, which are not shown.
pub(super) fn parent(key: Vec<String>) -> DatastoreEntry {
    DatastoreEntry {
        key,
        generation: None,
        hex: None,
        string: None,
    }
}

/// The parts of a key. A zero byte separates them in the database, so none may have one.
pub(super) fn parts(key: DatastoreKey) -> Result<Vec<String>, RpcError> {
    if key.0.iter().any(|part| part.contains('\0')) {
        return Err(RpcError::invalid_params(
            "key: no part may contain a zero byte",
        ));
    }
    Ok(key.0)
}

/// The parts of a key that need not be given: none mean everything.
pub(super) fn optional_parts(key: Option<DatastoreKey>) -> Result<Vec<String>, RpcError> {
    key.map_or_else(|| Ok(Vec::new()), parts)
}

/// A key as messages show it.
pub(super) fn text(key: &[String]) -> String {
    format!("[{}]", key.join(","))
}

/// Why a write was refused: nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    code: RpcErrorCode,
    text: String,
}

impl Refusal {
    pub(super) fn new(code: RpcErrorCode, text: impl Into<String>) -> Self {
        Self {
            code,
            text: text.into(),
        }
    }
}

/// The reply to a write.
pub(super) fn reply(
    written: Result<Result<DatastoreRow, Refusal>, DbError>,
) -> Result<DatastoreEntry, RpcError> {
    match written.map_err(internal)? {
        Ok(row) => Ok(entry(row)),
        Err(refusal) => Err(RpcError::new(refusal.code, refusal.text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_text_is_shown_as_text() {
        let row = |data: &[u8]| DatastoreRow {
            key: vec!["a".to_owned()],
            data: data.to_vec(),
            generation: 2,
        };
        assert_eq!(entry(row(b"hi")).string.as_deref(), Some("hi"));
        assert_eq!(entry(row(&[0xff])).string, None);
        assert!(parts(DatastoreKey(vec!["a\0b".to_owned()])).is_err());
        assert_eq!(text(&["a".to_owned(), "b".to_owned()]), "[a,b]");
    }
}
