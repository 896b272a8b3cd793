//! Reading a whole store, with what is wrong with it.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use ln_codec::Decode;
use ln_gossip::Graph;
use ln_gossip::store::{HEADER_LEN, InternalRecord, Records, VERSION};

/// How much is read at once.
const CHUNK: usize = 1 << 20;
/// The longest record: what a torn write can leave behind at most.
const MAX_RECORD: u64 = 65_535 + HEADER_LEN;

/// The state of a store's file.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "one at a time, and short-lived")]
pub(crate) enum Condition {
    /// It can be written on.
    Good {
        /// What it says.
        graph: Graph,
        /// Where the next record goes.
        end: u64,
        /// Bytes behind it: a record that was never finished.
        torn: u64,
    },
    /// It is of another version.
    Version(u8),
    /// It holds something that makes no sense.
    Damaged {
        /// What.
        reason: String,
    },
}

/// Reads a store from its beginning.
pub(crate) fn examine(file: &File) -> io::Result<Condition> {
    let length = file.metadata()?.len();
    let mut version = [0];
    if file.read_at(&mut version, 0)? == 0 {
        let reason = "file is empty".to_owned();
        return Ok(Condition::Damaged { reason });
    }
    let [version] = version;
    if version != VERSION {
        return Ok(Condition::Version(version));
    }
    let mut scan = Scan {
        graph: Graph::new(),
        has_uuid: false,
    };
    let mut offset = 1;
    let mut chunk = Vec::new();
    loop {
        read_chunk(file, offset, length, &mut chunk)?;
        let mut records = Records::new(&chunk, offset);
        if let Err(reason) = scan.take(&mut records) {
            return Ok(Condition::Damaged { reason });
        }
        if records.offset() == offset {
            break;
        }
        offset = records.offset();
    }
    Ok(scan.conclude(offset, length))
}

/// Reads a good piece of a file of `length` bytes, from `offset` on.
pub(crate) fn read_chunk(
    file: &File,
    offset: u64,
    length: u64,
    chunk: &mut Vec<u8>,
) -> io::Result<()> {
    let left = usize::try_from(length.saturating_sub(offset)).unwrap_or(usize::MAX);
    chunk.resize(left.min(CHUNK), 0);
    let read = file.read_at(chunk, offset)?;
    chunk.truncate(read);
    Ok(())
}

struct Scan {
    graph: Graph,
    has_uuid: bool,
}

impl Scan {
    fn take(&mut self, records: &mut Records<'_>) -> Result<(), String> {
        while let Some(record) = records.next_record().map_err(|error| error.to_string())? {
            if !self.has_uuid {
                let first = InternalRecord::from_bytes(record.message);
                self.has_uuid = matches!(first, Ok(InternalRecord::Uuid(_)));
                if !self.has_uuid {
                    return Err("first record is not the uuid".to_owned());
                }
            }
            self.graph.apply(&record);
        }
        Ok(())
    }

    fn conclude(self, offset: u64, length: u64) -> Condition {
        let torn = length.saturating_sub(offset);
        if !self.has_uuid {
            let reason = "first record is not the uuid".to_owned();
            return Condition::Damaged { reason };
        }
        if torn > MAX_RECORD {
            let reason = format!("only processed {offset} bytes of {length}");
            return Condition::Damaged { reason };
        }
        // A crash may also come between an announcement and its amount.
        let end = match self.graph.unfunded() {
            Some(half) if half.end() == offset => half.offset,
            _ => offset,
        };
        Condition::Good {
            graph: self.graph,
            end,
            torn: length.saturating_sub(end),
        }
    }
}
