//! What is asked of a node.

use std::io;
use std::path::Path;
use std::time::Duration;

use ln_rpc::client::{Client, ClientError};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

/// How long a node may take for one answer.
const TIMEOUT: Duration = Duration::from_secs(5);

/// A node as it describes itself. What an older or other node does not tell is empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Answers {
    pub(crate) info: Info,
    pub(crate) channels: Vec<Channel>,
    /// The peers that are connected.
    pub(crate) peers: Vec<String>,
    /// What the wallet holds.
    pub(crate) onchain_msat: u64,
}

/// Of `getinfo`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Info {
    pub(crate) id: String,
    pub(crate) alias: String,
    pub(crate) color: String,
    pub(crate) version: String,
    pub(crate) network: String,
    pub(crate) blockheight: u32,
    pub(crate) binding: Vec<Binding>,
}

/// Where a node listens.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Binding {
    pub(crate) address: Option<String>,
    pub(crate) port: Option<u16>,
}

/// Of `listpeerchannels`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_field_names, reason = "the names of the reply")]
pub(crate) struct Channel {
    pub(crate) peer_id: String,
    pub(crate) peer_connected: bool,
    pub(crate) state: String,
    pub(crate) channel_id: String,
    pub(crate) short_channel_id: Option<String>,
    pub(crate) private: Option<bool>,
    pub(crate) opener: Option<String>,
    pub(crate) to_us_msat: u64,
    pub(crate) total_msat: u64,
    pub(crate) spendable_msat: u64,
    pub(crate) in_payments_fulfilled: u64,
    pub(crate) in_fulfilled_msat: u64,
    pub(crate) out_payments_fulfilled: u64,
    pub(crate) out_fulfilled_msat: u64,
    pub(crate) htlcs: Vec<Htlc>,
}

/// A payment under way.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Htlc {
    pub(crate) direction: String,
    pub(crate) amount_msat: u64,
}

#[derive(Deserialize)]
struct ChannelList {
    channels: Vec<Channel>,
}

#[derive(Deserialize)]
struct PeerList {
    peers: Vec<Peer>,
}

#[derive(Deserialize)]
struct Peer {
    id: String,
    connected: bool,
}

#[derive(Deserialize)]
struct Funds {
    outputs: Vec<Output>,
}

#[derive(Deserialize)]
struct Output {
    amount_msat: u64,
    #[serde(default)]
    status: String,
}

/// A node, over a connection that is made when it is needed.
#[derive(Debug)]
pub(crate) struct Node<'a> {
    socket: &'a Path,
    client: Option<Client>,
}

impl<'a> Node<'a> {
    pub(crate) fn at(socket: &'a Path) -> Self {
        Self {
            socket,
            client: None,
        }
    }

    /// Asks for everything; a text says why there is no answer.
    pub(crate) fn ask(&mut self) -> Result<Answers, String> {
        let kept = self.client.is_some();
        let answers = self.try_ask();
        // The node may have been started anew since.
        if kept && matches!(&answers, Err(error) if !is_slow(error)) {
            return self.try_ask().map_err(|error| explain(&error));
        }
        answers.map_err(|error| explain(&error))
    }

    fn try_ask(&mut self) -> Result<Answers, ClientError> {
        let mut client = match self.client.take() {
            Some(client) => client,
            None => Client::connect(self.socket)?,
        };
        client.set_timeout(Some(TIMEOUT))?;
        let info = call(&mut client, "getinfo")?;
        let ChannelList { mut channels } = call(&mut client, "listpeerchannels")?;
        // One that is not agreed upon yet can't be told from others.
        channels.retain(|channel| !channel.channel_id.is_empty());
        let PeerList { peers } = call(&mut client, "listpeers")?;
        let Funds { outputs } = call(&mut client, "listfunds")?;
        self.client = Some(client);
        let peers = peers.into_iter().filter(|peer| peer.connected);
        let coins = outputs.iter().filter(|output| output.status != "spent");
        Ok(Answers {
            info,
            channels,
            peers: peers.map(|peer| peer.id).collect(),
            onchain_msat: coins.fold(0, |sum, output| sum.saturating_add(output.amount_msat)),
        })
    }
}

fn call<T: DeserializeOwned>(client: &mut Client, method: &str) -> Result<T, ClientError> {
    let result = client.call(method, &json!({}))?;
    serde_json::from_value(result)
        .map_err(|error| ClientError::NotAnAnswer(format!("{method}: {error}")))
}

fn is_slow(error: &ClientError) -> bool {
    matches!(error, ClientError::Io(error)
        if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut))
}

/// For people.
fn explain(error: &ClientError) -> String {
    if is_slow(error) {
        "does not answer".to_owned()
    } else if matches!(error, ClientError::Io(_) | ClientError::Closed) {
        "not running".to_owned()
    } else {
        error.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_that_is_not_there_does_not_run() {
        let dir = tempfile::tempdir().unwrap();
        let socket = dir.path().join("lightning-rpc");
        let mut node = Node::at(&socket);
        assert_eq!(node.ask().unwrap_err(), "not running");
        // What a killed node leaves.
        drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
        assert_eq!(node.ask().unwrap_err(), "not running");
    }
}
