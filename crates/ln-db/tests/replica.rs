//! A second file that holds the same as the database.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

use ln_db::{CommitWatch, Db, DbError, Replica};
use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;

/// Nobody else keeps a copy.
struct Nobody;

impl CommitWatch for Nobody {
    fn is_wanted(&self) -> bool {
        false
    }

    fn before_commit(&self, _: u32, _: Vec<String>) -> Result<(), String> {
        Ok(())
    }
}

fn run<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(work)
}

struct Files {
    dir: TempDir,
}

impl Files {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        Self { dir }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn open(&self) -> Result<Db, DbError> {
        let (main, backup) = (self.path("main"), self.path("backup"));
        let watch = Replica::new(&main, &backup, Box::new(Nobody));
        run(Db::open_watched(&main, Box::new(watch), true))
    }

    fn must_be_equal(&self) {
        assert_eq!(dump(&self.path("main")), dump(&self.path("backup")));
    }
}

/// All of a database: its tables and their rows.
fn dump(path: &Path) -> Vec<String> {
    let file = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let mut all = Vec::new();
    let mut tables = file
        .prepare("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name")
        .unwrap();
    let mut rows = tables.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        let (name, sql): (String, String) = (row.get(0).unwrap(), row.get(1).unwrap());
        all.push(sql);
        let Ok(mut table) = file.prepare(&format!("SELECT * FROM \"{name}\" ORDER BY 1, 2")) else {
            continue;
        };
        let columns = table.column_count();
        let mut rows = table.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let values = (0..columns).map(|index| format!("{:?}", row.get_ref(index).unwrap()));
            all.push(values.collect::<Vec<_>>().join(" "));
        }
    }
    all
}

fn set(db: &Db, value: u64) -> Result<(), DbError> {
    run(db.write(move |txn| txn.set_var("kept", value)))
}

#[test]
fn the_second_file_is_equal_after_each_commit() {
    let files = Files::new();
    let db = files.open().unwrap();
    files.must_be_equal();
    for value in 0..5 {
        set(&db, value).unwrap();
        files.must_be_equal();
    }
    run(db.close());
    files.must_be_equal();
    // It is one file, with nothing beside it, and a database of its own right.
    assert!(!files.path("backup-wal").exists() && !files.path("backup-journal").exists());
    let back = Db::open(&files.path("backup")).unwrap();
    assert_eq!(run(back.read(|txn| txn.var("kept"))).unwrap(), 4);
}

#[test]
fn one_that_is_older_missing_or_one_ahead_is_made_equal() {
    let files = Files::new();
    let db = files.open().unwrap();
    set(&db, 1).unwrap();
    fs::copy(files.path("backup"), files.path("older")).unwrap();
    set(&db, 2).unwrap();
    set(&db, 3).unwrap();
    run(db.close());
    fs::copy(files.path("older"), files.path("backup")).unwrap();
    let db = files.open().unwrap();
    files.must_be_equal();
    run(db.close());
    fs::remove_file(files.path("backup")).unwrap();
    let db = files.open().unwrap();
    files.must_be_equal();
    run(db.close());
    // The process ended between the two commits.
    fs::copy(files.path("main"), files.path("before")).unwrap();
    let db = files.open().unwrap();
    run(db.close());
    fs::copy(files.path("before"), files.path("main")).unwrap();
    let db = files.open().unwrap();
    files.must_be_equal();
    set(&db, 4).unwrap();
    files.must_be_equal();
}

#[test]
fn an_old_database_is_not_used_and_nothing_is_lost() {
    let files = Files::new();
    let db = files.open().unwrap();
    run(db.close());
    fs::copy(files.path("main"), files.path("old")).unwrap();
    let db = files.open().unwrap();
    for value in 0..3 {
        set(&db, value).unwrap();
    }
    run(db.close());
    let newest = fs::read(files.path("backup")).unwrap();
    fs::copy(files.path("old"), files.path("main")).unwrap();
    let error = files.open().unwrap_err().to_string();
    assert!(error.contains("is newer than the database"), "{error}");
    assert_eq!(fs::read(files.path("backup")).unwrap(), newest);
    assert_eq!(
        fs::read(files.path("main")).unwrap(),
        fs::read(files.path("old")).unwrap()
    );
}

#[test]
fn another_nodes_file_is_left_alone() {
    let files = Files::new();
    let ours = files.open().unwrap();
    run(ours.write(|txn| txn.set_blob_var("node_id", &[1]))).unwrap();
    run(ours.close());
    let theirs = files.path("theirs");
    let other = Db::open(&theirs).unwrap();
    run(other.write(|txn| txn.set_blob_var("node_id", &[2]))).unwrap();
    run(other.close());
    fs::copy(&theirs, files.path("backup")).unwrap();
    let error = files.open().unwrap_err().to_string();
    assert!(error.contains("of another node"), "{error}");
    assert_eq!(
        fs::read(files.path("backup")).unwrap(),
        fs::read(&theirs).unwrap()
    );
}

#[test]
fn nothing_is_committed_that_the_second_file_does_not_hold() {
    let files = Files::new();
    let db = files.open().unwrap();
    set(&db, 1).unwrap();
    // Somebody holds it: SQLite gives up after a while.
    let holder = Connection::open(files.path("backup")).unwrap();
    holder.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let error = set(&db, 2).unwrap_err().to_string();
    assert!(error.contains("backup"), "{error}");
    assert_eq!(run(db.read(|txn| txn.var("kept"))).unwrap(), 1);
    holder.execute_batch("ROLLBACK").unwrap();
    set(&db, 3).unwrap();
    files.must_be_equal();
}

#[test]
fn a_place_that_can_not_be_written_is_named() {
    let files = Files::new();
    let nowhere = files.path("nowhere/backup");
    let watch = Replica::new(&files.path("main"), &nowhere, Box::new(Nobody));
    let opened = run(Db::open_watched(&files.path("main"), Box::new(watch), true));
    let error = opened.unwrap_err().to_string();
    assert!(error.contains(&nowhere.display().to_string()), "{error}");
}
