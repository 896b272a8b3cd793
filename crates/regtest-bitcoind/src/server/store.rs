//! Where chain, wallets and mempool are kept: a directory, or only memory.

use super::journal::{Journal, decode_chain_record, encode_chain_record};
use crate::node::{ChainRecord, Node};
use crate::rpc::WalletFiles;
use crate::wallet::WalletRecord;
use bitcoin::consensus::{deserialize, serialize};
use bitcoin::{Transaction, Txid};
use std::collections::{HashMap, HashSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The files of one chain.
#[derive(Debug)]
pub struct Store {
    dir: Option<PathBuf>,
    chain: Option<Journal>,
    wallets: HashMap<String, Journal>,
    /// Wallets of a chain that is only in memory.
    memory: HashMap<String, Vec<WalletRecord>>,
}

impl Store {
    /// A store that keeps nothing beyond the process.
    pub fn in_memory() -> Self {
        Self {
            dir: None,
            chain: None,
            wallets: HashMap::new(),
            memory: HashMap::new(),
        }
    }

    /// The store in a directory, and the chain's records in it.
    pub fn open(dir: &Path) -> io::Result<(Self, Vec<ChainRecord>)> {
        fs::create_dir_all(dir.join("blocks"))?;
        fs::create_dir_all(dir.join("wallets"))?;
        let (chain, records) = Journal::open(&dir.join("blocks").join("chain.dat"))?;
        let records = records
            .iter()
            .filter_map(|bytes| decode_chain_record(bytes))
            .collect();
        let dir = Some(dir.to_owned());
        Ok((
            Self {
                dir,
                chain: Some(chain),
                wallets: HashMap::new(),
                memory: HashMap::new(),
            },
            records,
        ))
    }

    /// Appends chain records.
    pub fn write_chain(&mut self, records: &[ChainRecord]) -> io::Result<()> {
        let Some(chain) = &mut self.chain else {
            return Ok(());
        };
        let bytes: Vec<Vec<u8>> = records.iter().map(encode_chain_record).collect();
        chain.append(bytes.iter().map(Vec::as_slice))
    }

    /// Appends wallet records.
    pub fn write_wallet(&mut self, name: &str, records: &[WalletRecord]) -> io::Result<()> {
        let Some(path) = self.wallet_path(name) else {
            self.memory
                .entry(name.to_owned())
                .or_default()
                .extend_from_slice(records);
            return Ok(());
        };
        if !self.wallets.contains_key(name) {
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent)?;
            }
            self.wallets
                .insert(name.to_owned(), Journal::open(&path)?.0);
        }
        let Some(journal) = self.wallets.get_mut(name) else {
            return Ok(());
        };
        let bytes: Vec<Vec<u8>> = records.iter().map(WalletRecord::encode).collect();
        journal.append(bytes.iter().map(Vec::as_slice))
    }

    fn wallet_path(&self, name: &str) -> Option<PathBuf> {
        Some(
            self.dir
                .as_ref()?
                .join("wallets")
                .join(name)
                .join("wallet.dat"),
        )
    }

    /// Names of all wallets.
    pub fn wallet_names(&self) -> HashSet<String> {
        let Some(dir) = &self.dir else {
            return self.memory.keys().cloned().collect();
        };
        let dir = dir.join("wallets");
        let mut names = HashSet::new();
        if dir.join("wallet.dat").exists() {
            names.insert(String::new());
        }
        let entries = fs::read_dir(dir).into_iter().flatten().flatten();
        for entry in entries.filter(|entry| entry.path().join("wallet.dat").exists()) {
            names.extend(entry.file_name().into_string());
        }
        names
    }

    /// Writes the mempool for the next start, and waits until all files are on the disk.
    pub fn close(&self, node: &Node) -> io::Result<()> {
        let Some(dir) = &self.dir else { return Ok(()) };
        let new = dir.join("mempool.new");
        // A file left by a stop that was cut short.
        let _none = fs::remove_file(&new);
        let (mut journal, _) = Journal::open(&new)?;
        let mut records: Vec<Vec<u8>> = Vec::new();
        for entry in node.mempool.by_arrival() {
            let mut record = vec![b't'];
            record.extend(entry.time.to_le_bytes());
            record.extend(serialize(entry.tx.as_ref()));
            records.push(record);
        }
        for (txid, delta) in node.mempool.deltas() {
            let mut record = vec![b'd'];
            record.extend(delta.to_le_bytes());
            record.extend(serialize(txid));
            records.push(record);
        }
        journal.append(records.iter().map(Vec::as_slice))?;
        journal.sync()?;
        fs::rename(&new, dir.join("mempool.dat"))?;
        for journal in self.chain.iter().chain(self.wallets.values()) {
            journal.sync()?;
        }
        Ok(())
    }

    /// Offers the transactions kept by the last [`Store::close`] to the mempool again.
    pub fn load_mempool(&self, node: &mut Node) -> io::Result<()> {
        let Some(path) = self.dir.as_ref().map(|dir| dir.join("mempool.dat")) else {
            return Ok(());
        };
        if !path.exists() {
            return Ok(());
        }
        let (_, records) = Journal::open(&path)?;
        for record in records {
            let Some((tag, rest)) = record.split_first() else {
                continue;
            };
            let Some((number, body)) = rest.split_first_chunk::<8>() else {
                continue;
            };
            match tag {
                b't' => {
                    if let Ok(tx) = deserialize::<Transaction>(body) {
                        // The chain may have moved on; what no longer fits is dropped.
                        let _refused = node.accept(tx, u64::from_le_bytes(*number));
                    }
                }
                b'd' => {
                    if let Ok(txid) = deserialize::<Txid>(body) {
                        node.mempool.prioritise(txid, i64::from_le_bytes(*number));
                    }
                }
                _ => {}
            }
        }
        fs::remove_file(path)
    }
}

impl WalletFiles for Store {
    fn read(&mut self, name: &str) -> Option<Vec<WalletRecord>> {
        let Some(path) = self.wallet_path(name) else {
            return self.memory.get(name).cloned();
        };
        if !path.exists() {
            return None;
        }
        let (journal, records) = Journal::open(&path).ok()?;
        self.wallets.insert(name.to_owned(), journal);
        records
            .iter()
            .map(|bytes| WalletRecord::decode(bytes))
            .collect()
    }

    fn export(&mut self, name: &str, path: &str) -> Result<(), String> {
        let failed = |why: io::Error| format!("Error: Wallet backup failed! {path}: {why}");
        if let Some(from) = self.wallet_path(name) {
            return fs::copy(from, path).map(|_| ()).map_err(failed);
        }
        let records = self.memory.get(name).map_or(&[][..], Vec::as_slice);
        let bytes: Vec<Vec<u8>> = records.iter().map(WalletRecord::encode).collect();
        // An older backup of that name is replaced.
        let _none = fs::remove_file(path);
        let (mut journal, _) = Journal::open(Path::new(path)).map_err(failed)?;
        journal
            .append(bytes.iter().map(Vec::as_slice))
            .map_err(failed)
    }

    fn import(&mut self, path: &str) -> Result<Vec<WalletRecord>, String> {
        if !Path::new(path).is_file() {
            return Err("Backup file does not exist".to_owned());
        }
        let records = Journal::read(Path::new(path)).map_err(|why| why.to_string())?;
        let records: Option<_> = records
            .iter()
            .map(|bytes| WalletRecord::decode(bytes))
            .collect();
        records.ok_or_else(|| format!("'{path}' is not a wallet of ours"))
    }
}
