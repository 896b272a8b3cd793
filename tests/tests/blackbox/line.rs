//! Three nodes in a line, for payments that the one in the middle hands on.

use ln_testkit::nodes::{CallError, NodeOptions, OpenChannel, TestNet, TestNode, wait_until};
use ln_types::Sat;
use serde_json::{Value, json};

use crate::accounts::check;
use crate::support::{channel, invoice, to_us_at_rest};

pub(crate) const AMOUNT: u64 = 100_000_000;
/// What the node in the middle asks for that on a test network: 1 msat and 10 millionths.
pub(crate) const FEE: u64 = 1001;
/// The blocks it asks for there, and those that an invoice leaves.
pub(crate) const DELTA: u64 = 6;
pub(crate) const FINAL: u64 = 12;

/// What the channels hold.
pub(crate) const FIRST_MSAT: u64 = 1_000_000_000;
pub(crate) const SECOND_MSAT: u64 = 500_000_000;

/// Three nodes in a line.
pub(crate) struct Line {
    pub(crate) l1: TestNode,
    pub(crate) l2: TestNode,
    pub(crate) l3: TestNode,
    pub(crate) first: OpenChannel,
    pub(crate) second: OpenChannel,
    // Last: the nodes end before their chain.
    pub(crate) net: TestNet,
}

impl Line {
    pub(crate) fn start() -> Self {
        Self::start_with(Default::default())
    }

    /// Starts each with options of its own.
    pub(crate) fn start_with(options: [NodeOptions; 3]) -> Self {
        let net = TestNet::start();
        let [first, second, third] = options;
        let l1 = net.node_with("l1", first);
        let l2 = net.node_with("l2", second);
        let l3 = net.node_with("l3", third);
        let first = net.open_channel(&l1, &l2, Sat::from_sat(FIRST_MSAT / 1000));
        let second = net.open_channel(&l2, &l3, Sat::from_sat(SECOND_MSAT / 1000));
        net.wait_synced(&[&l1]);
        Self {
            l1,
            l2,
            l3,
            first,
            second,
            net,
        }
    }

    /// The way along the line with this fee and so many blocks for the middle; `scid` is the second channel's name.
    pub(crate) fn route(&self, amount: u64, scid: &str, fee: u64, delta: u64) -> Value {
        json!([
            {"id": self.l2.id(), "channel": self.first.short_channel_id, "amount_msat": amount + fee, "delay": FINAL + delta},
            {"id": self.l3.id(), "channel": scid, "amount_msat": amount, "delay": FINAL},
        ])
    }

    /// Sends along [`Line::route`].
    pub(crate) fn send_for(&self, bill: &Value, amount: u64, scid: &str, fee: u64, delta: u64) {
        let route = self.route(amount, scid, fee, delta);
        let params = json!({
            "route": route,
            "payment_hash": bill["payment_hash"],
            "payment_secret": bill["payment_secret"],
        });
        self.l1.call("sendpay", params);
    }

    pub(crate) fn send(&self, bill: &Value) {
        self.send_for(bill, AMOUNT, &self.second.short_channel_id, FEE, DELTA);
    }

    /// What a payment comes to: its status, or the data of its failure.
    pub(crate) fn outcome(&self, bill: &Value) -> Result<Value, Value> {
        let params = json!({"payment_hash": bill["payment_hash"]});
        match self.l1.try_call("waitsendpay", params) {
            Ok(paid) => Ok(paid["status"].clone()),
            Err(CallError::Rpc(error)) => Err(json!(error.data)),
            Err(other) => panic!("{other:?}"),
        }
    }

    pub(crate) fn pay(&self, label: &str) {
        let bill = invoice(&self.l3, AMOUNT, label);
        self.send(&bill);
        assert_eq!(self.outcome(&bill).unwrap(), "complete");
    }

    /// The failure's code and who told it.
    pub(crate) fn failure(&self, bill: &Value) -> (u64, Value) {
        let data = self.outcome(bill).unwrap_err();
        (
            data["failcode"].as_u64().unwrap(),
            data["erring_node"].clone(),
        )
    }

    /// Waits until everybody is connected and nothing is under way; what each owns in the channels, in millisatoshi.
    pub(crate) fn balances(&self) -> [u64; 3] {
        let ours = |node: &TestNode, open: &OpenChannel| {
            self.net.wait_usable(node, &open.channel_id);
            to_us_at_rest(node, &open.channel_id)
        };
        let agreed = |a: &TestNode, b: &TestNode, open: &OpenChannel, capacity: u64| {
            wait_until("both sides to agree", || {
                let (left, right) = (ours(a, open), ours(b, open));
                (left + right == capacity).then_some((left, right))
            })
        };
        let (payer, left) = agreed(&self.l1, &self.l2, &self.first, FIRST_MSAT);
        let (right, payee) = agreed(&self.l2, &self.l3, &self.second, SECOND_MSAT);
        [payer, left + right, payee]
    }

    /// Waits until nothing is under way; what l2 has in both channels.
    pub(crate) fn wait_quiet(&self) -> u64 {
        let [_, middle, _] = self.balances();
        middle
    }

    /// The accounts of all three tell what they have.
    pub(crate) fn check(&self) {
        for node in [&self.l1, &self.l2, &self.l3] {
            check(node);
        }
    }
}

/// How many HTLCs there are in a channel.
pub(crate) fn htlcs(node: &TestNode, open: &OpenChannel) -> Option<usize> {
    let channel = channel(node, &open.channel_id)?;
    Some(channel["htlcs"].as_array()?.len())
}
