//! Nodes with coins and channels, as fast as can be.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Instant;

use anyhow::{Context as _, Result, bail, ensure};
use ln_rpc::client::Client;
use serde_json::{Map, Value, json};

use crate::directory::PAUSE;
use crate::interrupt;
use crate::playground::Playground;
use crate::shape::Shape;

/// Blocks until the first coin of the chain can be spent.
const MATURITY: u64 = 101;
/// Blocks until a channel is announced.
const ANNOUNCED: u64 = 6;
/// What each node gets, in bitcoin: less than half of what a block brings in, for all of them together.
const COINS: f64 = 0.4;
/// What each channel holds, half of it on either side.
const CHANNEL_SAT: u64 = 10_000_000;
/// Commands under way at a time.
const AT_ONCE: usize = 8;

/// A command to a node.
struct Command {
    node: String,
    method: &'static str,
    params: Value,
}

impl Command {
    fn new(node: &str, method: &'static str, params: Value) -> Self {
        Self {
            node: node.to_owned(),
            method,
            params,
        }
    }
}

/// Starts what does not run yet, and gives all nodes coins and channels.
pub(crate) fn run(play: &mut Playground, shape: Shape) -> Result<()> {
    let count = play.nodes().len();
    let noun = if count == 1 { "node" } else { "nodes" };
    play.screen
        .heading(&format!("{count} {noun} on a private chain"));
    if !play.has_chain() {
        play.start_chain()?;
    }
    let height = chain_height(play)?;
    if height < MATURITY {
        mine(play, MATURITY.saturating_sub(height))?;
    }
    play.start_others()?;
    fund(play)?;
    let channels = shape.channels(count);
    if channels.is_empty() {
        return Ok(());
    }
    open(play, &channels)
}

fn chain_height(play: &Playground) -> Result<u64> {
    let height = play.quiet("btc", &["getblockcount"])?;
    height
        .as_u64()
        .context("the chain does not tell its height")
}

fn mine(play: &Playground, blocks: u64) -> Result<()> {
    let miner = play.quiet("btc", &["getnewaddress"])?;
    let miner = miner.as_str().context("the chain gives no address")?;
    play.quiet("btc", &["generatetoaddress", &blocks.to_string(), miner])?;
    Ok(())
}

fn to_all(play: &Playground, method: &'static str, params: &Value) -> Result<Vec<Value>> {
    let commands = play.nodes().iter();
    let commands = commands.map(|node| Command::new(&node.name, method, params.clone()));
    call(play, commands.collect())
}

/// Mines, and waits until every node knows it.
fn confirm(play: &Playground, blocks: u64) -> Result<()> {
    mine(play, blocks)?;
    let height = chain_height(play)?;
    to_all(play, "waitblockheight", &json!([height]))?;
    Ok(())
}

/// A coin for every node.
fn fund(play: &mut Playground) -> Result<()> {
    let line = play.screen.wait("waiting for coins in all wallets");
    let addresses = to_all(play, "newaddr", &json!(["bech32"]))?;
    let amounts: Map<String, Value> = addresses
        .iter()
        .filter_map(|answer| Some((answer.get("bech32")?.as_str()?.to_owned(), json!(COINS))))
        .collect();
    play.quiet(
        "btc",
        &["sendmany", "", &Value::Object(amounts).to_string()],
    )?;
    confirm(play, 1)?;
    until(play, "a coin", "listfunds", |funds| {
        let outputs = funds.get("outputs").and_then(Value::as_array);
        outputs.into_iter().flatten().any(|output| {
            output.get("status").and_then(Value::as_str) == Some("confirmed")
                && output.get("reserved") != Some(&Value::Bool(true))
        })
    })?;
    line.done();
    Ok(())
}

/// All channels at once.
fn open(play: &mut Playground, channels: &[(usize, usize)]) -> Result<()> {
    let line = play
        .screen
        .wait(&format!("waiting for {} channels", channels.len()));
    let ids = to_all(play, "getinfo", &json!({}))?;
    let mut connects = Vec::new();
    let mut opens = Vec::new();
    for (from, to) in channels {
        let from = play.nodes().get(*from).context("no such node")?;
        let peer = play.nodes().get(*to).context("no such node")?;
        let id = ids.get(*to).and_then(|info| info.get("id"));
        let id = id.context("a node has no id")?;
        connects.push(Command::new(
            &from.name,
            "connect",
            json!({ "id": id, "host": "127.0.0.1", "port": peer.port }),
        ));
        opens.push(Command::new(
            &from.name,
            "fundchannel",
            json!({ "id": id, "amount": CHANNEL_SAT, "push_msat": CHANNEL_SAT.saturating_mul(500), "feerate": "253perkw" }),
        ));
    }
    call(play, connects)?;
    call(play, opens)?;
    confirm(play, ANNOUNCED)?;
    until(play, "its channels", "listpeerchannels", |channels| {
        let states = channels.get("channels").and_then(Value::as_array);
        let mut states = states
            .into_iter()
            .flatten()
            .map(|channel| channel.get("state"));
        // Those of an earlier show are over.
        states.all(|state| {
            let state = state.and_then(Value::as_str).unwrap_or_default();
            matches!(
                state,
                "CHANNELD_NORMAL" | "ONCHAIN" | "CLOSED" | "FUNDING_SPEND_SEEN"
            )
        })
    })?;
    line.done();
    Ok(())
}

/// Asks every node until each gives the answer that is waited for.
fn until(
    play: &Playground,
    what: &str,
    method: &'static str,
    fits: impl Fn(&Value) -> bool,
) -> Result<()> {
    let end = Instant::now() + play.patience();
    let mut waiting: Vec<&str> = play.nodes().iter().map(|node| node.name.as_str()).collect();
    loop {
        let commands = waiting.iter();
        let commands = commands.map(|node| Command::new(node, method, json!({})));
        let answers = call(play, commands.collect())?;
        let mut answers = answers.iter();
        waiting.retain(|_| !answers.next().is_some_and(&fits));
        if waiting.is_empty() {
            return Ok(());
        }
        ensure!(
            Instant::now() < end,
            "{} waited in vain for {what}",
            waiting.join(", ")
        );
        thread::sleep(PAUSE);
    }
}

/// Calls the nodes, a few at a time: the answers in the order of the commands.
fn call(play: &Playground, commands: Vec<Command>) -> Result<Vec<Value>> {
    let count = commands.len();
    let commands = commands.into_iter().enumerate();
    let queue: VecDeque<_> = commands
        .map(|(place, command)| (place, play.socket(&command.node), command))
        .collect();
    let queue = Arc::new(Mutex::new(queue));
    let (sender, receiver) = mpsc::channel();
    // Threads that nobody waits for: after ctrl-c they end with the nodes.
    for _ in 0..count.min(AT_ONCE) {
        let (queue, sender) = (Arc::clone(&queue), sender.clone());
        thread::spawn(move || {
            loop {
                let next = queue
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .pop_front();
                let Some((place, socket, command)) = next else {
                    return;
                };
                let answer = Client::connect(&socket)
                    .context("no connection")
                    .and_then(|mut node| Ok(node.call(command.method, &command.params)?))
                    .with_context(|| format!("{} {}", command.node, command.method));
                if sender.send((place, answer)).is_err() {
                    return;
                }
            }
        });
    }
    let mut answers = vec![Value::Null; count];
    let end = Instant::now() + play.patience();
    let mut missing = count;
    while missing > 0 {
        interrupt::check()?;
        match receiver.recv_timeout(PAUSE) {
            Ok((place, answer)) => {
                let answer = answer?;
                if let Some(slot) = answers.get_mut(place) {
                    *slot = answer;
                }
                missing = missing.saturating_sub(1);
            }
            Err(mpsc::RecvTimeoutError::Timeout) => {
                ensure!(Instant::now() < end, "{missing} nodes do not answer");
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => bail!("a command got lost"),
        }
    }
    Ok(answers)
}
