//! The scripts to look for in blocks.

use std::collections::HashMap;

use bitcoin::{Script, ScriptBuf};

use crate::keys::script_of;
use crate::{AddressKind, KeysExhausted, WalletKeys};

/// How many indexes past the last one given out are looked for, so that a restored wallet finds its coins.
pub const LOOK_AHEAD: u32 = 50;

/// All scripts of the wallet up to the look-ahead.
#[derive(Debug, Clone)]
pub struct ScriptIndex {
    keys: WalletKeys,
    by_script: HashMap<ScriptBuf, (AddressKind, u32)>,
    /// The last index given out or seen used; addresses begin at 1.
    last_used: u32,
    /// The first index not in the map.
    next: u32,
}

impl ScriptIndex {
    /// The scripts of all indexes up to `last_used` and the look-ahead past it.
    pub fn new(keys: WalletKeys, last_used: u32) -> Result<Self, KeysExhausted> {
        let mut index = Self {
            keys,
            by_script: HashMap::new(),
            last_used,
            next: 0,
        };
        index.extend()?;
        Ok(index)
    }

    /// The keys it derives from.
    pub fn keys(&self) -> &WalletKeys {
        &self.keys
    }

    /// The last index given out or seen used.
    pub fn last_used(&self) -> u32 {
        self.last_used
    }

    /// Whose script this is, if it is ours.
    pub fn find(&self, script: &Script) -> Option<(AddressKind, u32)> {
        self.by_script.get(script).copied()
    }

    /// A new address: its index. The caller stores the index before it shows the address.
    pub fn give_out(&mut self) -> Result<u32, KeysExhausted> {
        let index = self
            .last_used
            .checked_add(1)
            .ok_or(KeysExhausted(u32::MAX))?;
        self.mark_used(index)?;
        Ok(index)
    }

    /// An index was given out or seen in a block: whether it was beyond the last one known.
    pub fn mark_used(&mut self, index: u32) -> Result<bool, KeysExhausted> {
        if index <= self.last_used {
            return Ok(false);
        }
        let before = self.last_used;
        self.last_used = index;
        self.extend().inspect_err(|_| self.last_used = before)?;
        Ok(true)
    }

    fn extend(&mut self) -> Result<(), KeysExhausted> {
        let end = self.last_used.saturating_add(LOOK_AHEAD);
        while self.next <= end {
            let key = self.keys.public_key(self.next)?;
            for kind in [
                AddressKind::P2wpkh,
                AddressKind::P2tr,
                AddressKind::P2shP2wpkh,
            ] {
                self.by_script
                    .insert(script_of(kind, &key), (kind, self.next));
            }
            self.next = self.next.saturating_add(1);
        }
        Ok(())
    }
}
