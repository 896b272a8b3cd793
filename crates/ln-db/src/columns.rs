//! Values in and out of columns.

use ln_codec::{Decode, Encode};
use rusqlite::Row;

use crate::DbError;

/// An integer column holds 63 bits; what the node counts stays below that.
pub(crate) fn to_i64(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// An optional integer for a column.
pub(crate) fn opt_i64(value: Option<u64>) -> Option<i64> {
    value.map(to_i64)
}

/// A count or amount out of a column.
pub(crate) fn get_u64(
    row: &Row<'_>,
    table: &'static str,
    column: &'static str,
    index: usize,
) -> Result<u64, DbError> {
    let value: Option<i64> = row.get(index)?;
    u64::try_from(value.unwrap_or(0)).map_err(|_| DbError::Corrupt { table, column })
}

/// An optional count or amount out of a column.
pub(crate) fn get_opt_u64(
    row: &Row<'_>,
    table: &'static str,
    column: &'static str,
    index: usize,
) -> Result<Option<u64>, DbError> {
    let value: Option<i64> = row.get(index)?;
    value
        .map(|value| u64::try_from(value).map_err(|_| DbError::Corrupt { table, column }))
        .transpose()
}

/// A small count out of a column.
pub(crate) fn get_u32(
    row: &Row<'_>,
    table: &'static str,
    column: &'static str,
    index: usize,
) -> Result<u32, DbError> {
    u32::try_from(get_u64(row, table, column, index)?)
        .map_err(|_| DbError::Corrupt { table, column })
}

/// An optional small count out of a column.
pub(crate) fn get_opt_u32(
    row: &Row<'_>,
    table: &'static str,
    column: &'static str,
    index: usize,
) -> Result<Option<u32>, DbError> {
    let value = get_opt_u64(row, table, column, index)?;
    value
        .map(|value| u32::try_from(value).map_err(|_| DbError::Corrupt { table, column }))
        .transpose()
}

/// A value with a wire form out of a blob column.
pub(crate) fn get_wire<T: Decode>(
    row: &Row<'_>,
    table: &'static str,
    column: &'static str,
    index: usize,
) -> Result<T, DbError> {
    let bytes: Vec<u8> = row.get(index)?;
    T::from_bytes(&bytes).map_err(|_| DbError::Corrupt { table, column })
}

/// An optional value with a wire form out of a blob column.
pub(crate) fn get_opt_wire<T: Decode>(
    row: &Row<'_>,
    table: &'static str,
    column: &'static str,
    index: usize,
) -> Result<Option<T>, DbError> {
    let bytes: Option<Vec<u8>> = row.get(index)?;
    bytes
        .map(|bytes| T::from_bytes(&bytes).map_err(|_| DbError::Corrupt { table, column }))
        .transpose()
}

/// A value's wire form for a blob column.
pub(crate) fn wire(value: &impl Encode) -> Vec<u8> {
    value.to_bytes()
}

/// An optional value's wire form for a blob column.
pub(crate) fn opt_wire<T: Encode>(value: Option<&T>) -> Option<Vec<u8>> {
    value.map(Encode::to_bytes)
}
