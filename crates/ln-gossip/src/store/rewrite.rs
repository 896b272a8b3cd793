//! Writing a store anew: to drop void records, to convert an old version, to save what a damaged file still holds.

use super::{Record, RecordFlags, Records, VERSION, append, new_store};

/// A store written anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rewritten {
    /// The new file.
    pub bytes: Vec<u8>,
    /// Records kept.
    pub kept: usize,
    /// Records that could not be read.
    pub damaged: usize,
}

/// Whether stores of this version byte can be converted.
pub const fn can_upgrade(version: u8) -> bool {
    matches!(version, 9..=15)
}

/// Whether a record of an old version has a place in a new store.
fn survives(version: u8, record: &Record<'_>) -> bool {
    match record.number() {
        // Before version 11, updates without htlc_maximum_msat could be there.
        258 if version <= 10 => record.message.len() != 130,
        // Before version 14, records of expired channels could be there.
        256..=258 | 4101 if version <= 13 => !record.header.flags.has(RecordFlags::ZOMBIE),
        256..=258 | 4101 | 4106 => true,
        // Private channels (4102, 4104) are no longer kept here; tombstones and the uuid belong to the old file.
        _ => false,
    }
}

/// Copies what is alive in `old` (version byte included) into a new store.
///
/// A damaged record is skipped; reading goes on behind it as long as what follows makes sense. An announcement without its amount is
/// dropped.
pub fn rewrite(old: &[u8], uuid: [u8; 32]) -> Rewritten {
    let mut bytes = new_store(uuid);
    let (mut kept, mut damaged) = (0_usize, 0_usize);
    let (version, body) = old.split_first().unwrap_or((&VERSION, &[]));
    let mut records = Records::new(body, 1);
    if *version < 15 {
        records = records.accept_uncompleted();
    }
    let mut announcement: Option<Record<'_>> = None;
    loop {
        let record = match records.next_record() {
            Ok(Some(record)) => record,
            Ok(None) => break,
            Err(_) => {
                damaged = damaged.saturating_add(1);
                announcement = None;
                continue;
            }
        };
        if record.is_deleted() || !survives(*version, &record) {
            continue;
        }
        match record.number() {
            256 => announcement = Some(record),
            4101 => {
                if let Some(announcement) = announcement.take() {
                    copy(&mut bytes, &announcement);
                    copy(&mut bytes, &record);
                    kept = kept.saturating_add(2);
                }
            }
            _ => {
                copy(&mut bytes, &record);
                kept = kept.saturating_add(1);
            }
        }
    }
    Rewritten {
        bytes,
        kept,
        damaged,
    }
}

fn copy(store: &mut Vec<u8>, record: &Record<'_>) {
    let start = store.len();
    append(store, record.message, record.header.timestamp);
    if record.is_dying() {
        let flags = RecordFlags::COMPLETED | RecordFlags::DYING;
        let end = start.saturating_add(2);
        if let Some(field) = store.get_mut(start..end) {
            field.copy_from_slice(&flags.0.to_be_bytes());
        }
    }
}
