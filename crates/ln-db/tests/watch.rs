//! Who is asked before each commit can keep a copy that never differs.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::as_conversions
)]

use std::sync::{Arc, Mutex};

use ln_db::{CommitWatch, DatastoreRow, Db, DbError};
use rusqlite::Connection;
use rusqlite::types::Value;

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}

/// All that a database holds: how it was made, and every row.
fn dump(connection: &Connection) -> Vec<Vec<Value>> {
    let all = |sql: &str| {
        let mut statement = connection.prepare(sql).unwrap();
        let columns = statement.column_count();
        let rows = statement.query_map([], |row| {
            (0..columns)
                .map(|index| row.get(index))
                .collect::<Result<Vec<Value>, _>>()
        });
        rows.unwrap().collect::<Result<Vec<_>, _>>().unwrap()
    };
    let mut found = all("SELECT name, sql FROM sqlite_master ORDER BY name");
    let tables = all("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name");
    for table in tables {
        let Value::Text(name) = &table[0] else {
            panic!("{table:?}")
        };
        found.extend(all(&format!("SELECT rowid, * FROM {name} ORDER BY rowid")));
    }
    found
}

struct Copy {
    connection: Connection,
    version: u32,
    /// The next is refused.
    refuse: bool,
}

#[derive(Clone)]
struct Keeper(Arc<Mutex<Copy>>);

impl Keeper {
    fn new() -> Self {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .pragma_update(None, "foreign_keys", true)
            .unwrap();
        Self(Arc::new(Mutex::new(Copy {
            connection,
            version: 0,
            refuse: false,
        })))
    }
}

impl CommitWatch for Keeper {
    fn is_wanted(&self) -> bool {
        true
    }

    fn before_commit(&self, data_version: u32, writes: Vec<String>) -> Result<(), String> {
        let mut copy = self.0.lock().unwrap();
        if std::mem::take(&mut copy.refuse) {
            return Err("not now".to_owned());
        }
        assert_eq!(data_version, copy.version.wrapping_add(1));
        copy.version = data_version;
        copy.connection.execute("BEGIN", []).unwrap();
        for write in writes {
            // One statement each.
            copy.connection.execute(&write, []).unwrap();
        }
        copy.connection.execute("COMMIT", []).unwrap();
        Ok(())
    }
}

#[test]
fn a_copy_never_differs() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("db");
    let keeper = Keeper::new();
    let same = || {
        let original = Connection::open(&path).unwrap();
        assert_eq!(dump(&original), dump(&keeper.0.lock().unwrap().connection));
    };
    let open = || run(Db::open_watched(&path, Box::new(keeper.clone()), true)).unwrap();
    let db = open();
    same();
    for number in 0..20_u64 {
        run(db.write(move |txn| {
            txn.set_blob_var("node_id", &number.to_be_bytes())?;
            txn.put_datastore(&DatastoreRow {
                key: vec!["it's".to_owned(), format!("{number}\0'")],
                data: vec![0, 39, 255],
                generation: number,
            })
        }))
        .unwrap();
        same();
        let failed = db.write(move |txn| {
            txn.set_var("undone", number)?;
            Err::<(), _>(DbError::Closed)
        });
        assert!(run(failed).is_err());
        same();
    }
    // What is refused is not committed, and whoever wrote knows.
    keeper.0.lock().unwrap().refuse = true;
    let refused = run(db.write(|txn| txn.set_var("refused", 1)));
    assert!(
        matches!(&refused, Err(DbError::Commit(why)) if why == "not now"),
        "{refused:?}"
    );
    same();
    let read = db.read(|txn| txn.var("refused"));
    assert_eq!(run(read).unwrap(), 0);
    // The number wraps.
    keeper.0.lock().unwrap().version = u32::MAX;
    run(db.write(|txn| txn.set_var("data_version", u32::MAX.into()))).unwrap();
    assert_eq!(keeper.0.lock().unwrap().version, 0);
    same();
    // At the next start it is asked first of all.
    drop(db);
    let db = open();
    assert_eq!(keeper.0.lock().unwrap().version, 1);
    same();
    drop(db);
}
