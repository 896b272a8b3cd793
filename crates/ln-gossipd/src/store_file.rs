//! The `gossip_store` as gossipd writes it.

use std::fmt;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use ln_codec::{Decode, Encode};
use ln_gossip::Graph;
use ln_gossip::store::{
    RecordFlags, RecordHeader, RecordRef, StoreEnded, can_upgrade, internal_bytes, new_store,
    rewrite,
};

use crate::StorePlace;
use crate::damage::{Condition, examine};
use crate::store_place::StoreHandles;

/// Why the store can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreFileError {
    /// The file system refuses.
    #[error("{what} {}: {error}", path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// On which file.
        path: PathBuf,
        /// What it said.
        error: io::Error,
    },
    /// A record that should be there is not.
    #[error("gossip_store: no record at offset {offset}")]
    NoRecord {
        /// Where.
        offset: u64,
    },
    /// It is damaged again as soon as it is mended.
    #[error("gossip_store is damaged again as soon as it is mended: check the disk")]
    Hopeless,
    /// No random numbers for the uuid.
    #[error("no random numbers: {0}")]
    Random(getrandom::Error),
}

/// A store just opened.
#[derive(Debug)]
pub struct Opened {
    /// The file.
    pub file: StoreFile,
    /// The same file for others, who can't write.
    pub reader: File,
    /// What it says.
    pub graph: Graph,
    /// What had to be done; empty when it was as it should be.
    pub repairs: Vec<Repair>,
}

/// What had to be done to a store before it could be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Repair {
    /// It was of an older version.
    Converted {
        /// Which.
        version: u8,
    },
    /// The last write had not been finished.
    CutTail {
        /// Its bytes.
        bytes: u64,
    },
    /// It was of a version nobody can convert, and was set aside.
    UnknownVersion {
        /// Which.
        version: u8,
    },
    /// It was damaged, and was set aside.
    Damaged {
        /// What was found.
        reason: String,
        /// How many records could be saved.
        saved: usize,
    },
}

impl fmt::Display for Repair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Converted { version } => write!(f, "converted version {version} store"),
            Self::CutTail { bytes } => write!(
                f,
                "gossip_store: cut off {bytes} bytes of an unfinished write"
            ),
            Self::UnknownVersion { version } => {
                write!(f, "Cannot upgrade gossip_store version {version}")
            }
            Self::Damaged { reason, saved } => {
                write!(
                    f,
                    "{reason}. Moving to gossip_store.corrupt ({saved} records saved)"
                )
            }
        }
    }
}

/// The store, open for writing.
#[derive(Debug)]
pub struct StoreFile {
    place: StorePlace,
    file: File,
    end: u64,
}

fn uuid() -> Result<[u8; 32], StoreFileError> {
    let mut uuid = [0; 32];
    getrandom::fill(&mut uuid).map_err(StoreFileError::Random)?;
    Ok(uuid)
}

impl StoreFile {
    /// Opens the store; makes it when there is none, converts an old one, cuts a torn tail off, and sets a damaged one aside as
    /// `<name>.corrupt`, saving what it still holds.
    pub fn open(place: &StorePlace) -> Result<Opened, StoreFileError> {
        let path = place.path();
        let mut repairs = Vec::new();
        // Each repair is made once at most; the last turn finds the store as it should be.
        for _ in 0..4 {
            let StoreHandles { file, reader } = match place.open() {
                Ok(opened) => opened,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    replace(place, &new_store(uuid()?))?;
                    continue;
                }
                Err(error) => return Err(io_error("opening", path)(error)),
            };
            match examine(&file).map_err(io_error("reading", path))? {
                Condition::Good { graph, end, torn } => {
                    let place = place.clone();
                    let mut file = Self { place, file, end };
                    if torn > 0 {
                        repairs.push(Repair::CutTail { bytes: torn });
                        file.cut_tail()?;
                    }
                    return Ok(Opened {
                        file,
                        reader,
                        graph,
                        repairs,
                    });
                }
                Condition::Version(version) if can_upgrade(version) => {
                    Self::rewrite_into(place, &file, path)?;
                    repairs.push(Repair::Converted { version });
                }
                Condition::Version(version) => {
                    set_aside(place)?;
                    repairs.push(Repair::UnknownVersion { version });
                }
                Condition::Damaged { reason } => {
                    set_aside(place)?;
                    let saved = Self::rewrite_into(place, &file, &place.aside())?;
                    repairs.push(Repair::Damaged { reason, saved });
                }
            }
        }
        Err(StoreFileError::Hopeless)
    }

    /// Writes what is alive in `old` to a new file that takes the store's name; `old` is told that it ended. Returns how many records were
    /// kept.
    fn rewrite_into(
        place: &StorePlace,
        old: &File,
        old_path: &Path,
    ) -> Result<usize, StoreFileError> {
        let length = old.metadata().map_err(io_error("reading", old_path))?.len();
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(usize::MAX)];
        old.read_exact_at(&mut bytes, 0)
            .map_err(io_error("reading", old_path))?;
        let uuid = uuid()?;
        let new = rewrite(&bytes, uuid);
        replace(place, &new.bytes)?;
        // Whoever reads the old file goes on in the new one. Should this fail they find out when they start next.
        let ended = StoreEnded {
            equivalent_offset: u64::try_from(new.bytes.len()).unwrap_or(u64::MAX),
            uuid,
        };
        let ended = internal_bytes(ended);
        let mut record = RecordHeader::new(&ended, 0, RecordFlags::COMPLETED).to_bytes();
        record.extend(ended);
        let _ = old.write_all_at(&record, length);
        Ok(new.kept)
    }

    /// Where the next record goes.
    pub fn end(&self) -> u64 {
        self.end
    }

    /// Drops whatever a failed or torn write left behind the end.
    pub fn cut_tail(&mut self) -> Result<(), StoreFileError> {
        self.file
            .set_len(self.end)
            .map_err(io_error("cutting", self.place.path()))
    }

    /// Appends a record. It counts from the moment its completed flag is written, in a write of its own.
    pub fn append(
        &mut self,
        message: &[u8],
        timestamp: u32,
        flags: RecordFlags,
    ) -> Result<(), StoreFileError> {
        let mut header = RecordHeader::new(message, timestamp, RecordFlags::NONE);
        let mut bytes = header.to_bytes();
        bytes.extend_from_slice(message);
        self.write_at(&bytes, self.end)?;
        header.flags = flags | RecordFlags::COMPLETED;
        let at = RecordRef {
            offset: self.end,
            length: header.length,
        };
        self.set_flags(at, header.flags)?;
        self.end = at.end();
        Ok(())
    }

    /// Appends a copy of a record with another header.
    pub fn append_copy(
        &mut self,
        record: RecordRef,
        timestamp: u32,
        flags: RecordFlags,
    ) -> Result<(), StoreFileError> {
        let message = self.message(record)?;
        self.append(&message, timestamp, flags)
    }

    /// Replaces a record's flags.
    pub fn set_flags(&mut self, at: RecordRef, flags: RecordFlags) -> Result<(), StoreFileError> {
        self.write_at(&flags.to_bytes(), at.offset)
    }

    /// Replaces a record's timestamp, and the checksum with it.
    pub fn set_timestamp(&mut self, at: RecordRef, timestamp: u32) -> Result<(), StoreFileError> {
        let message = self.message(at)?;
        let mut flags = [0; 2];
        self.read_at(&mut flags, at.offset)?;
        let flags = RecordFlags(u16::from_be_bytes(flags));
        let header = RecordHeader::new(&message, timestamp, flags);
        self.write_at(&header.to_bytes(), at.offset)
    }

    /// A record's message.
    pub fn message(&self, at: RecordRef) -> Result<Vec<u8>, StoreFileError> {
        read_message(&self.file, at).map_err(io_error("reading", self.place.path()))
    }

    /// Whether the file still has its name: false when somebody deleted or replaced it.
    pub fn is_in_place(&self) -> bool {
        self.place.has(&self.file)
    }

    /// Writes the store anew without its void records. Returns what it says now, every record standing elsewhere, and the new file for
    /// others to read.
    pub fn compact(&mut self) -> Result<(Graph, File), StoreFileError> {
        self.cut_tail()?;
        Self::rewrite_into(&self.place, &self.file, self.place.path())?;
        let opened = Self::open(&self.place)?;
        *self = opened.file;
        Ok((opened.graph, opened.reader))
    }

    /// From now on every write fails, as on a disk that went bad.
    #[cfg(test)]
    pub(crate) fn make_read_only(&mut self) {
        self.file = File::open(self.place.path()).expect("it is there");
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> Result<(), StoreFileError> {
        let written = self.file.write_all_at(bytes, offset);
        written.map_err(io_error("writing", self.place.path()))
    }

    fn read_at(&self, bytes: &mut [u8], offset: u64) -> Result<(), StoreFileError> {
        let read = self.file.read_exact_at(bytes, offset);
        read.map_err(io_error("reading", self.place.path()))
    }
}

/// A record's message, checked.
pub(crate) fn read_message(file: &File, at: RecordRef) -> io::Result<Vec<u8>> {
    let mut header = [0; 12];
    file.read_exact_at(&mut header, at.offset)?;
    let mut message = vec![0; usize::from(at.length)];
    file.read_exact_at(&mut message, at.message_offset())?;
    let header = RecordHeader::from_bytes(&header).map_err(io::Error::other)?;
    if header.length == at.length && header.matches(&message) {
        Ok(message)
    } else {
        let offset = at.offset;
        Err(io::Error::other(StoreFileError::NoRecord { offset }))
    }
}

fn io_error(what: &'static str, path: &Path) -> impl Fn(io::Error) -> StoreFileError {
    let path = path.to_owned();
    move |error| StoreFileError::Io {
        what,
        path: path.clone(),
        error,
    }
}

fn set_aside(place: &StorePlace) -> Result<(), StoreFileError> {
    let done = place.set_aside();
    done.map_err(io_error("setting aside", place.path()))
}

/// Writes a whole file under a temporary name and then gives it its name.
fn replace(place: &StorePlace, bytes: &[u8]) -> Result<(), StoreFileError> {
    let write = || {
        let file = place.make()?;
        file.write_all_at(bytes, 0)?;
        file.sync_all()?;
        place.publish()
    };
    write().map_err(io_error("writing", &place.temporary()))
}
