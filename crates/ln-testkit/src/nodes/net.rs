//! A private chain and what a test does with it.

use ln_types::Sat;
use regtest_bitcoind::harness::{CREDENTIALS, RegtestChain};
use serde_json::{Value, json};

use super::node::TestNode;
use super::options::NodeOptions;
use super::wait::wait_until;

/// Blocks until the chain's own first coin can be spent.
const MATURITY: u32 = 101;
/// Confirmations after which a channel is announced (BOLT 7).
const ANNOUNCE_DEPTH: u32 = 6;

/// A channel that carries payments.
#[derive(Debug, Clone)]
pub struct OpenChannel {
    /// Its id in hex.
    pub channel_id: String,
    /// Its place in the chain.
    pub short_channel_id: String,
    /// The transaction that funds it.
    pub funding_txid: String,
    /// The output of that transaction.
    pub funding_outnum: u64,
}

/// A chain for nodes to live on.
#[derive(Debug)]
pub struct TestNet {
    /// The chain.
    pub chain: RegtestChain,
}

impl TestNet {
    /// Starts a chain whose own wallet has coins to give away.
    ///
    /// # Panics
    /// If it does not come up.
    pub fn start() -> Self {
        let chain = RegtestChain::start().unwrap_or_else(|error| panic!("{error}"));
        chain.mine(MATURITY);
        Self { chain }
    }

    /// Starts a node on it.
    pub fn node(&self, name: &str) -> TestNode {
        self.node_with(name, NodeOptions::default())
    }

    /// Starts a node on it with options.
    pub fn node_with(&self, name: &str, options: NodeOptions) -> TestNode {
        let node = TestNode::start(name, self.chain.port(), CREDENTIALS, options);
        self.wait_synced(&[&node]);
        node
    }

    /// Waits until these nodes have seen the tip.
    pub fn wait_synced(&self, nodes: &[&TestNode]) {
        let height = self.chain.height();
        for node in nodes {
            let what = format!("height {height}");
            node.wait_for(&what, || {
                let info = node.poll("getinfo", json!({}))?;
                let seen = info.get("blockheight")?.as_u64()?;
                let behind = ["warning_bitcoind_sync", "warning_lightningd_sync"]
                    .iter()
                    .any(|name| info.get(name).is_some());
                (seen == height && !behind).then_some(())
            });
        }
    }

    /// Mines blocks and waits until these nodes have seen them.
    pub fn mine(&self, count: u32, nodes: &[&TestNode]) {
        self.chain.mine(count);
        self.wait_synced(nodes);
    }

    /// Waits until the mempool holds `count` transactions or more; their ids.
    pub fn wait_mempool(&self, count: usize) -> Vec<String> {
        wait_until(&format!("{count} transactions in the mempool"), || {
            let ids = self.chain.mempool();
            (ids.len() >= count).then_some(ids)
        })
    }

    /// Gives a node's wallet a confirmed coin.
    pub fn fund(&self, node: &TestNode, amount: Sat) {
        let reply = node.call("newaddr", json!(["bech32"]));
        let address = reply
            .get("bech32")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let txid = self.chain.send(address, &to_btc(amount));
        self.mine(1, &[node]);
        node.wait_for("the coin in listfunds", || {
            let funds = node.poll("listfunds", json!({}))?;
            let mut outputs = funds.get("outputs")?.as_array()?.iter();
            let found = outputs.any(|output| {
                output.get("txid").and_then(Value::as_str) == Some(&txid)
                    && output.get("status").and_then(Value::as_str) == Some("confirmed")
            });
            found.then_some(())
        });
    }

    /// Connects one node to another over TCP; both know it when this returns.
    pub fn connect(&self, from: &TestNode, to: &TestNode) {
        from.call(
            "connect",
            json!({"id": to.id(), "host": "127.0.0.1", "port": to.port()}),
        );
        to.wait_for("the peer that connects", || {
            let peers = to.poll("listpeers", json!({"id": from.id()}))?;
            let connected = peers.get("peers")?.get(0)?.get("connected");
            (connected == Some(&Value::Bool(true))).then_some(())
        });
    }

    /// Connects, funds a wallet, opens a channel of this size and waits until both sides can use it.
    pub fn open_channel(&self, from: &TestNode, to: &TestNode, amount: Sat) -> OpenChannel {
        self.connect(from, to);
        self.fund(
            from,
            Sat::from_sat(amount.as_sat().saturating_add(1_000_000)),
        );
        self.open_funded_channel(from, to, amount)
    }

    /// Opens a channel with a connected peer out of the wallet and waits until both sides can use it.
    pub fn open_funded_channel(&self, from: &TestNode, to: &TestNode, amount: Sat) -> OpenChannel {
        let reply = from.call(
            "fundchannel",
            json!({"id": to.id(), "amount": amount.as_sat(), "feerate": "253perkw"}),
        );
        let member = |name: &str| {
            let value = reply.get(name).and_then(Value::as_str);
            value.unwrap_or_default().to_owned()
        };
        let (channel_id, funding_txid) = (member("channel_id"), member("txid"));
        wait_until("the funding transaction in the mempool", || {
            self.chain.mempool().contains(&funding_txid).then_some(())
        });
        self.mine(1, &[from, to]);
        let short_channel_id = self.wait_usable(from, &channel_id);
        self.wait_usable(to, &channel_id);
        OpenChannel {
            channel_id,
            short_channel_id,
            funding_txid,
            funding_outnum: reply.get("outnum").and_then(Value::as_u64).unwrap_or(0),
        }
    }

    /// Waits until a channel carries payments: its short channel id.
    pub fn wait_usable(&self, node: &TestNode, channel_id: &str) -> String {
        node.wait_for("a channel in CHANNELD_NORMAL, reestablished", || {
            let channel = channel(node, channel_id)?;
            let ready = channel.get("state")? == "CHANNELD_NORMAL"
                && channel.get("peer_connected")? == true
                && channel.get("reestablished") == Some(&Value::Bool(true));
            let scid = channel.get("short_channel_id")?.as_str()?.to_owned();
            ready.then_some(scid)
        })
    }

    /// Waits until a channel is in this state.
    pub fn wait_state(&self, node: &TestNode, channel_id: &str, state: &str) {
        node.wait_for(&format!("a channel in {state}"), || {
            let channel = channel(node, channel_id)?;
            (channel.get("state")? == state).then_some(())
        });
    }

    /// Mines until a channel can be announced and waits until these nodes know both its directions.
    pub fn announce(&self, open: &OpenChannel, nodes: &[&TestNode]) {
        self.mine(ANNOUNCE_DEPTH, nodes);
        for node in nodes {
            self.wait_announced(open, node);
        }
    }

    /// Waits until a node knows both directions of a channel from gossip.
    pub fn wait_announced(&self, open: &OpenChannel, node: &TestNode) {
        let params = json!({"short_channel_id": open.short_channel_id});
        node.wait_for("both directions of the channel in listchannels", || {
            let reply = node.poll("listchannels", params.clone())?;
            let channels = reply.get("channels")?.as_array()?;
            let public = channels
                .iter()
                .filter(|channel| channel.get("public") == Some(&json!(true)));
            (public.count() == 2).then_some(())
        });
    }
}

/// A channel of a node by its id, as `listpeerchannels` has it.
pub(super) fn channel(node: &TestNode, channel_id: &str) -> Option<Value> {
    let reply = node.poll("listpeerchannels", json!({}))?;
    let mut channels = reply.get("channels")?.as_array()?.iter();
    channels
        .find(|channel| channel.get("channel_id").and_then(Value::as_str) == Some(channel_id))
        .cloned()
}

/// An amount as bitcoind's RPC takes it.
fn to_btc(amount: Sat) -> String {
    let sat = amount.as_sat();
    format!("{}.{:08}", sat / 100_000_000, sat % 100_000_000)
}
