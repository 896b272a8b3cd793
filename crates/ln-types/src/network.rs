//! The chains a node may follow.

use std::fmt;
use std::str::FromStr;

use bitcoin::hashes::Hash;
use bitcoin::{Address, ScriptBuf, params::Params};

/// A chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Network {
    /// Bitcoin's main chain.
    Bitcoin,
    /// The third test network.
    Testnet,
    /// The fourth test network.
    Testnet4,
    /// The default signet.
    Signet,
    /// A private chain.
    Regtest,
}

/// A network name nobody knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown network '{0}': use bitcoin, testnet, testnet4, signet or regtest")]
pub struct UnknownNetwork(String);

impl Network {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Bitcoin,
        Self::Testnet,
        Self::Testnet4,
        Self::Signet,
        Self::Regtest,
    ];

    /// The name in options, file paths and `getinfo`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bitcoin => "bitcoin",
            Self::Testnet => "testnet",
            Self::Testnet4 => "testnet4",
            Self::Signet => "signet",
            Self::Regtest => "regtest",
        }
    }

    /// The name bitcoind gives it in `getblockchaininfo`.
    pub const fn bip70_name(self) -> &'static str {
        match self {
            Self::Bitcoin => "main",
            Self::Testnet => "test",
            Self::Testnet4 => "testnet4",
            Self::Signet => "signet",
            Self::Regtest => "regtest",
        }
    }

    /// The prefix of its invoices after `ln`.
    ///
    /// BOLT 11 §Human-Readable Part: the BIP 173 prefix; signet has `tbs`.
    pub const fn invoice_prefix(self) -> &'static str {
        match self {
            Self::Bitcoin => "bc",
            Self::Testnet | Self::Testnet4 => "tb",
            Self::Signet => "tbs",
            Self::Regtest => "bcrt",
        }
    }

    /// Where bitcoind serves RPC by default.
    pub const fn rpc_port(self) -> u16 {
        match self {
            Self::Bitcoin => 8332,
            Self::Testnet => 18332,
            Self::Testnet4 => 48332,
            Self::Signet => 38332,
            Self::Regtest => 18443,
        }
    }

    /// Where Lightning nodes listen by default.
    pub const fn lightning_port(self) -> u16 {
        match self {
            Self::Bitcoin => 9735,
            Self::Testnet => 19735,
            Self::Testnet4 => 49735,
            Self::Signet => 39735,
            Self::Regtest => 19846,
        }
    }

    /// Whether coins on it are worth nothing.
    pub const fn is_test(self) -> bool {
        !matches!(self, Self::Bitcoin)
    }

    /// `chain_hash` of messages: the genesis block's hash in wire order.
    pub fn chain_hash(self) -> [u8; 32] {
        bitcoin::constants::genesis_block(Params::from(bitcoin::Network::from(self)))
            .block_hash()
            .to_byte_array()
    }

    /// The network with this `chain_hash`.
    pub fn from_chain_hash(hash: [u8; 32]) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|network| network.chain_hash() == hash)
    }

    /// The address of a script, where it has one.
    pub fn address(self, script: &ScriptBuf) -> Option<Address> {
        Address::from_script(script, Params::from(bitcoin::Network::from(self))).ok()
    }
}

impl From<Network> for bitcoin::Network {
    fn from(network: Network) -> Self {
        match network {
            Network::Bitcoin => Self::Bitcoin,
            Network::Testnet => Self::Testnet,
            Network::Testnet4 => Self::Testnet4,
            Network::Signet => Self::Signet,
            Network::Regtest => Self::Regtest,
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Network {
    type Err = UnknownNetwork;
    fn from_str(text: &str) -> Result<Self, UnknownNetwork> {
        let found = Self::ALL.into_iter().find(|network| network.name() == text);
        match (found, text) {
            (Some(network), _) => Ok(network),
            (None, "mainnet") => Ok(Self::Bitcoin),
            (None, _) => Err(UnknownNetwork(text.to_owned())),
        }
    }
}

impl ln_codec::Encode for Network {
    fn encode(&self, out: &mut Vec<u8>) {
        self.name().to_owned().encode(out);
    }
}

impl ln_codec::Decode for Network {
    fn decode(reader: &mut ln_codec::Reader<'_>) -> Result<Self, ln_codec::DecodeError> {
        String::decode(reader)?
            .parse()
            .map_err(|_| ln_codec::DecodeError::Invalid { what: "network" })
    }
}
