//! Looking for damage that nothing has come across yet.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use crate::DbError;

/// Reads all of a database and tells what is wrong with it, if anything. Takes as long as reading the file does; nobody has to wait meanwhile.
pub fn find_damage(path: &Path) -> Result<Option<String>, DbError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    let said = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0))?;
    // SQLite's answer may have several lines.
    let line = said.lines().collect::<Vec<_>>().join(" ");
    Ok((said != "ok").then_some(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_of_zeros_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("db");
        let connection = Connection::open(&path).unwrap();
        connection.execute_batch("CREATE TABLE t (a TEXT)").unwrap();
        for _ in 0..100 {
            connection
                .execute("INSERT INTO t VALUES (hex(zeroblob(100)))", [])
                .unwrap();
        }
        drop(connection);
        assert_eq!(find_damage(&path).unwrap(), None);
        let mut bytes = std::fs::read(&path).unwrap();
        let last = bytes.len() - 4096;
        bytes[last..].fill(0);
        std::fs::write(&path, bytes).unwrap();
        let found = find_damage(&path);
        assert!(!matches!(found, Ok(None)), "{found:?}");
    }
}
