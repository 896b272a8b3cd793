//! The two threads, group commit, and folding the write-ahead log back into the file.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::pin::Pin;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use tokio::sync::oneshot;

use crate::error::is_damage;
use crate::watch::Nobody;
use crate::{CommitWatch, DbError, Txn, migrations};

/// How many writes share one commit, or reads one look, at most, so that none waits for ever.
const MAX_BATCH: usize = 1024;

/// How long nothing is written before the log is folded back: longer than the pause between two commits of one payment.
const IDLE: Duration = Duration::from_millis(20);

/// How long until the next attempt, when somebody who reads kept the log from being folded back.
const IDLE_WHILE_READ: Duration = Duration::from_secs(1);

/// How long a write waits for another program that writes to the file.
const BUSY: Duration = Duration::from_mins(1);

/// After how many commits without a pause the log is folded back all the same, so that it stays small.
const MAX_UNFOLDED: u32 = 256;

//~ 7. Many tasks write at once, one thread commits. What arrives while a commit waits for the disk joins the next one: the more there is to do, the
//~ less each write costs. Each is told when its own commit is durable. Next, where the messages come from: `ln-connectd/src/mux.rs`.
/// What the writing thread does with one write: run it now, and say later that it is durable.
type Write = Box<dyn FnOnce(&mut Txn<'_>) -> Finish + Send>;
type Finish = Box<dyn FnOnce(Result<(), String>) + Send>;
type Read = Box<dyn FnOnce(&Txn<'_>) + Send>;

/// The database. Dropping it finishes what was asked and ends its threads.
#[derive(Debug)]
pub struct Db {
    /// Nothing once it is closed.
    ways: Mutex<Option<Ways>>,
}

/// The ways to the threads.
#[derive(Debug)]
struct Ways {
    writes: Option<Sender<Write>>,
    reads: Option<Sender<Read>>,
    /// The one that writes, the one that reads.
    threads: Vec<JoinHandle<()>>,
}

impl Db {
    /// Opens or creates the database and brings it to the present version.
    pub fn open(path: &Path) -> Result<Self, DbError> {
        let connections = prepare(path, &Nobody, true)?;
        Self::run(path, connections, Box::new(Nobody))
    }

    /// The same with somebody who is asked before each commit, from the first on. One of an earlier version is refused unless it may be upgraded.
    pub async fn open_watched(
        path: &Path,
        watch: Box<dyn CommitWatch>,
        upgrade: bool,
    ) -> Result<Self, DbError> {
        let (sender, receiver) = oneshot::channel();
        let file = path.to_owned();
        // Not on this thread: who is asked may need it to answer.
        let open = move || {
            let opened = prepare(&file, &*watch, upgrade);
            drop(sender.send(opened.map(|connections| (connections, watch))));
        };
        // It ends by itself.
        let _handle = spawn(path, "db-open", Box::new(open))?;
        let (connections, watch) = receiver.await.unwrap_or(Err(DbError::Closed))?;
        Self::run(path, connections, watch)
    }

    fn run(
        path: &Path,
        (writer, reader): (Connection, Connection),
        watch: Box<dyn CommitWatch>,
    ) -> Result<Self, DbError> {
        let (write_sender, write_receiver) = channel();
        let (read_sender, read_receiver) = channel::<Read>();
        let write = move || write_loop(writer, &write_receiver, &*watch);
        let read = move || read_loop(&reader, &read_receiver);
        let threads = vec![
            spawn(path, "db-write", Box::new(write))?,
            spawn(path, "db-read", Box::new(read))?,
        ];
        let ways = Ways {
            writes: Some(write_sender),
            reads: Some(read_sender),
            threads,
        };
        Ok(Self {
            ways: Mutex::new(Some(ways)),
        })
    }

    fn ways(&self) -> MutexGuard<'_, Option<Ways>> {
        self.ways.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Finishes what was asked and closes the file: the future resolves when nothing of it is open any more. What is asked from now on is never
    /// answered, so that nobody acts on what will not be kept.
    pub fn close(&self) -> impl Future<Output = ()> + use<> {
        let ways = self.ways().take();
        let (sender, receiver) = oneshot::channel();
        // Waiting for threads would block whoever has other things to do.
        let waiting = std::thread::spawn(move || {
            drop(ways);
            let _nobody_waits = sender.send(());
        });
        async move {
            drop(receiver.await);
            drop(waiting);
        }
    }

    /// Queues a write at once; the future resolves when it is durable. Writes are applied in the order of the calls.
    pub fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Txn<'_>) -> Result<T, DbError> + Send + 'static,
    ) -> Pending<T> {
        let (sender, receiver) = oneshot::channel();
        let write: Write = Box::new(move |txn| {
            let result = txn.savepoint(work);
            Box::new(move |committed| {
                let result = match committed {
                    Ok(()) => result,
                    Err(reason) => Err(DbError::Commit(reason)),
                };
                // The asker may have gone away; the write stands all the same.
                drop(sender.send(result));
            })
        });
        let ways = self.ways();
        let writes = ways.as_ref().and_then(|ways| ways.writes.as_ref());
        Pending(writes.map(|writes| {
            drop(writes.send(write));
            receiver
        }))
    }

    /// Reads what is durable, on the reading thread.
    pub fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Txn<'_>) -> Result<T, DbError> + Send + 'static,
    ) -> Pending<T> {
        let (sender, receiver) = oneshot::channel();
        let read: Read = Box::new(move |txn| drop(sender.send(work(txn))));
        let ways = self.ways();
        let reads = ways.as_ref().and_then(|ways| ways.reads.as_ref());
        Pending(reads.map(|reads| {
            drop(reads.send(read));
            receiver
        }))
    }
}

impl Ways {
    fn join_last(&mut self) {
        // A panic in a database thread was already reported by the panic hook.
        drop(self.threads.pop().map(JoinHandle::join));
    }
}

impl Drop for Ways {
    fn drop(&mut self) {
        // The reader ends first: whoever closes the file last removes the log, which only the writer can.
        drop(self.reads.take());
        self.join_last();
        drop(self.writes.take());
        self.join_last();
    }
}

/// The result of a queued write or read, when it is there. Dropping it does not undo what was asked.
#[derive(Debug)]
pub struct Pending<T>(
    /// Nothing if the database was closed before.
    Option<oneshot::Receiver<Result<T, DbError>>>,
);

impl<T> Future for Pending<T> {
    type Output = Result<T, DbError>;
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(receiver) = &mut self.0 else {
            return Poll::Pending;
        };
        Pin::new(receiver)
            .poll(context)
            .map(|result| result.unwrap_or(Err(DbError::Closed)))
    }
}

fn spawn(
    path: &Path,
    name: &str,
    body: Box<dyn FnOnce() + Send>,
) -> Result<JoinHandle<()>, DbError> {
    let spawned = std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(body);
    spawned.map_err(|error| DbError::Open {
        path: path.to_owned(),
        reason: error.to_string(),
    })
}

/// The connections that write and read, of a database of the present version.
fn prepare(
    path: &Path,
    watch: &dyn CommitWatch,
    upgrade: bool,
) -> Result<(Connection, Connection), DbError> {
    let mut writer = connect(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
    )?;
    let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let wanted = watch.is_wanted();
    let mut txn = Txn::recording(&transaction, wanted);
    let migrated = migrations::migrate(&mut txn, upgrade)?;
    // Who keeps a copy learns at each start whether it fits.
    if migrated || wanted {
        ask(txn, wanted, watch)?;
    }
    transaction.commit()?;
    fold(&writer, "TRUNCATE");
    let reader = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    Ok((writer, reader))
}

/// Counts a transaction, and asks about it who wants to be asked.
fn ask(mut txn: Txn<'_>, wanted: bool, watch: &dyn CommitWatch) -> Result<(), DbError> {
    let version = txn.bump_data_version()?;
    if wanted {
        watch
            .before_commit(version, txn.into_written())
            .map_err(DbError::Commit)?;
    }
    Ok(())
}

/// Makes the file if there is none, for the node's user alone; its log gets the same mode. What keeps it from being made keeps SQLite
/// from opening it, which says so.
pub(crate) fn make(path: &Path) {
    let mut options = OpenOptions::new();
    drop(options.write(true).create_new(true).mode(0o600).open(path));
}

fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, DbError> {
    let open = || {
        if flags.contains(OpenFlags::SQLITE_OPEN_CREATE) {
            make(path);
        }
        let connection =
            Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        connection.busy_timeout(BUSY)?;
        connection.set_prepared_statement_cache_capacity(256);
        // Otherwise a statement that was used before is parsed again when it is to run with other values.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        if flags.contains(OpenFlags::SQLITE_OPEN_CREATE) {
            connection.pragma_update(None, "journal_mode", "WAL")?;
            connection.pragma_update(None, "wal_autocheckpoint", 0)?;
            connection.pragma_update(None, "synchronous", "FULL")?;
            connection.pragma_update(None, "foreign_keys", true)?;
            connection.pragma_update(None, "trusted_schema", false)?;
        }
        Ok::<_, rusqlite::Error>(connection)
    };
    open().map_err(|error: rusqlite::Error| {
        let reason = error.to_string();
        if is_damage(&error) {
            let path = format!("{}: ", path.display());
            return DbError::Damaged { path, reason };
        }
        DbError::Open {
            path: path.to_owned(),
            reason,
        }
    })
}

/// Runs reads until every sender is gone: all that wait look at the same state of the file, and pay for looking it up once. It is at least as new as
/// when the last of them was asked.
fn read_loop(connection: &Connection, reads: &Receiver<Read>) {
    while let Ok(first) = reads.recv() {
        let mut batch = vec![first];
        batch.extend(reads.try_iter().take(MAX_BATCH));
        let run = |statement| connection.prepare_cached(statement)?.execute([]);
        // If it can't begin, each reads for itself and learns why; and there is nothing to lose at its end.
        let begun = run("BEGIN").is_ok();
        for read in batch {
            read(&Txn::new(connection));
        }
        if begun {
            drop(run("COMMIT"));
        }
    }
}

/// Runs writes until every sender is gone: all that wait share one transaction and one commit. When no more come, the log is folded back.
fn write_loop(mut connection: Connection, writes: &Receiver<Write>, watch: &dyn CommitWatch) {
    let mut unfolded = 0_u32;
    let mut idle = IDLE;
    loop {
        let next = if unfolded == 0 {
            writes.recv().map_err(RecvTimeoutError::from)
        } else {
            writes.recv_timeout(idle)
        };
        match next {
            Ok(first) => {
                commit_and_tell(&mut connection, first, writes, watch);
                unfolded = unfolded.saturating_add(1);
                idle = IDLE;
                if unfolded >= MAX_UNFOLDED {
                    fold(&connection, "PASSIVE");
                    unfolded = 1;
                }
            }
            Err(RecvTimeoutError::Timeout) if fold(&connection, "TRUNCATE") => unfolded = 0,
            Err(RecvTimeoutError::Timeout) => idle = IDLE_WHILE_READ,
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    fold(&connection, "TRUNCATE");
}

fn commit_and_tell(
    connection: &mut Connection,
    first: Write,
    writes: &Receiver<Write>,
    watch: &dyn CommitWatch,
) {
    let mut finishes = Vec::new();
    let result = commit_batch(connection, first, writes, watch, &mut finishes);
    let result = result.map_err(|error| {
        if let DbError::Commit(reason) = error {
            return reason;
        }
        format!("is the disk full? {error}")
    });
    for finish in finishes {
        finish(result.clone());
    }
}

/// Folds the log back into the file, without waiting for anybody: whether all of it is there now. What is not stays in the log, as durable as
/// before.
fn fold(connection: &Connection, mode: &str) -> bool {
    let checkpoint = || {
        connection.busy_timeout(Duration::ZERO)?;
        let busy = connection.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |row| {
            row.get::<_, bool>(0)
        });
        connection.busy_timeout(BUSY)?;
        busy
    };
    checkpoint().is_ok_and(|busy| !busy)
}

fn commit_batch(
    connection: &mut Connection,
    first: Write,
    writes: &Receiver<Write>,
    watch: &dyn CommitWatch,
    finishes: &mut Vec<Finish>,
) -> Result<(), DbError> {
    let transaction = match connection.transaction_with_behavior(TransactionBehavior::Immediate) {
        Ok(transaction) => transaction,
        Err(error) => {
            // Nothing can be written now; the write learns why by running on no transaction's result.
            finishes.push(refuse(first));
            return Err(error.into());
        }
    };
    let wanted = watch.is_wanted();
    let mut txn = Txn::recording(&transaction, wanted);
    finishes.push(first(&mut txn));
    while finishes.len() < MAX_BATCH {
        let Ok(next) = writes.try_recv() else { break };
        finishes.push(next(&mut txn));
    }
    if txn.wrote() {
        ask(txn, wanted, watch)?;
    }
    transaction.commit()?;
    Ok(())
}

/// Gives a write that could not start its answer: it runs against an empty in-memory database whose effects are dropped, only to get hold of its
/// reply.
fn refuse(write: Write) -> Finish {
    match Connection::open_in_memory() {
        Ok(scratch) => write(&mut Txn::new(&scratch)),
        Err(_) => Box::new(|_| ()),
    }
}
