//! The schema, as the steps that made it.

use crate::{DbError, Txn};

/// Each entry brings the database one version further. Entries are never changed once released, only added.
const MIGRATIONS: &[&str] = &[
    "CREATE TABLE version (version INTEGER);
     INSERT INTO version VALUES (0);
     CREATE TABLE vars (name VARCHAR(32) PRIMARY KEY, val VARCHAR(255), intval INTEGER, blobval BLOB);
     INSERT INTO vars (name, intval) VALUES ('data_version', 0);
     CREATE TABLE db_upgrades (upgrade_from INTEGER, lightning_version TEXT);",
    "CREATE TABLE blocks (height INTEGER PRIMARY KEY, hash BLOB NOT NULL, prev_hash BLOB);
     CREATE TABLE transactions (id BLOB PRIMARY KEY, blockheight INTEGER, txindex INTEGER, rawtx BLOB NOT NULL);
     CREATE INDEX transactions_height ON transactions (blockheight);
     CREATE TABLE outputs (
         prev_out_tx BLOB, prev_out_index INTEGER, value INTEGER NOT NULL, type INTEGER, status INTEGER NOT NULL,
         keyindex INTEGER NOT NULL, channel_id INTEGER, peer_id BLOB, commitment_point BLOB, confirmation_height INTEGER,
         spend_height INTEGER, spend_tx BLOB, scriptpubkey BLOB NOT NULL, reserved_til INTEGER, csv_lock INTEGER DEFAULT 1,
         is_in_coinbase INTEGER DEFAULT 0, PRIMARY KEY (prev_out_tx, prev_out_index));
     CREATE TABLE addresses (keyidx INTEGER PRIMARY KEY, addrtype INTEGER NOT NULL);",
    "CREATE TABLE peers (id INTEGER PRIMARY KEY, node_id BLOB UNIQUE NOT NULL, address TEXT, feature_bits BLOB);
     CREATE TABLE channels (
         id INTEGER PRIMARY KEY, peer_id INTEGER NOT NULL REFERENCES peers(id), full_channel_id BLOB NOT NULL, state INTEGER NOT NULL,
         funder INTEGER NOT NULL, closer INTEGER, channel_flags INTEGER NOT NULL, minimum_depth INTEGER NOT NULL, funding_tx_id BLOB NOT NULL,
         funding_tx_outnum INTEGER NOT NULL, funding_satoshi INTEGER NOT NULL, push_msatoshi INTEGER NOT NULL, scid INTEGER,
         alias_local INTEGER NOT NULL, alias_remote INTEGER, channel_type BLOB NOT NULL, machine BLOB NOT NULL,
         feerate_base INTEGER NOT NULL, feerate_ppm INTEGER NOT NULL, htlc_minimum_msat INTEGER NOT NULL, htlc_maximum_msat INTEGER NOT NULL,
         ignore_fee_limits INTEGER NOT NULL DEFAULT 0, remote_update BLOB, announcement BLOB, close_to BLOB, shutdown_local BLOB, shutdown_remote BLOB,
         last_tx BLOB, close_cause INTEGER NOT NULL DEFAULT 0, last_stable_connection INTEGER,
         msatoshi_to_us_min INTEGER NOT NULL, msatoshi_to_us_max INTEGER NOT NULL,
         in_payments_offered INTEGER NOT NULL DEFAULT 0, in_payments_fulfilled INTEGER NOT NULL DEFAULT 0,
         in_msatoshi_offered INTEGER NOT NULL DEFAULT 0, in_msatoshi_fulfilled INTEGER NOT NULL DEFAULT 0,
         out_payments_offered INTEGER NOT NULL DEFAULT 0, out_payments_fulfilled INTEGER NOT NULL DEFAULT 0,
         out_msatoshi_offered INTEGER NOT NULL DEFAULT 0, out_msatoshi_fulfilled INTEGER NOT NULL DEFAULT 0);
     CREATE INDEX channels_state ON channels (state);
     CREATE TABLE channel_state_changes (
         channel_id INTEGER NOT NULL REFERENCES channels(id) ON DELETE CASCADE, timestamp INTEGER NOT NULL, old_state INTEGER NOT NULL,
         new_state INTEGER NOT NULL, cause TEXT NOT NULL, message TEXT NOT NULL);
     CREATE INDEX channel_state_changes_channel ON channel_state_changes (channel_id);
     CREATE TABLE channel_htlcs (
         id INTEGER PRIMARY KEY AUTOINCREMENT, channel_id INTEGER NOT NULL REFERENCES channels(id) ON DELETE CASCADE,
         channel_htlc_id INTEGER NOT NULL, direction INTEGER NOT NULL, msatoshi INTEGER NOT NULL, cltv_expiry INTEGER NOT NULL,
         payment_hash BLOB NOT NULL, payment_key BLOB, routing_onion BLOB, path_key BLOB, shared_secret BLOB, fail_reason BLOB,
         malformed_sha BLOB, malformed_code INTEGER, removed INTEGER NOT NULL DEFAULT 0, partid INTEGER, groupid INTEGER,
         origin_channel INTEGER, origin_htlc INTEGER, UNIQUE (channel_id, channel_htlc_id, direction));
     CREATE INDEX channel_htlcs_live ON channel_htlcs (channel_id) WHERE removed = 0;
     CREATE INDEX channel_htlcs_hash ON channel_htlcs (payment_hash);",
    "CREATE TABLE invoices (
         id INTEGER PRIMARY KEY, state INTEGER NOT NULL, msatoshi INTEGER, payment_hash BLOB NOT NULL UNIQUE, payment_key BLOB NOT NULL,
         label TEXT NOT NULL UNIQUE, expiry_time INTEGER NOT NULL, pay_index INTEGER UNIQUE, msatoshi_received INTEGER, paid_timestamp INTEGER,
         bolt11 TEXT, description TEXT, payment_secret BLOB, updated_index INTEGER);
     CREATE INDEX invoices_updated ON invoices (updated_index);
     CREATE INDEX invoices_expiry ON invoices (expiry_time) WHERE state = 0;
     CREATE TABLE payments (
         id INTEGER PRIMARY KEY, timestamp INTEGER NOT NULL, completed_at INTEGER, status INTEGER NOT NULL, payment_hash BLOB NOT NULL,
         partid INTEGER NOT NULL, groupid INTEGER NOT NULL, destination BLOB, msatoshi INTEGER, msatoshi_sent INTEGER NOT NULL,
         total_msat INTEGER, payment_preimage BLOB, path_secrets BLOB, route_nodes BLOB, route_channels BLOB, payment_description TEXT,
         bolt11 TEXT, description TEXT, failonionreply BLOB, faildestperm INTEGER, failindex INTEGER, failcode INTEGER, failnode BLOB,
         failscid INTEGER, faildirection INTEGER, faildetail TEXT, updated_index INTEGER, UNIQUE (payment_hash, partid, groupid));
     CREATE INDEX payments_updated ON payments (updated_index);
     CREATE INDEX payments_status ON payments (status);
     CREATE TABLE datastore (key BLOB PRIMARY KEY, data BLOB NOT NULL, generation INTEGER NOT NULL);",
    "CREATE TABLE channeltxs (
         id INTEGER PRIMARY KEY, channel_id INTEGER NOT NULL REFERENCES channels(id) ON DELETE CASCADE, type INTEGER NOT NULL,
         transaction_id BLOB NOT NULL, input_num INTEGER NOT NULL, blockheight INTEGER NOT NULL, UNIQUE (channel_id, transaction_id));
     CREATE INDEX channeltxs_transaction ON channeltxs (transaction_id);
     ALTER TABLE channels ADD COLUMN shutdown_keyidx_local INTEGER;",
    "ALTER TABLE payments ADD COLUMN failmsg BLOB;",
    // Money that moved is never deleted; what comes twice (a block looked at again, a replay after a restart) is the same by these columns.
    "CREATE TABLE chain_moves (
         id INTEGER PRIMARY KEY, account TEXT NOT NULL, tag_bitmap INTEGER NOT NULL, credit_or_debit INTEGER NOT NULL,
         timestamp INTEGER NOT NULL, utxo BLOB NOT NULL, spending_txid BLOB NOT NULL DEFAULT x'', peer_id BLOB, payment_hash BLOB,
         block_height INTEGER NOT NULL, output_sat INTEGER NOT NULL, originating_account TEXT, output_count INTEGER,
         UNIQUE (utxo, account, tag_bitmap, spending_txid));
     CREATE TABLE channel_moves (
         id INTEGER PRIMARY KEY, account TEXT NOT NULL, tag_bitmap INTEGER NOT NULL, credit_or_debit INTEGER NOT NULL,
         timestamp INTEGER NOT NULL, payment_hash BLOB, payment_part_id INTEGER, payment_group_id INTEGER, fees INTEGER NOT NULL);",
    "ALTER TABLE outputs ADD COLUMN reserved_for_now INTEGER NOT NULL DEFAULT 0;",
    // What transactions of the wallet's pay to others, until it is among the moves.
    "CREATE TABLE outside_payments (txid BLOB NOT NULL, vout INTEGER NOT NULL, value INTEGER NOT NULL, PRIMARY KEY (txid, vout));",
    "ALTER TABLE channel_htlcs ADD COLUMN extra_tlvs BLOB;",
    "CREATE TABLE penalty_bases (
         channel_id INTEGER NOT NULL, commitnum INTEGER NOT NULL, txid BLOB NOT NULL, claim BLOB NOT NULL,
         PRIMARY KEY (channel_id, commitnum));",
    // Forwards outlive their channels.
    "CREATE INDEX channel_htlcs_origin ON channel_htlcs (origin_channel, origin_htlc) WHERE origin_channel IS NOT NULL;
     CREATE TABLE forwards (
         id INTEGER PRIMARY KEY, updated_index INTEGER, channel_id INTEGER NOT NULL, in_channel_scid INTEGER NOT NULL, in_htlc_id INTEGER NOT NULL,
         in_msatoshi INTEGER NOT NULL, out_channel_scid INTEGER, out_htlc_id INTEGER, out_msatoshi INTEGER, payment_hash BLOB NOT NULL,
         state INTEGER NOT NULL, received_time INTEGER NOT NULL, resolved_time INTEGER, failcode INTEGER, UNIQUE (channel_id, in_htlc_id));
     CREATE INDEX forwards_updated ON forwards (updated_index);",
];

/// Brings the database to the present version, if it may: whether anything had to be done. A new one always is.
pub(crate) fn migrate(txn: &mut Txn<'_>, upgrade: bool) -> Result<bool, DbError> {
    let exists = txn.first(
        "SELECT 1 FROM sqlite_master WHERE name = 'version'",
        [],
        |_| Ok(()),
    )?;
    let found = match exists {
        Some(()) => txn.first("SELECT version FROM version", [], |row| Ok(row.get(0)?))?,
        None => None,
    };
    let found: u32 = found.unwrap_or(0);
    let known = u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX);
    if found > known {
        return Err(DbError::TooNew { found, known });
    }
    if found > 0 && found < known && !upgrade {
        return Err(DbError::TooOld { found, known });
    }
    let done = usize::try_from(found).unwrap_or(usize::MAX);
    for migration in MIGRATIONS.iter().skip(done) {
        // No text in a migration has a semicolon.
        let statements = migration.split(';').map(str::trim);
        for statement in statements.filter(|statement| !statement.is_empty()) {
            txn.execute(statement, [])?;
        }
    }
    if found < known {
        txn.execute("UPDATE version SET version = ?1", [known])?;
    }
    Ok(found < known)
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    #[test]
    fn migrating_twice_changes_nothing_and_a_newer_database_is_refused() {
        let connection = Connection::open_in_memory().unwrap();
        assert!(migrate(&mut Txn::new(&connection), true).unwrap());
        assert!(!migrate(&mut Txn::new(&connection), true).unwrap());
        assert!(!migrate(&mut Txn::new(&connection), false).unwrap());
        connection
            .execute("UPDATE version SET version = version - 1", [])
            .unwrap();
        assert!(matches!(
            migrate(&mut Txn::new(&connection), false),
            Err(DbError::TooOld { .. })
        ));
        connection
            .execute("UPDATE version SET version = 10000", [])
            .unwrap();
        assert!(matches!(
            migrate(&mut Txn::new(&connection), true),
            Err(DbError::TooNew { found: 10000, .. })
        ));
    }
}
