//! Channels.

use bitcoin::consensus::encode::{deserialize, serialize};
use bitcoin::{OutPoint, ScriptBuf, Transaction};
use ln_types::{ChannelId, ChannelState, Features, Msat, NodeId, Sat, ShortChannelId, Side};
use rusqlite::{Row, params};

use crate::columns::{get_opt_u64, get_u32, get_u64, get_wire, opt_i64, to_i64, wire};
use crate::{DbError, Txn};

const TABLE: &str = "channels";

/// A channel. `machine` is `ln_channel`'s encoding of its protocol state; the other columns are what the rest of the node keeps of it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "the counters are named as listpeerchannels names them"
)]
pub struct ChannelRow {
    /// Its number, which its keys derive from.
    pub dbid: u64,
    /// The peer.
    pub peer: NodeId,
    /// Its id on the wire.
    pub channel_id: ChannelId,
    /// Where it is in its life.
    pub state: ChannelState,
    /// Who opened it.
    pub opener: Side,
    /// Who started closing it.
    pub closer: Option<Side>,
    /// Whether it is announced.
    pub public: bool,
    /// Confirmations until it is usable.
    pub minimum_depth: u32,
    /// The funding output.
    pub funding: OutPoint,
    /// Its capacity.
    pub capacity: Sat,
    /// What the opener gave the accepter.
    pub pushed: Msat,
    /// Where the funding output is, once confirmed.
    pub scid: Option<ShortChannelId>,
    /// Our alias for it.
    pub alias_local: ShortChannelId,
    /// The peer's alias for it.
    pub alias_remote: Option<ShortChannelId>,
    /// The channel type.
    pub channel_type: Features,
    /// The protocol state.
    pub machine: Vec<u8>,
    /// Our base fee for forwarding.
    pub fee_base: Msat,
    /// Our proportional fee for forwarding, in millionths.
    pub fee_ppm: u32,
    /// The least we forward.
    pub htlc_minimum: Msat,
    /// The most we forward in one HTLC.
    pub htlc_maximum: Msat,
    /// Whether the peer may set any feerate.
    pub ignore_fee_limits: bool,
    /// The peer's last `channel_update`.
    pub remote_update: Option<Vec<u8>>,
    /// The signed `channel_announcement`.
    pub announcement: Option<Vec<u8>>,
    /// Where our balance shall go on a mutual close.
    pub close_to: Option<ScriptBuf>,
    /// The script of our `shutdown`.
    pub shutdown_local: Option<ScriptBuf>,
    /// The script of the peer's `shutdown`.
    pub shutdown_remote: Option<ScriptBuf>,
    /// The signed closing or commitment transaction last made for broadcast.
    pub last_tx: Option<Transaction>,
    /// Why it was closed (`close_cause`), as the number of the cause.
    pub close_cause: u8,
    /// When the peer was last connected for more than a minute, in seconds.
    pub last_stable_connection: Option<u64>,
    /// The least balance we ever had.
    pub to_us_min: Msat,
    /// The greatest balance we ever had.
    pub to_us_max: Msat,
    pub in_payments_offered: u64,
    pub in_payments_fulfilled: u64,
    pub in_offered: Msat,
    pub in_fulfilled: Msat,
    pub out_payments_offered: u64,
    pub out_payments_fulfilled: u64,
    pub out_offered: Msat,
    pub out_fulfilled: Msat,
}

impl ChannelRow {
    /// What we call it: its short id, or our alias while it has none.
    pub fn scid_or_alias(&self) -> ShortChannelId {
        self.scid.unwrap_or(self.alias_local)
    }
}

/// A change of a channel's state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateChangeRow {
    /// When, in seconds.
    pub timestamp: u64,
    /// From.
    pub old: ChannelState,
    /// To.
    pub new: ChannelState,
    /// On whose account: unknown, local, user, remote, protocol or onchain.
    pub cause: String,
    /// Why, for people.
    pub message: String,
}

const COLUMNS: &str = "SELECT c.id, p.node_id, full_channel_id, state, funder, closer, channel_flags, minimum_depth, funding_tx_id, \
    funding_tx_outnum, funding_satoshi, push_msatoshi, scid, alias_local, alias_remote, channel_type, machine, feerate_base, feerate_ppm, \
    htlc_minimum_msat, htlc_maximum_msat, ignore_fee_limits, remote_update, announcement, close_to, shutdown_local, shutdown_remote, last_tx, \
    close_cause, last_stable_connection, msatoshi_to_us_min, msatoshi_to_us_max, in_payments_offered, in_payments_fulfilled, \
    in_msatoshi_offered, in_msatoshi_fulfilled, out_payments_offered, out_payments_fulfilled, out_msatoshi_offered, \
    out_msatoshi_fulfilled FROM channels c JOIN peers p ON p.id = c.peer_id";

const PUT_CHANNEL: &str = "INSERT INTO channels (id, peer_id, full_channel_id, state, funder, closer, channel_flags, minimum_depth, funding_tx_id, \
             funding_tx_outnum, funding_satoshi, push_msatoshi, scid, alias_local, alias_remote, channel_type, machine, feerate_base, \
             feerate_ppm, htlc_minimum_msat, htlc_maximum_msat, ignore_fee_limits, remote_update, announcement, close_to, shutdown_local, \
             shutdown_remote, last_tx, close_cause, last_stable_connection, msatoshi_to_us_min, msatoshi_to_us_max, in_payments_offered, \
             in_payments_fulfilled, in_msatoshi_offered, in_msatoshi_fulfilled, out_payments_offered, out_payments_fulfilled, \
             out_msatoshi_offered, out_msatoshi_fulfilled) VALUES (?1, (SELECT id FROM peers WHERE node_id = ?2), ?3, ?4, ?5, ?6, ?7, ?8, ?9, \
             ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32, ?33, ?34, \
             ?35, ?36, ?37, ?38, ?39, ?40) ON CONFLICT(id) DO UPDATE SET full_channel_id = excluded.full_channel_id, \
             state = excluded.state, closer = excluded.closer, minimum_depth = excluded.minimum_depth, scid = excluded.scid, \
             alias_remote = excluded.alias_remote, machine = excluded.machine, feerate_base = excluded.feerate_base, \
             feerate_ppm = excluded.feerate_ppm, htlc_minimum_msat = excluded.htlc_minimum_msat, \
             htlc_maximum_msat = excluded.htlc_maximum_msat, ignore_fee_limits = excluded.ignore_fee_limits, \
             remote_update = excluded.remote_update, announcement = excluded.announcement, close_to = excluded.close_to, \
             shutdown_local = excluded.shutdown_local, shutdown_remote = excluded.shutdown_remote, last_tx = excluded.last_tx, \
             close_cause = excluded.close_cause, last_stable_connection = excluded.last_stable_connection, \
             msatoshi_to_us_min = excluded.msatoshi_to_us_min, msatoshi_to_us_max = excluded.msatoshi_to_us_max, \
             in_payments_offered = excluded.in_payments_offered, in_payments_fulfilled = excluded.in_payments_fulfilled, \
             in_msatoshi_offered = excluded.in_msatoshi_offered, in_msatoshi_fulfilled = excluded.in_msatoshi_fulfilled, \
             out_payments_offered = excluded.out_payments_offered, out_payments_fulfilled = excluded.out_payments_fulfilled, \
             out_msatoshi_offered = excluded.out_msatoshi_offered, out_msatoshi_fulfilled = excluded.out_msatoshi_fulfilled";

fn side(number: u64) -> Option<Side> {
    match number {
        0 => Some(Side::Local),
        1 => Some(Side::Remote),
        _ => None,
    }
}

fn side_number(side: Side) -> u8 {
    match side {
        Side::Local => 0,
        Side::Remote => 1,
    }
}

fn state(row: &Row<'_>, table: &'static str, index: usize) -> Result<ChannelState, DbError> {
    let number: u8 = row.get(index)?;
    ChannelState::from_number(number).ok_or(DbError::Corrupt {
        table,
        column: "state",
    })
}

fn script(row: &Row<'_>, index: usize) -> Result<Option<ScriptBuf>, DbError> {
    let bytes: Option<Vec<u8>> = row.get(index)?;
    Ok(bytes.map(ScriptBuf::from_bytes))
}

fn channel(row: &Row<'_>) -> Result<ChannelRow, DbError> {
    let number = |column, index| get_u64(row, TABLE, column, index);
    let msat = |column, index| get_u64(row, TABLE, column, index).map(Msat::from_msat);
    let scid = |column, index| {
        Ok::<_, DbError>(get_opt_u64(row, TABLE, column, index)?.map(ShortChannelId::from_u64))
    };
    let corrupt = |column| DbError::Corrupt {
        table: TABLE,
        column,
    };
    let last_tx: Option<Vec<u8>> = row.get(27)?;
    Ok(ChannelRow {
        dbid: number("id", 0)?,
        peer: get_wire(row, TABLE, "peer_id", 1)?,
        channel_id: get_wire(row, TABLE, "full_channel_id", 2)?,
        state: state(row, TABLE, 3)?,
        opener: side(number("funder", 4)?).ok_or_else(|| corrupt("funder"))?,
        closer: get_opt_u64(row, TABLE, "closer", 5)?.and_then(side),
        public: number("channel_flags", 6)? & 1 == 1,
        minimum_depth: get_u32(row, TABLE, "minimum_depth", 7)?,
        funding: OutPoint {
            txid: get_wire(row, TABLE, "funding_tx_id", 8)?,
            vout: get_u32(row, TABLE, "funding_tx_outnum", 9)?,
        },
        capacity: Sat::from_sat(number("funding_satoshi", 10)?),
        pushed: msat("push_msatoshi", 11)?,
        scid: scid("scid", 12)?,
        alias_local: ShortChannelId::from_u64(number("alias_local", 13)?),
        alias_remote: scid("alias_remote", 14)?,
        channel_type: get_wire(row, TABLE, "channel_type", 15)?,
        machine: row.get(16)?,
        fee_base: msat("feerate_base", 17)?,
        fee_ppm: get_u32(row, TABLE, "feerate_ppm", 18)?,
        htlc_minimum: msat("htlc_minimum_msat", 19)?,
        htlc_maximum: msat("htlc_maximum_msat", 20)?,
        ignore_fee_limits: number("ignore_fee_limits", 21)? != 0,
        remote_update: row.get(22)?,
        announcement: row.get(23)?,
        close_to: script(row, 24)?,
        shutdown_local: script(row, 25)?,
        shutdown_remote: script(row, 26)?,
        last_tx: last_tx
            .map(|raw| deserialize(&raw).map_err(|_| corrupt("last_tx")))
            .transpose()?,
        close_cause: row.get(28)?,
        last_stable_connection: get_opt_u64(row, TABLE, "last_stable_connection", 29)?,
        to_us_min: msat("msatoshi_to_us_min", 30)?,
        to_us_max: msat("msatoshi_to_us_max", 31)?,
        in_payments_offered: number("in_payments_offered", 32)?,
        in_payments_fulfilled: number("in_payments_fulfilled", 33)?,
        in_offered: msat("in_msatoshi_offered", 34)?,
        in_fulfilled: msat("in_msatoshi_fulfilled", 35)?,
        out_payments_offered: number("out_payments_offered", 36)?,
        out_payments_fulfilled: number("out_payments_fulfilled", 37)?,
        out_offered: msat("out_msatoshi_offered", 38)?,
        out_fulfilled: msat("out_msatoshi_fulfilled", 39)?,
    })
}

impl Txn<'_> {
    /// Inserts or replaces a channel; its peer must be kept already.
    pub fn put_channel(&mut self, row: &ChannelRow) -> Result<(), DbError> {
        self.execute(
            PUT_CHANNEL,
            params![
                to_i64(row.dbid),
                wire(&row.peer),
                wire(&row.channel_id),
                row.state.number(),
                side_number(row.opener),
                row.closer.map(side_number),
                u8::from(row.public),
                row.minimum_depth,
                wire(&row.funding.txid),
                row.funding.vout,
                to_i64(row.capacity.as_sat()),
                to_i64(row.pushed.as_msat()),
                opt_i64(row.scid.map(ShortChannelId::as_u64)),
                to_i64(row.alias_local.as_u64()),
                opt_i64(row.alias_remote.map(ShortChannelId::as_u64)),
                wire(&row.channel_type),
                row.machine,
                to_i64(row.fee_base.as_msat()),
                row.fee_ppm,
                to_i64(row.htlc_minimum.as_msat()),
                to_i64(row.htlc_maximum.as_msat()),
                row.ignore_fee_limits,
                row.remote_update,
                row.announcement,
                row.close_to.as_ref().map(|script| script.as_bytes()),
                row.shutdown_local.as_ref().map(|script| script.as_bytes()),
                row.shutdown_remote.as_ref().map(|script| script.as_bytes()),
                row.last_tx.as_ref().map(serialize),
                row.close_cause,
                opt_i64(row.last_stable_connection),
                to_i64(row.to_us_min.as_msat()),
                to_i64(row.to_us_max.as_msat()),
                to_i64(row.in_payments_offered),
                to_i64(row.in_payments_fulfilled),
                to_i64(row.in_offered.as_msat()),
                to_i64(row.in_fulfilled.as_msat()),
                to_i64(row.out_payments_offered),
                to_i64(row.out_payments_fulfilled),
                to_i64(row.out_offered.as_msat()),
                to_i64(row.out_fulfilled.as_msat()),
            ],
        )?;
        Ok(())
    }

    /// Replaces a channel's protocol state and counters: the one write of the payment path.
    pub fn set_machine(
        &mut self,
        dbid: u64,
        machine: &[u8],
        counters: &ChannelCounters,
    ) -> Result<(), DbError> {
        let [
            min,
            max,
            in_offered,
            in_fulfilled,
            in_msat,
            in_done,
            out_offered,
            out_fulfilled,
            out_msat,
            out_done,
        ] = counters.0.map(to_i64);
        self.execute(
            "UPDATE channels SET machine = ?2, msatoshi_to_us_min = ?3, msatoshi_to_us_max = ?4, in_payments_offered = ?5, \
             in_payments_fulfilled = ?6, in_msatoshi_offered = ?7, in_msatoshi_fulfilled = ?8, out_payments_offered = ?9, \
             out_payments_fulfilled = ?10, out_msatoshi_offered = ?11, out_msatoshi_fulfilled = ?12 WHERE id = ?1",
            params![
                to_i64(dbid), machine, min, max, in_offered, in_fulfilled, in_msat, in_done, out_offered, out_fulfilled, out_msat,
                out_done
            ],
        )?;
        Ok(())
    }

    /// All channels, closed ones only if asked for.
    pub fn channels(&self, closed: bool) -> Result<Vec<ChannelRow>, DbError> {
        let filter = if closed { "state = 10" } else { "state <> 10" };
        self.all(
            &format!("{COLUMNS} WHERE {filter} ORDER BY c.id"),
            [],
            channel,
        )
    }

    /// The highest number a channel ever had.
    pub fn max_channel_dbid(&self) -> Result<u64, DbError> {
        let highest = self.first("SELECT max(id) FROM channels", [], |row| {
            get_u64(row, TABLE, "id", 0)
        })?;
        Ok(highest.unwrap_or(0).max(self.var("last_channel_dbid")?))
    }

    /// Forgets a channel that never came to be.
    pub fn delete_channel(&mut self, dbid: u64) -> Result<(), DbError> {
        self.execute("DELETE FROM channels WHERE id = ?1", [to_i64(dbid)])?;
        self.execute(
            "DELETE FROM penalty_bases WHERE channel_id = ?1",
            [to_i64(dbid)],
        )?;
        Ok(())
    }

    /// Notes a change of state.
    pub fn add_state_change(&mut self, dbid: u64, change: &StateChangeRow) -> Result<(), DbError> {
        self.execute(
            "INSERT INTO channel_state_changes (channel_id, timestamp, old_state, new_state, cause, message) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            (
                to_i64(dbid),
                to_i64(change.timestamp),
                change.old.number(),
                change.new.number(),
                &change.cause,
                &change.message,
            ),
        )?;
        Ok(())
    }

    /// A channel's changes of state, in order.
    pub fn state_changes(&self, dbid: u64) -> Result<Vec<StateChangeRow>, DbError> {
        self.all(
            "SELECT timestamp, old_state, new_state, cause, message FROM channel_state_changes WHERE channel_id = ?1 ORDER BY rowid",
            [to_i64(dbid)],
            |row| {
                Ok(StateChangeRow {
                    timestamp: get_u64(row, "channel_state_changes", "timestamp", 0)?,
                    old: state(row, "channel_state_changes", 1)?,
                    new: state(row, "channel_state_changes", 2)?,
                    cause: row.get(3)?,
                    message: row.get(4)?,
                })
            },
        )
    }
}

/// The numbers that change with every payment, kept together with the protocol state.
#[derive(Debug, Clone, Copy)]
pub struct ChannelCounters([u64; 10]);

impl ChannelCounters {
    /// Those of a channel as it is now.
    pub fn of(row: &ChannelRow) -> Self {
        Self([
            row.to_us_min.as_msat(),
            row.to_us_max.as_msat(),
            row.in_payments_offered,
            row.in_payments_fulfilled,
            row.in_offered.as_msat(),
            row.in_fulfilled.as_msat(),
            row.out_payments_offered,
            row.out_payments_fulfilled,
            row.out_offered.as_msat(),
            row.out_fulfilled.as_msat(),
        ])
    }
}
