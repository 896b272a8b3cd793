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

#[cfg(test)]
mod tests {
    use super::*;

    /// Name, bitcoind's name, prefix of invoices, bitcoind's RPC port, our port, prefix of addresses.
    const PUBLISHED: [(&str, &str, &str, u16, u16, &str); 5] = [
        ("bitcoin", "main", "bc", 8332, 9735, "bc1"),
        ("testnet", "test", "tb", 18332, 19735, "tb1"),
        ("testnet4", "testnet4", "tb", 48332, 49735, "tb1"),
        ("signet", "signet", "tbs", 38332, 39735, "tb1"),
        ("regtest", "regtest", "bcrt", 18443, 19846, "bcrt1"),
    ];
    /// The genesis blocks' hashes as block explorers show them.
    const GENESIS: [&str; 5] = [
        "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f",
        "000000000933ea01ad0ee984209779baaec3ced90fa3f408719526f8d77f4943",
        "00000000da84f2bafbbc53dee25a72ae507ff4914b867c565be350b0da8bf043",
        "00000008819873e925422c1ff0f99f7cc9bbb232af63a077a480a3633bee1ef6",
        "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206",
    ];

    #[test]
    fn networks_have_their_published_values() {
        let key = [2; 33];
        let program = bitcoin::PublicKey::from_slice(&key).expect("a point");
        let script = ScriptBuf::new_p2wpkh(&program.wpubkey_hash().expect("compressed"));
        for ((network, published), genesis) in Network::ALL.into_iter().zip(PUBLISHED).zip(GENESIS)
        {
            let address = network.address(&script).expect("it has one").to_string();
            let (prefix, _) = address.split_at(published.5.len());
            let ours = (
                network.name(),
                network.bip70_name(),
                network.invoice_prefix(),
                network.rpc_port(),
                network.lightning_port(),
                prefix,
            );
            assert_eq!(ours, published);
            let hash = network.chain_hash();
            assert_eq!(Network::from_chain_hash(hash), Some(network));
            let shown = bitcoin::BlockHash::from_byte_array(hash).to_string();
            assert_eq!(shown, genesis, "{network}");
            assert_eq!(published.0.parse(), Ok(network));
            assert_eq!(network.is_test(), network != Network::Bitcoin);
        }
        assert_eq!("mainnet".parse(), Ok(Network::Bitcoin));
        assert!("liquid".parse::<Network>().is_err());
    }
}
