//! The database as the node uses it.
#![allow(clippy::unwrap_used, clippy::missing_docs_in_private_items)]

use ln_db::{
    DatastoreRow, Db, DbError, InvoiceRow, InvoiceStatus, Page, PageIndex, PaymentFailure,
    PaymentRow, PaymentStatus,
};
use ln_types::{Msat, PaymentPreimage, PaymentSecret};

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
    run(db.write(move |txn| txn.complete_payment(&hash, (0, 1), &preimage, 9))).unwrap();
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
    run(db.write(move |txn| txn.fail_payment(&hash, (0, 1), &failure, 10))).unwrap();
    let found = run(db.read(move |txn| txn.payment(&hash, (0, 1))))
        .unwrap()
        .unwrap();
    assert_eq!(
        (found.status, found.preimage),
        (PaymentStatus::Complete, Some(preimage))
    );
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
