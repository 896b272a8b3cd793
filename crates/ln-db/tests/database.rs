//! The database as the node uses it.
#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::missing_docs_in_private_items
)]

use std::os::unix::fs::PermissionsExt as _;
use std::task::{Context, Waker};

use bitcoin::hashes::Hash as _;
use bitcoin::{OutPoint, Txid};
use ln_db::{
    ChainMoveRow, ChannelMoveRow, DatastoreRow, Db, DbError, InvoiceRow, InvoiceStatus, MoveAmount,
    Page, PageIndex, PaymentFailure, PaymentRow, PaymentStatus,
};
use ln_types::{
    BlockHeight, ChainMoveTag, ChannelMoveTag, ExtraMoveTag, Msat, PaymentHash, PaymentPreimage,
    PaymentSecret, Sat,
};

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(work)
}

fn invoice(number: u8) -> InvoiceRow {
    let preimage = PaymentPreimage([number; 32]);
    InvoiceRow {
        created_index: 0,
        updated_index: None,
        status: InvoiceStatus::Unpaid,
        amount: Some(Msat::from_msat(1000)),
        payment_hash: preimage.hash(),
        preimage,
        payment_secret: PaymentSecret([number; 32]),
        label: format!("label {number}"),
        expires_at: 100 + u64::from(number),
        pay_index: None,
        received: None,
        paid_at: None,
        bolt11: Some("lnbcrt1".to_owned()),
        description: Some("things".to_owned()),
    }
}

fn payment(number: u8, partid: u64) -> PaymentRow {
    PaymentRow {
        created_index: 0,
        updated_index: None,
        created_at: 7,
        completed_at: None,
        status: PaymentStatus::Pending,
        payment_hash: PaymentPreimage([number; 32]).hash(),
        partid,
        groupid: 1,
        destination: None,
        amount: Some(Msat::from_msat(10)),
        sent: Msat::from_msat(11),
        total: Some(Msat::from_msat(10)),
        preimage: None,
        path_secrets: vec![[9; 32]],
        route_nodes: Vec::new(),
        route_channels: Vec::new(),
        label: None,
        bolt11: None,
        description: None,
        failure: None,
    }
}

#[test]
fn what_was_written_is_there_after_reopening() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("db");
    let db = Db::open(&path).unwrap();
    run(db.write(|txn| txn.add_invoice(&invoice(1)))).unwrap();
    run(db.write(|txn| txn.add_payment(&payment(2, 0)))).unwrap();
    drop(db);
    let db = Db::open(&path).unwrap();
    let found = run(db.read(|txn| txn.invoice_by_label("label 1")))
        .unwrap()
        .unwrap();
    assert_eq!(
        found,
        InvoiceRow {
            created_index: 1,
            ..invoice(1)
        }
    );
    let hash = payment(2, 0).payment_hash;
    let found = run(db.read(move |txn| txn.payments_by_hash(&hash))).unwrap();
    assert_eq!(
        found,
        [PaymentRow {
            created_index: 1,
            ..payment(2, 0)
        }]
    );
}

#[test]
fn a_write_that_fails_takes_nothing_else_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let db = Db::open(&dir.path().join("db")).unwrap();
    // All three are queued before the first is awaited: they may share one commit.
    let first = db.write(|txn| txn.add_invoice(&invoice(1)));
    let twice = db.write(|txn| {
        txn.set_var("touched", 1)?;
        txn.add_invoice(&invoice(1))
    });
    let third = db.write(|txn| txn.add_invoice(&invoice(3)));
    run(first).unwrap();
    assert!(matches!(run(twice), Err(DbError::Sqlite(_))));
    run(third).unwrap();
    assert_eq!(run(db.read(|txn| txn.var("touched"))).unwrap(), 0);
    assert_eq!(
        run(db.read(|txn| txn.invoices(Page::default())))
            .unwrap()
            .len(),
        2
    );
}

#[test]
fn an_invoice_is_paid_once_and_expires_only_unpaid() {
    let dir = tempfile::tempdir().unwrap();
    let db = Db::open(&dir.path().join("db")).unwrap();
    for number in 1..=3 {
        run(db.write(move |txn| txn.add_invoice(&invoice(number)))).unwrap();
    }
    let hash = invoice(2).payment_hash;
    let paid =
        run(db.write(move |txn| txn.set_invoice_paid(&hash, Msat::from_msat(1001), 50))).unwrap();
    assert_eq!(
        (paid.status, paid.pay_index, paid.paid_at),
        (InvoiceStatus::Paid, Some(1), Some(50))
    );
    let next = run(db.write(|txn| txn.expire_invoices(102))).unwrap();
    assert_eq!(next, Some(103));
    let page = Page {
        index: PageIndex::Updated,
        start: 2,
        limit: 1,
    };
    let updated = run(db.read(move |txn| txn.invoices(page))).unwrap();
    assert_eq!(
        updated
            .iter()
            .map(|row| row.label.as_str())
            .collect::<Vec<_>>(),
        ["label 1"]
    );
    assert_eq!(
        updated.iter().map(|row| row.status).collect::<Vec<_>>(),
        [InvoiceStatus::Expired]
    );
    let next_paid = run(db.read(|txn| txn.next_paid_invoice(0)))
        .unwrap()
        .unwrap();
    assert_eq!(next_paid.label, "label 2");
}

#[test]
fn a_part_has_one_outcome() {
    let dir = tempfile::tempdir().unwrap();
    let db = Db::open(&dir.path().join("db")).unwrap();
    run(db.write(|txn| txn.add_payment(&payment(1, 0)))).unwrap();
    let preimage = PaymentPreimage([1; 32]);
    let hash = preimage.hash();
    let none = run(db.write(move |txn| txn.complete_payment(&hash, (7, 1), &preimage, 9)));
    assert_eq!(none.unwrap(), None);
    let paid = run(db.write(move |txn| txn.complete_payment(&hash, (0, 1), &preimage, 9)));
    let failure = PaymentFailure {
        onion_reply: None,
        destination_permanent: false,
        erring_index: None,
        code: None,
        erring_node: None,
        erring_channel: None,
        erring_direction: None,
        message: None,
        detail: "late".to_owned(),
    };
    let late = run(db.write(move |txn| txn.fail_payment(&hash, (0, 1), &failure, 10)));
    let found = run(db.read(move |txn| txn.payment(&hash, (0, 1))))
        .unwrap()
        .unwrap();
    assert_eq!(
        (found.status, found.preimage),
        (PaymentStatus::Complete, Some(preimage))
    );
    assert_eq!(paid.unwrap().as_ref(), Some(&found));
    assert_eq!(late.unwrap(), Some(found));
    assert!(
        run(db.read(|txn| txn.pending_payments()))
            .unwrap()
            .is_empty()
    );
}

#[test]
fn the_children_of_a_datastore_key_are_found_and_no_others() {
    let dir = tempfile::tempdir().unwrap();
    let db = Db::open(&dir.path().join("db")).unwrap();
    let key = |parts: &[&str]| {
        parts
            .iter()
            .map(|part| (*part).to_owned())
            .collect::<Vec<_>>()
    };
    for parts in [&["a"][..], &["a", "b"], &["a", "b", "c"], &["ab"], &["b"]] {
        let row = DatastoreRow {
            key: key(parts),
            data: vec![1, 2],
            generation: 0,
        };
        run(db.write(move |txn| txn.put_datastore(&row))).unwrap();
    }
    let below = key(&["a"]);
    let found = run(db.read(move |txn| txn.datastore_below(&below))).unwrap();
    let keys: Vec<_> = found.into_iter().map(|row| row.key).collect();
    assert_eq!(keys, [key(&["a"]), key(&["a", "b"]), key(&["a", "b", "c"])]);
}

/// The directory's files whose name begins with the database's, and how many invoices a copy of the one file holds, if it was not made in the
/// middle of a change.
fn copied(path: &std::path::Path) -> (Vec<String>, Option<u32>) {
    let dir = path.parent().unwrap();
    let mut names: Vec<String> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("db"))
        .collect();
    names.sort();
    let copy = dir.join("copy");
    std::fs::copy(path, &copy).unwrap();
    let count = rusqlite::Connection::open(&copy)
        .unwrap()
        .query_row("SELECT count(*) FROM invoices", [], |row| row.get(0))
        .ok();
    (names, count)
}

#[test]
fn the_one_file_is_whole_when_the_database_rests_and_when_it_is_closed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("db");
    let db = Db::open(&path).unwrap();
    for number in 1..=3 {
        run(db.write(move |txn| txn.add_invoice(&invoice(number)))).unwrap();
    }
    let deadline = std::time::Instant::now() + std::time::Duration::from_mins(1);
    while copied(&path).1 != Some(3) {
        assert!(std::time::Instant::now() < deadline, "{:?}", copied(&path));
    }
    run(db.write(move |txn| txn.add_invoice(&invoice(4)))).unwrap();
    drop(db);
    assert_eq!(copied(&path), (vec!["db".to_owned()], Some(4)));
}

#[test]
fn who_reads_the_file_holds_up_no_write_and_no_closing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("db");
    let db = Db::open(&path).unwrap();
    run(db.write(|txn| txn.add_invoice(&invoice(1)))).unwrap();
    let mut other = rusqlite::Connection::open(&path).unwrap();
    let view = other.transaction().unwrap();
    let count = |view: &rusqlite::Transaction<'_>| {
        view.query_row("SELECT count(*) FROM invoices", [], |row| {
            row.get::<_, u32>(0)
        })
        .unwrap()
    };
    assert_eq!(count(&view), 1);
    // More commits than the log is let grow by.
    for number in 2..=200 {
        run(db.write(move |txn| txn.add_invoice(&invoice(number)))).unwrap();
        run(db.write(move |txn| txn.set_var("last", u64::from(number)))).unwrap();
    }
    drop(db);
    assert_eq!(count(&view), 1);
    drop(view);
    drop(other);
    assert_eq!(copied(&path), (vec!["db".to_owned()], Some(200)));
}

#[test]
fn what_was_committed_survives_without_closing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("db");
    let db = Db::open(&path).unwrap();
    // A reader keeps the log from being folded back, so that both files are as after a crash in the middle of work.
    let mut other = rusqlite::Connection::open(&path).unwrap();
    let view = other.transaction().unwrap();
    view.query_row("SELECT count(*) FROM invoices", [], |_| Ok(()))
        .unwrap();
    for number in 1..=3 {
        run(db.write(move |txn| txn.add_invoice(&invoice(number)))).unwrap();
    }
    let crashed = tempfile::tempdir().unwrap();
    let left = crashed.path().join("db");
    std::fs::copy(&path, &left).unwrap();
    std::fs::copy(dir.path().join("db-wal"), crashed.path().join("db-wal")).unwrap();
    let again = Db::open(&left).unwrap();
    let found = run(again.read(|txn| txn.invoices(Page::default()))).unwrap();
    assert_eq!(found.len(), 3);
}

fn chain_move(vout: u32) -> ChainMoveRow {
    ChainMoveRow {
        created_index: 0,
        account: "wallet".to_owned(),
        amount: MoveAmount::Credit(Msat::from_msat(5000)),
        timestamp: 7,
        tag: ChainMoveTag::Deposit,
        extra_tags: vec![ExtraMoveTag::Opener, ExtraMoveTag::Foreign],
        utxo: OutPoint {
            txid: Txid::all_zeros(),
            vout,
        },
        spending_txid: None,
        peer: None,
        payment_hash: Some(PaymentHash([3; 32])),
        height: BlockHeight(10),
        output: Sat::from_sat(5),
        originating_account: Some("external".to_owned()),
        output_count: Some(2),
    }
}

#[test]
fn what_moved_on_chain_is_kept_once_and_read_back_as_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let db = Db::open(&directory.path().join("lightningd.sqlite3")).unwrap();
    let spent = ChainMoveRow {
        amount: MoveAmount::Debit(Msat::from_msat(5000)),
        tag: ChainMoveTag::Withdrawal,
        extra_tags: Vec::new(),
        spending_txid: Some(Txid::from_byte_array([4; 32])),
        ..chain_move(1)
    };
    let mut rows = vec![chain_move(1), chain_move(2), spent];
    let news = run(db.write(move |txn| {
        for row in &mut rows {
            assert!(txn.add_chain_move(row)?);
        }
        // The block comes again.
        for row in &rows {
            assert!(!txn.add_chain_move(&mut row.clone())?);
        }
        Ok(rows)
    }));
    let news = news.unwrap();
    let indexes: Vec<u64> = news.iter().map(|row| row.created_index).collect();
    assert_eq!(indexes, [1, 2, 3]);
    let (all, page, last) = run(db.read(|txn| {
        let second = Page {
            start: 2,
            limit: 1,
            ..Page::default()
        };
        let utxo = chain_move(1).utxo;
        assert!(txn.has_chain_credit("wallet", utxo)?);
        assert!(!txn.has_chain_credit("external", utxo)?);
        Ok((
            txn.chain_moves(Page::default())?,
            txn.chain_moves(second)?,
            txn.last_chain_move()?,
        ))
    }))
    .unwrap();
    assert_eq!(all, news);
    assert_eq!(page, news[1..2]);
    assert_eq!(last, 3);
}

#[test]
fn what_moved_in_channels_is_read_back_with_the_fees_of_its_payment() {
    let directory = tempfile::tempdir().unwrap();
    let db = Db::open(&directory.path().join("lightningd.sqlite3")).unwrap();
    let kept = run(db.write(|txn| {
        let paid = payment(1, 4);
        txn.add_payment(&paid)?;
        let mut row = ChannelMoveRow {
            created_index: 0,
            account: "channel".to_owned(),
            amount: MoveAmount::Debit(paid.sent),
            timestamp: 7,
            tag: ChannelMoveTag::Invoice,
            payment_hash: Some(paid.payment_hash),
            payment: Some((4, 1)),
            fees: txn.payment_fees(&paid.payment_hash, (4, 1))?,
        };
        assert_eq!(
            txn.payment_fees(&paid.payment_hash, (5, 1))?,
            Msat::ZERO,
            "an unknown part"
        );
        txn.add_channel_move(&mut row)?;
        Ok(row)
    }))
    .unwrap();
    assert_eq!(kept.fees, Msat::from_msat(1));
    let (rows, last) = run(db.read(|txn| {
        Ok((
            txn.channel_moves(Page::default())?,
            txn.last_channel_move()?,
        ))
    }))
    .unwrap();
    assert_eq!(rows, [kept]);
    assert_eq!(last, 1);
}

#[test]
fn a_closed_database_is_whole_in_its_file_and_answers_no_more() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("db.sqlite3");
    let db = Db::open(&path).unwrap();
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let asked_before = db.write(|txn| txn.set_var("kept", 7));
    run(db.close());
    run(asked_before).unwrap();
    for suffix in ["-wal", "-shm"] {
        assert!(!dir.path().join(format!("db.sqlite3{suffix}")).exists());
    }
    let copy = dir.path().join("copy.sqlite3");
    std::fs::copy(&path, &copy).unwrap();
    let copied = Db::open(&copy).unwrap();
    assert_eq!(run(copied.read(|txn| txn.var("kept"))).unwrap(), 7);
    // Nobody may act on what is not kept.
    let late = std::pin::pin!(db.write(|txn| txn.set_var("kept", 8)));
    let mut nobody = Context::from_waker(Waker::noop());
    assert!(late.poll(&mut nobody).is_pending());
    run(db.close());
}
