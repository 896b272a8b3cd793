//! HTLCs in flight and past ones.

use bitcoin::secp256k1::PublicKey;
use ln_types::{CltvExpiry, HtlcId, Msat, PaymentHash, PaymentPreimage};
use rusqlite::{Row, params};

use crate::columns::{
    get_opt_u64, get_opt_wire, get_u32, get_u64, get_wire, opt_i64, opt_wire, to_i64, wire,
};
use crate::{DbError, Txn};

const TABLE: &str = "channel_htlcs";

/// Who offered an HTLC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HtlcDirection {
    /// The peer.
    Incoming,
    /// We.
    Outgoing,
}

/// An HTLC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HtlcRow {
    /// Its channel's number.
    pub channel: u64,
    /// Who offered it.
    pub direction: HtlcDirection,
    /// Its id in the channel.
    pub id: HtlcId,
    /// The amount.
    pub amount: Msat,
    /// When it times out.
    pub cltv_expiry: CltvExpiry,
    /// Its hash.
    pub payment_hash: PaymentHash,
    /// The onion that came or went with it.
    pub onion: Vec<u8>,
    /// The path key that came or went with it.
    pub path_key: Option<PublicKey>,
    /// The records that came with it, as a TLV stream.
    pub extra_tlvs: Vec<u8>,
    /// For an incoming one: the secret shared with the onion's maker.
    pub shared_secret: Option<[u8; 32]>,
    /// The preimage, once we decided to use it or it came.
    pub preimage: Option<PaymentPreimage>,
    /// The encrypted failure, once decided or come.
    pub failure: Option<Vec<u8>>,
    /// The onion's hash and the failure code, when it was malformed.
    pub malformed: Option<([u8; 32], u16)>,
    /// Whether it is gone from both commitments.
    pub removed: bool,
    /// For an outgoing one: the payment's part and group, if it is ours.
    pub payment: Option<(u64, u64)>,
    /// For an outgoing one: the incoming HTLC it forwards.
    pub origin: Option<(u64, HtlcId)>,
}

impl HtlcRow {
    /// Whether nothing is known yet of how it ends.
    pub fn is_open(&self) -> bool {
        self.preimage.is_none() && self.failure.is_none() && self.malformed.is_none()
    }
}

const COLUMNS: &str = "SELECT channel_id, direction, channel_htlc_id, msatoshi, cltv_expiry, payment_hash, routing_onion, path_key, \
                       shared_secret, payment_key, fail_reason, malformed_sha, malformed_code, removed, partid, groupid, origin_channel, \
                       origin_htlc, extra_tlvs FROM channel_htlcs";

fn direction_number(direction: HtlcDirection) -> u8 {
    match direction {
        HtlcDirection::Incoming => 0,
        HtlcDirection::Outgoing => 1,
    }
}

fn htlc(row: &Row<'_>) -> Result<HtlcRow, DbError> {
    let onion: Option<Vec<u8>> = row.get(6)?;
    let extra_tlvs: Option<Vec<u8>> = row.get(18)?;
    let malformed_sha: Option<[u8; 32]> = get_opt_wire(row, TABLE, "malformed_sha", 11)?;
    let malformed_code: Option<u16> = row.get(12)?;
    Ok(HtlcRow {
        channel: get_u64(row, TABLE, "channel_id", 0)?,
        direction: match get_u64(row, TABLE, "direction", 1)? {
            0 => HtlcDirection::Incoming,
            1 => HtlcDirection::Outgoing,
            _ => {
                return Err(DbError::Corrupt {
                    table: TABLE,
                    column: "direction",
                });
            }
        },
        id: HtlcId(get_u64(row, TABLE, "channel_htlc_id", 2)?),
        amount: Msat::from_msat(get_u64(row, TABLE, "msatoshi", 3)?),
        cltv_expiry: CltvExpiry(get_u32(row, TABLE, "cltv_expiry", 4)?),
        payment_hash: get_wire(row, TABLE, "payment_hash", 5)?,
        onion: onion.unwrap_or_default(),
        path_key: get_opt_wire(row, TABLE, "path_key", 7)?,
        extra_tlvs: extra_tlvs.unwrap_or_default(),
        shared_secret: get_opt_wire(row, TABLE, "shared_secret", 8)?,
        preimage: get_opt_wire(row, TABLE, "payment_key", 9)?,
        failure: row.get(10)?,
        malformed: malformed_sha.zip(malformed_code),
        removed: get_u64(row, TABLE, "removed", 13)? != 0,
        payment: get_opt_u64(row, TABLE, "partid", 14)?
            .zip(get_opt_u64(row, TABLE, "groupid", 15)?),
        origin: get_opt_u64(row, TABLE, "origin_channel", 16)?
            .zip(get_opt_u64(row, TABLE, "origin_htlc", 17)?.map(HtlcId)),
    })
}

impl Txn<'_> {
    /// Keeps a new HTLC; one that is known already is left as it is.
    pub fn add_htlc(&mut self, row: &HtlcRow) -> Result<(), DbError> {
        let (sha, code) = row.malformed.unzip();
        self.execute(
            "INSERT OR IGNORE INTO channel_htlcs (channel_id, direction, channel_htlc_id, msatoshi, cltv_expiry, payment_hash, \
             routing_onion, path_key, shared_secret, payment_key, fail_reason, malformed_sha, malformed_code, removed, partid, groupid, \
             origin_channel, origin_htlc, extra_tlvs) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, \
             ?19)",
            params![
                to_i64(row.channel),
                direction_number(row.direction),
                to_i64(row.id.0),
                to_i64(row.amount.as_msat()),
                row.cltv_expiry.0,
                wire(&row.payment_hash),
                row.onion,
                opt_wire(row.path_key.as_ref()),
                opt_wire(row.shared_secret.as_ref()),
                opt_wire(row.preimage.as_ref()),
                row.failure,
                opt_wire(sha.as_ref()),
                code,
                row.removed,
                opt_i64(row.payment.map(|payment| payment.0)),
                opt_i64(row.payment.map(|payment| payment.1)),
                opt_i64(row.origin.map(|origin| origin.0)),
                opt_i64(row.origin.map(|origin| origin.1.0)),
                (!row.extra_tlvs.is_empty()).then_some(&row.extra_tlvs),
            ],
        )?;
        Ok(())
    }

    /// Notes the preimage of an HTLC.
    pub fn set_htlc_preimage(
        &mut self,
        channel: u64,
        direction: HtlcDirection,
        id: HtlcId,
        preimage: &PaymentPreimage,
    ) -> Result<(), DbError> {
        self.execute(
            "UPDATE channel_htlcs SET payment_key = ?4 WHERE channel_id = ?1 AND direction = ?2 AND channel_htlc_id = ?3",
            (to_i64(channel), direction_number(direction), to_i64(id.0), wire(preimage)),
        )?;
        Ok(())
    }

    /// Notes the failure of an HTLC: the encrypted reason, or the onion's hash and code when it was malformed.
    pub fn set_htlc_failure(
        &mut self,
        channel: u64,
        direction: HtlcDirection,
        id: HtlcId,
        failure: &Result<Vec<u8>, ([u8; 32], u16)>,
    ) -> Result<(), DbError> {
        let (reason, sha, code) = match failure {
            Ok(reason) => (Some(reason), None, None),
            Err((sha, code)) => (None, Some(wire(sha)), Some(*code)),
        };
        self.execute(
            "UPDATE channel_htlcs SET fail_reason = ?4, malformed_sha = ?5, malformed_code = ?6 \
             WHERE channel_id = ?1 AND direction = ?2 AND channel_htlc_id = ?3",
            (
                to_i64(channel),
                direction_number(direction),
                to_i64(id.0),
                reason,
                sha,
                code,
            ),
        )?;
        Ok(())
    }

    /// Notes that an HTLC is gone from both commitments; its onion is no longer needed.
    pub fn set_htlc_removed(
        &mut self,
        channel: u64,
        direction: HtlcDirection,
        id: HtlcId,
    ) -> Result<(), DbError> {
        self.execute(
            "UPDATE channel_htlcs SET removed = 1, routing_onion = NULL, extra_tlvs = NULL WHERE channel_id = ?1 AND direction = ?2 AND channel_htlc_id = ?3",
            (to_i64(channel), direction_number(direction), to_i64(id.0)),
        )?;
        Ok(())
    }

    /// What an HTLC that is one side of a forwarded payment left us; nothing if it is none.
    pub fn forwarding_fee(
        &self,
        channel: u64,
        direction: HtlcDirection,
        id: HtlcId,
    ) -> Result<Option<Msat>, DbError> {
        let side = match direction {
            HtlcDirection::Incoming => "o.origin_channel = ?1 AND o.origin_htlc = ?2",
            HtlcDirection::Outgoing => {
                "o.channel_id = ?1 AND o.channel_htlc_id = ?2 AND o.direction = 1"
            }
        };
        self.first(
            &format!(
                "SELECT max(i.msatoshi - o.msatoshi, 0) FROM channel_htlcs o JOIN channel_htlcs i ON i.channel_id = o.origin_channel \
                 AND i.channel_htlc_id = o.origin_htlc AND i.direction = 0 WHERE {side}"
            ),
            (to_i64(channel), to_i64(id.0)),
            |row| get_u64(row, TABLE, "msatoshi", 0).map(Msat::from_msat),
        )
    }

    /// The HTLCs of all channels that are still in a commitment.
    pub fn live_htlcs(&self) -> Result<Vec<HtlcRow>, DbError> {
        self.all(
            &format!("{COLUMNS} WHERE removed = 0 ORDER BY id"),
            [],
            htlc,
        )
    }

    /// The HTLCs of one channel that are still in a commitment.
    pub fn live_htlcs_of(&self, channel: u64) -> Result<Vec<HtlcRow>, DbError> {
        self.all(
            &format!("{COLUMNS} WHERE removed = 0 AND channel_id = ?1 ORDER BY id"),
            [to_i64(channel)],
            htlc,
        )
    }

    /// All HTLCs a channel ever had: a revoked commitment may hold any of them.
    pub fn all_htlcs_of(&self, channel: u64) -> Result<Vec<HtlcRow>, DbError> {
        self.all(
            &format!("{COLUMNS} WHERE channel_id = ?1 ORDER BY id"),
            [to_i64(channel)],
            htlc,
        )
    }
}
