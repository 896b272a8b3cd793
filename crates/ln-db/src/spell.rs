//! Statements as text that needs nothing else: what another database has to run to become the same.

use std::fmt::Write as _;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Params};

use crate::DbError;

/// A statement with its values in their places.
///
/// SQLite's own expansion cuts text at a NUL; this one keeps each value as it is.
pub(crate) fn spell_out(
    connection: &Connection,
    sql: &str,
    params: impl Params,
) -> Result<String, DbError> {
    let count = connection.prepare_cached(sql)?.parameter_count();
    if count == 0 {
        return Ok(sql.to_owned());
    }
    Ok(fill(sql, &literals(connection, count, params)?))
}

/// The values as SQLite sees them, each as a literal.
fn literals(
    connection: &Connection,
    count: usize,
    params: impl Params,
) -> Result<Vec<String>, DbError> {
    let places: Vec<String> = (1..=count).map(|place| format!("?{place}")).collect();
    let mut echo = connection.prepare_cached(&format!("SELECT {}", places.join(", ")))?;
    let values = echo.query_row(params, |row| {
        (0..count)
            .map(|index| row.get_ref(index).map(literal))
            .collect::<Result<Vec<String>, _>>()
    });
    Ok(values?)
}

fn literal(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "NULL".to_owned(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => format!("{number:?}"),
        ValueRef::Blob(bytes) => blob(bytes),
        ValueRef::Text(text) => match std::str::from_utf8(text) {
            Ok(text) if !text.contains('\0') => format!("'{}'", text.replace('\'', "''")),
            _ => format!("CAST({} AS TEXT)", blob(text)),
        },
    }
}

fn blob(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().saturating_mul(2).saturating_add(3));
    text.push_str("x'");
    for byte in bytes {
        // Writing to a string can't fail.
        let _ = write!(text, "{byte:02x}");
    }
    text.push('\'');
    text
}

/// Puts literals where the statement has `?1`, `?2`, ...; what is quoted stays.
fn fill(sql: &str, literals: &[String]) -> String {
    let mut filled = String::with_capacity(sql.len());
    let mut quoted = false;
    let mut rest = sql.chars().peekable();
    while let Some(c) = rest.next() {
        quoted ^= c == '\'';
        if c != '?' || quoted {
            filled.push(c);
            continue;
        }
        let mut place = String::new();
        while let Some(digit) = rest.next_if(char::is_ascii_digit) {
            place.push(digit);
        }
        let index = place.parse::<usize>().ok().and_then(|n| n.checked_sub(1));
        match index.and_then(|index| literals.get(index)) {
            Some(literal) => filled.push_str(literal),
            None => filled.extend(['?'].into_iter().chain(place.chars())),
        }
    }
    filled
}

#[cfg(test)]
mod tests {
    use rusqlite::params;

    use super::*;

    #[test]
    fn what_is_spelled_out_does_the_same() {
        let one = Connection::open_in_memory().unwrap();
        let other = Connection::open_in_memory().unwrap();
        let table = "CREATE TABLE t (a, b INTEGER, c TEXT, d BLOB, e)";
        one.execute(table, []).unwrap();
        other.execute(table, []).unwrap();
        let texts = [
            "it's '?1'",
            "",
            "NUL \0 inside",
            "\n\t\"; DROP TABLE t; --",
            "ünïcödé 🔥",
            "12",
        ];
        let sql =
            "INSERT INTO t VALUES (?1, ?2, ?3, ?4, coalesce(?5, '?2' || ?10, ?6, ?7, ?8, ?9))";
        for text in texts {
            for number in [0, -1, i64::MAX, i64::MIN] {
                let params = params![
                    text,
                    number,
                    number,
                    text.as_bytes(),
                    None::<i64>,
                    1,
                    2,
                    3,
                    4,
                    text
                ];
                one.execute(sql, params).unwrap();
                let spelled = spell_out(&one, sql, params).unwrap();
                other.execute(&spelled, []).unwrap();
            }
        }
        let all = |connection: &Connection| {
            let mut statement = connection.prepare("SELECT *, typeof(c) FROM t").unwrap();
            let rows = statement.query_map([], |row| {
                (0..6)
                    .map(|index| row.get::<_, rusqlite::types::Value>(index))
                    .collect::<Result<Vec<_>, _>>()
            });
            rows.unwrap().collect::<Result<Vec<_>, _>>().unwrap()
        };
        assert_eq!(all(&one), all(&other));
        assert_eq!(all(&one).len(), texts.len() * 4);
    }
}
