//! The graph as other processes read it.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ln_gossip::Graph;
use ln_gossip::store::{RecordRef, Records, VERSION};

use crate::damage::read_chunk;
use crate::store_file::read_message;

/// The type of the record that ends a file.
const ENDED: u16 = 4105;

/// A [`Graph`] that follows the store as gossipd writes it.
#[derive(Debug)]
pub struct GossipMap {
    path: PathBuf,
    file: File,
    /// Shared with those who look at it at length: a change then makes another.
    graph: Arc<Graph>,
    offset: u64,
    /// A record that looked damaged: perhaps its header was just being written.
    suspect: Option<u64>,
}

impl GossipMap {
    /// Reads the store. Records that are damaged are left out: gossipd deals with them.
    pub fn load(path: &Path) -> io::Result<Self> {
        let mut map = Self {
            path: path.to_owned(),
            file: File::open(path)?,
            graph: Arc::default(),
            offset: 1,
            suspect: None,
        };
        map.check_version()?;
        map.refresh()?;
        Ok(map)
    }

    fn check_version(&self) -> io::Result<()> {
        let mut version = [0];
        self.file.read_exact_at(&mut version, 0)?;
        let [version] = version;
        // Minor versions may add records and flags; a reader skips what it does not know.
        if version >> 5 == VERSION >> 5 {
            Ok(())
        } else {
            let text = format!("gossip_store version {version} can't be read, only {VERSION}");
            Err(io::Error::new(io::ErrorKind::InvalidData, text))
        }
    }

    /// The graph as of the last [`GossipMap::refresh`].
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// The same, to be kept: it changes no more.
    pub fn shared(&self) -> Arc<Graph> {
        Arc::clone(&self.graph)
    }

    /// The message of a record of the graph.
    pub fn message(&self, record: RecordRef) -> io::Result<Vec<u8>> {
        read_message(&self.file, record)
    }

    /// Reads what was written since. Says whether the graph changed.
    ///
    /// When the store was written anew this reads the new one: records of the graph stand elsewhere then.
    pub fn refresh(&mut self) -> io::Result<bool> {
        let mut changed = false;
        let mut chunk = Vec::new();
        loop {
            let before = self.offset;
            read_chunk(&self.file, before, self.file.metadata()?.len(), &mut chunk)?;
            let mut records = Records::new(&chunk, before);
            let (mut ended, mut again) = (false, None);
            loop {
                match records.next_record() {
                    Ok(Some(record)) if record.number() == ENDED => ended = true,
                    Ok(Some(record)) => changed |= Arc::make_mut(&mut self.graph).apply(&record),
                    Ok(None) => break,
                    Err(error) if self.suspect == Some(error.offset()) => (),
                    Err(error) => {
                        again = Some(error.offset());
                        break;
                    }
                }
            }
            self.suspect = again;
            self.offset = again.unwrap_or(records.offset());
            if ended {
                // The new file has been given its name before the old one was ended.
                *self = Self::load(&self.path)?;
                return Ok(true);
            }
            if self.offset == before && again.is_none() {
                return Ok(changed);
            }
        }
    }
}
