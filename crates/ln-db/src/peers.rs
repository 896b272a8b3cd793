//! Peers we have channels with.

use ln_types::{Features, NetAddr, NodeId};

use crate::columns::{get_u64, get_wire, opt_wire, wire};
use crate::{DbError, Txn};

/// A peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerRow {
    /// Its node id.
    pub id: NodeId,
    /// Where it was last reached.
    pub address: Option<NetAddr>,
    /// What it last offered in `init`.
    pub features: Features,
}

impl Txn<'_> {
    /// Keeps a peer and returns its number in the database.
    pub fn put_peer(&mut self, peer: &PeerRow) -> Result<u64, DbError> {
        self.execute(
            "INSERT INTO peers (node_id, address, feature_bits) VALUES (?1, ?2, ?3) ON CONFLICT(node_id) DO UPDATE SET \
             address = coalesce(excluded.address, address), feature_bits = excluded.feature_bits",
            (wire(&peer.id), peer.address.as_ref().map(ToString::to_string), opt_wire(Some(&peer.features))),
        )?;
        let number = self.first(
            "SELECT id FROM peers WHERE node_id = ?1",
            [wire(&peer.id)],
            |row| get_u64(row, "peers", "id", 0),
        )?;
        number.ok_or(DbError::Corrupt {
            table: "peers",
            column: "id",
        })
    }

    /// All peers.
    pub fn peers(&self) -> Result<Vec<PeerRow>, DbError> {
        self.all(
            "SELECT node_id, address, feature_bits FROM peers ORDER BY id",
            [],
            |row| {
                let address: Option<String> = row.get(1)?;
                Ok(PeerRow {
                    id: get_wire(row, "peers", "node_id", 0)?,
                    address: address.and_then(|address| address.parse().ok()),
                    features: get_wire(row, "peers", "feature_bits", 2)?,
                })
            },
        )
    }
}
