//! Times as text.

use time::OffsetDateTime;
use time::macros::format_description;

/// A time in Unix seconds as `2026-01-02T03:04:05Z`.
pub fn utc(seconds: u64) -> String {
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
    i64::try_from(seconds)
        .ok()
        .and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok())
        .and_then(|time| time.format(&format).ok())
        .unwrap_or_else(|| seconds.to_string())
}
