//! Opening channels, by us and by peers.

use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use bitcoin::{OutPoint, ScriptBuf, Transaction};
use ln_codec::{Decode as _, LongBytes};
use ln_db::{ChannelRow, PeerRow, TransactionRow};
use ln_ipc::Stream;
use ln_ipc::connectd::{
    ConnectdAddChannelId, ConnectdAttachChannel, ConnectdRejectSpoke, ToConnectd,
};
use ln_ipc::openingd::{
    FromOpeningd, OpeningPolicy, OpeningdAcceptedPersisted, OpeningdCancel, OpeningdFund,
    OpeningdFundTx, OpeningdIncoming, OpeningdInit, ToOpeningd,
};
use ln_types::{
    ChannelId, ChannelState, Features, Feerate, Msat, NodeId, Sat, ShortChannelId, Side,
};

use super::live::PeerLink;
use super::openings::IncomingSlot;
use super::{Channel, CloseCause};
use crate::hsm::capability;
use crate::log::Origin;
use crate::node::Node;
use crate::plugins::OpeningVerdict;
use crate::subd::{Subd, SubdStart};

/// The longest delay of our own funds we bear, in blocks.
const MAX_TO_SELF_DELAY: u16 = 2016;
/// Our dust limit: that of the largest output type.
const DUST_LIMIT: Sat = Sat::from_sat(546);

/// Channels opened to us whose funding is not confirmed: of one peer, and of all. Enough for who means it, little to keep for who does not.
const MAX_UNFUNDED_OF_PEER: usize = 10;
const MAX_UNFUNDED: usize = 1000;

/// How long a peer that opens again waits for the end of its earlier opening: it hears of its failure before we do.
const SLOT_PATIENCE: Duration = Duration::from_secs(1);

/// How long a peer that wants a channel waits for us to see the newest blocks.
const SYNC_PATIENCE: Duration = Duration::from_secs(20);

/// A channel to open.
#[derive(Debug, Clone)]
pub(crate) struct OpenRequest {
    pub(crate) peer: NodeId,
    pub(crate) funding: Sat,
    pub(crate) push: Msat,
    /// The commitment feerate, if the user said one.
    pub(crate) feerate: Option<Feerate>,
    pub(crate) announce: bool,
    pub(crate) close_to: Option<ScriptBuf>,
    pub(crate) minimum_depth: Option<u32>,
    pub(crate) reserve: Option<Sat>,
    pub(crate) channel_type: Option<Features>,
}

/// A channel opened as far as the peer's first message: it waits for the funding transaction.
#[derive(Debug)]
pub(crate) struct Opened {
    subd: Subd,
    dbid: u64,
    request: OpenRequest,
    counter: u64,
    temporary: ChannelId,
    /// The funding output's script.
    pub(crate) script: ScriptBuf,
    /// The channel type agreed on.
    pub(crate) channel_type: Features,
    /// Confirmations the peer demands.
    pub(crate) minimum_depth: u32,
}

/// Why a channel could not be opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    /// The peer is not connected.
    #[error("peer {0} is not connected: connect to it first")]
    NotConnected(NodeId),
    /// The peer or its answers were refused, or it refused.
    #[error("{0}")]
    Refused(String),
    /// The peer sent what can't be read.
    #[error("{0}")]
    Unreadable(String),
    /// openingd ended: the peer disconnected, or it was killed.
    #[error("the peer disconnected or openingd failed ({0})")]
    Died(String),
    /// Something inside failed.
    #[error("{0:#}")]
    Internal(#[from] anyhow::Error),
}

fn policy(node: &Node) -> OpeningPolicy {
    let config = &node.config;
    let bounds = node.fees.borrow().bounds(config.dev.max_fee_multiplier);
    let unlimited = config.ignore_fee_limits;
    OpeningPolicy {
        min_capacity: config.min_capacity.get(),
        max_accepted_htlcs: config.max_concurrent_htlcs,
        htlc_minimum: config.htlc_minimum,
        max_htlc_value_in_flight: Msat::MAX,
        to_self_delay: config.watchtime_blocks,
        max_to_self_delay: MAX_TO_SELF_DELAY,
        dust_limit: DUST_LIMIT,
        channel_reserve: None,
        minimum_depth: config.funding_confirms,
        min_feerate: if unlimited {
            Feerate::from_perkw(1)
        } else {
            bounds.min
        },
        max_feerate: if unlimited {
            Feerate::from_perkw(u32::MAX)
        } else {
            bounds.max
        },
        allow_dust_reserve: config.dev.allow_dust_reserve,
    }
}

/// Starts openingd for a peer, with connectd routing `temporary` to it.
async fn start_openingd(
    node: &Rc<Node>,
    peer: NodeId,
    temporary: ChannelId,
    close_to: Option<ScriptBuf>,
    reserve: Option<Sat>,
) -> Result<(Subd, u64, u64), OpenError> {
    let connection = node
        .peers
        .connection(peer)
        .ok_or(OpenError::NotConnected(peer))?;
    let dbid = node.channels.new_dbid();
    // The number is burnt before any key is derived from it, so that no two channels ever share keys.
    node.db
        .write(move |txn| txn.set_var("last_channel_dbid", dbid))
        .await
        .map_err(anyhow::Error::from)?;
    let hsm = node.hsm.client_fd(peer, dbid, capability::OPENINGD).await?;
    let basepoints = node.hsm.new_channel(peer, dbid).await?;
    let (for_openingd, for_connectd) = Stream::pair().map_err(anyhow::Error::from)?;
    let origin = Origin::of_peer(peer, &format!("openingd-chan#{dbid}"));
    let start = SubdStart {
        name: "openingd",
        program: node.config.subdaemon("openingd"),
        origin,
        fds: vec![for_openingd, hsm],
    };
    let subd = Subd::start(&node.log, start)?;
    let counter = connection.counter;
    let attach = ToConnectd::AttachChannel(ConnectdAttachChannel {
        id: peer,
        counter,
        channel_id: temporary,
    });
    let mut policy = policy(node);
    policy.channel_reserve = reserve;
    subd.sender().send(&ToOpeningd::Init(OpeningdInit {
        network: node.config.network,
        peer_id: peer,
        dbid,
        basepoints,
        our_features: node.features.init.clone(),
        their_features: node
            .peers
            .get(peer)
            .map(|peer| peer.features)
            .unwrap_or_default(),
        height: node.chain.height(),
        policy,
        upfront_shutdown_script: close_to,
    }));
    node.connectd
        .get()
        .context("connectd is not running")?
        .send_with_fds(&attach, vec![for_connectd]);
    Ok((subd, dbid, counter))
}

/// The id of a channel before it has a funding transaction.
fn temporary_channel_id(node: &Node) -> anyhow::Result<ChannelId> {
    if let Some(forced) = node.config.dev.force_temporary_channel_id {
        return Ok(forced);
    }
    let mut temporary = [0; 32];
    getrandom::fill(&mut temporary).map_err(|error| anyhow!("no randomness: {error}"))?;
    Ok(ChannelId(temporary))
}

/// Agrees on a channel with the peer, up to the point where the funding transaction can be made.
pub(crate) async fn open_channel(
    node: &Rc<Node>,
    request: OpenRequest,
) -> Result<Opened, OpenError> {
    let temporary = temporary_channel_id(node)?;
    let (mut subd, dbid, counter) = start_openingd(
        node,
        request.peer,
        temporary,
        request.close_to.clone(),
        request.reserve,
    )
    .await?;
    let feerate = request
        .feerate
        .unwrap_or_else(|| node.fees.borrow().commitment(&node.config));
    subd.sender().send(&ToOpeningd::Fund(OpeningdFund {
        temporary_channel_id: temporary,
        funding: request.funding,
        push: request.push,
        feerate,
        announce: request.announce,
        channel_type: request.channel_type.clone(),
        minimum_depth: request.minimum_depth,
    }));
    let answer = next(&mut subd).await;
    match answer.map_err(|error| tell_of_death(node, request.peer, error))? {
        FromOpeningd::FundReply(reply) => Ok(Opened {
            subd,
            dbid,
            request,
            counter,
            temporary,
            script: reply.funding_script,
            channel_type: reply.channel_type,
            minimum_depth: reply.minimum_depth,
        }),
        other => Err(anyhow!("openingd answered fund with {}", other.name()).into()),
    }
}

/// openingd's next message; its failure and its end are errors.
async fn next(subd: &mut Subd) -> Result<FromOpeningd, OpenError> {
    match subd.next::<FromOpeningd>().await {
        Ok(FromOpeningd::Failed(failed)) if failed.disconnect => {
            Err(OpenError::Unreadable(failed.reason))
        }
        Ok(FromOpeningd::Failed(failed)) => {
            let who = if failed.by_peer {
                "They sent error: "
            } else {
                ""
            };
            Err(OpenError::Refused(format!("{who}{}", failed.reason)))
        }
        Ok(message) => Ok(message),
        Err(end) => Err(OpenError::Died(end.to_string())),
    }
}

/// Hangs up if the opening ended because a process did: only so does the peer learn that nobody will answer it. And on who can't be understood.
fn tell_of_death(node: &Node, peer: NodeId, error: OpenError) -> OpenError {
    if matches!(error, OpenError::Died(_) | OpenError::Unreadable(_)) {
        node.peers.disconnect(node, peer);
    }
    error
}

impl Opened {
    /// Has the peer sign our first commitment for a funding transaction that is not broadcast yet. The channel is durable when this returns: the
    /// transaction may go out. If it is given it is kept together with the channel, so that it goes out after a crash, too.
    pub(crate) async fn fund(
        mut self,
        node: &Rc<Node>,
        funding: OutPoint,
        tx: Option<&Transaction>,
    ) -> Result<Rc<Channel>, OpenError> {
        let peer = self.request.peer;
        let channel_id = ChannelId::v1(funding);
        let message = ConnectdAddChannelId {
            id: peer,
            counter: self.counter,
            from: self.temporary,
            to: channel_id,
        };
        node.to_connectd(message);
        self.subd
            .sender()
            .send(&ToOpeningd::FundTx(OpeningdFundTx { funding }));
        let answer = next(&mut self.subd).await;
        let reply = match answer.map_err(|error| tell_of_death(node, peer, error))? {
            FromOpeningd::FundTxReply(reply) => reply,
            other => return Err(anyhow!("openingd answered fund_tx with {}", other.name()).into()),
        };
        let link = self.subd.recv_fd().await.map_err(anyhow::Error::from)?;
        let new = NewChannel {
            dbid: self.dbid,
            peer,
            channel_id,
            state: reply.state,
            close_to: self.request.close_to.clone(),
            tx: tx.cloned(),
        };
        let channel = new.insert(node).await?;
        node.plugins.tell_new_channel(&channel, false);
        super::live::start_channeld(node, &channel, PeerLink::HandedOver(link, reply.unread));
        super::set_important(node, peer);
        Ok(channel)
    }

    /// Resolves when the opening is over before anybody asked for more: the peer gave up or went away.
    pub(crate) async fn ended(&mut self) -> OpenError {
        match next(&mut self.subd).await {
            Err(error) => error,
            Ok(other) => anyhow!("openingd said {} unasked", other.name()).into(),
        }
    }

    /// What was asked for.
    pub(crate) fn request(&self) -> &OpenRequest {
        &self.request
    }

    /// Gives the opening up.
    pub(crate) fn cancel(self, reason: &str) {
        self.subd.sender().send(&ToOpeningd::Cancel(OpeningdCancel {
            reason: reason.to_owned(),
        }));
        tokio::task::spawn_local(async move {
            let mut subd = self.subd;
            while subd.next::<FromOpeningd>().await.is_ok() {}
        });
    }
}

/// A channel whose first commitment is signed.
struct NewChannel {
    dbid: u64,
    peer: NodeId,
    channel_id: ChannelId,
    state: LongBytes,
    close_to: Option<ScriptBuf>,
    /// The funding transaction, if we made it.
    tx: Option<Transaction>,
}

impl NewChannel {
    /// Makes it durable, then known.
    async fn insert(self, node: &Rc<Node>) -> Result<Rc<Channel>, OpenError> {
        let machine =
            ln_channel::ChannelState::from_bytes(&self.state.0).map_err(anyhow::Error::from)?;
        let row = self.row(node, &machine)?;
        let known = node.peers.get(self.peer);
        let peer = PeerRow {
            id: self.peer,
            address: known.as_ref().and_then(|peer| peer.address.clone()),
            features: known.map(|peer| peer.features).unwrap_or_default(),
        };
        let saved = row.clone();
        let tx = self.tx.map(|tx| TransactionRow {
            tx,
            height: None,
            index: 0,
        });
        node.db
            .write(move |txn| {
                txn.put_peer(&peer)?;
                txn.put_channel(&saved)?;
                tx.iter().try_for_each(|tx| txn.put_transaction(tx))
            })
            .await
            .map_err(anyhow::Error::from)?;
        let channel = Rc::new(Channel::new(row, Vec::new(), Vec::new()));
        node.channels.insert(node, Rc::clone(&channel));
        Ok(channel)
    }

    fn row(
        &self,
        node: &Node,
        machine: &ln_channel::ChannelState,
    ) -> Result<ChannelRow, OpenError> {
        let params = &machine.params;
        let capacity = params.funding_amount;
        let to_us = machine.to_us();
        let reserve = params.sides.local.channel_reserve;
        let most = node
            .config
            .htlc_maximum
            .unwrap_or_else(|| capacity.saturating_sub(reserve).to_msat_saturating());
        Ok(ChannelRow {
            dbid: self.dbid,
            peer: self.peer,
            channel_id: self.channel_id,
            state: ChannelState::ChanneldAwaitingLockin,
            opener: params.opener,
            closer: None,
            public: params.announce,
            minimum_depth: params.minimum_depth,
            funding: params.funding,
            capacity,
            pushed: params.push,
            scid: None,
            alias_local: random_alias()?,
            alias_remote: None,
            channel_type: params.channel_type.features().clone(),
            machine: self.state.0.clone(),
            fee_base: node.config.fee_base,
            fee_ppm: node.config.fee_ppm,
            htlc_minimum: params
                .sides
                .remote
                .htlc_minimum
                .max(node.config.htlc_minimum),
            htlc_maximum: most.min(params.sides.remote.max_htlc_value_in_flight),
            ignore_fee_limits: node.config.ignore_fee_limits,
            remote_update: None,
            announcement: None,
            close_to: self.close_to.clone(),
            shutdown_local: None,
            shutdown_remote: None,
            last_tx: None,
            close_cause: CloseCause::Unknown.number(),
            last_stable_connection: None,
            to_us_min: to_us,
            to_us_max: to_us,
            in_payments_offered: 0,
            in_payments_fulfilled: 0,
            in_offered: Msat::ZERO,
            in_fulfilled: Msat::ZERO,
            out_payments_offered: 0,
            out_payments_fulfilled: 0,
            out_offered: Msat::ZERO,
            out_fulfilled: Msat::ZERO,
        })
    }
}

/// A random alias that no real channel can have for centuries, and that fits 63 bits.
fn random_alias() -> Result<ShortChannelId, OpenError> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).map_err(|error| anyhow!("no randomness: {error}"))?;
    Ok(ShortChannelId::from_u64(
        u64::from_be_bytes(bytes) >> 1 | 1 << 62,
    ))
}

/// A peer sent `open_channel`.
pub(crate) fn accept_opening(node: &Rc<Node>, peer: NodeId, temporary: ChannelId) {
    let node = Rc::clone(node);
    tokio::task::spawn_local(async move {
        let origin = Origin::of_peer(peer, "lightningd");
        if let Err(error) = accept(&node, peer, temporary).await {
            let error = tell_of_death(&node, peer, error);
            node.log.info(
                &origin,
                format!("the peer's opening of a channel failed: {error}"),
            );
        }
    });
}

/// Waits for blocks that are just being looked at; whether there are none left.
async fn caught_up(node: &Rc<Node>) -> bool {
    let mut heights = node.chain.watch_height();
    let wait = async { while !node.chain.is_synced() && heights.changed().await.is_ok() {} };
    drop(tokio::time::timeout(SYNC_PATIENCE, wait).await);
    node.chain.is_synced()
}

/// Whether this peer may open a channel to us now; what to tell it if not.
async fn may_open(
    node: &Rc<Node>,
    peer: NodeId,
    temporary: ChannelId,
) -> Result<IncomingSlot, String> {
    // BOLT 1 §The `error` and `warning` Messages: this id means all channels; an opening of that name could not fail alone.
    if temporary == ChannelId::ALL {
        return Err("temporary_channel_id must not be zero".to_owned());
    }
    let slot = IncomingSlot::wait(node, peer, SLOT_PATIENCE).await;
    let slot = slot.ok_or("Multiple simultaneous openings are not supported")?;
    // BOLT 2 §The `open_channel` Message lets us refuse at will: a channel that is never funded costs its peer nothing and us memory.
    let unfunded = |channel: &Rc<Channel>| {
        let row = channel.row();
        row.opener == Side::Remote && row.scid.is_none()
    };
    if node.channels.of_peer(peer).filter(unfunded).count() >= MAX_UNFUNDED_OF_PEER
        || node
            .channels
            .all()
            .iter()
            .filter(|channel| unfunded(channel))
            .count()
            >= MAX_UNFUNDED
    {
        return Err(
            "Too many unconfirmed channels: wait until their funding is confirmed".to_owned(),
        );
    }
    if !caught_up(node).await || node.chain.stale.borrow().is_some() {
        return Err("I am still syncing with the chain: try again later".to_owned());
    }
    Ok(slot)
}

/// The place for a peer's opening; a peer that gets none is told why.
async fn admit(
    node: &Rc<Node>,
    peer: NodeId,
    temporary: ChannelId,
) -> Result<IncomingSlot, OpenError> {
    let connection = node.peers.connection(peer);
    let counter = connection.ok_or(OpenError::NotConnected(peer))?.counter;
    may_open(node, peer, temporary).await.map_err(|text| {
        node.to_connectd(ConnectdRejectSpoke {
            id: peer,
            counter,
            channel_id: temporary,
        });
        crate::peers::refuse(node, peer, temporary, &text);
        OpenError::Refused(text)
    })
}

/// Asks plugins about a channel that a peer wants.
async fn judge(node: &Node, peer: NodeId, incoming: &OpeningdIncoming) -> OpeningVerdict {
    let network = node.config.network;
    node.plugins.judge_opening(network, peer, incoming).await
}

async fn accept(node: &Rc<Node>, peer: NodeId, temporary: ChannelId) -> Result<(), OpenError> {
    let slot = admit(node, peer, temporary).await?;
    let (mut subd, dbid, _) = start_openingd(node, peer, temporary, None, None).await?;
    let incoming = match next(&mut subd).await? {
        FromOpeningd::Incoming(incoming) => incoming,
        other => return Err(anyhow!("openingd began with {}", other.name()).into()),
    };
    node.log.debug(
        &Origin::of_peer(peer, &format!("openingd-chan#{dbid}")),
        format!(
            "peer offers a channel of {} with {} for us",
            incoming.funding, incoming.push
        ),
    );
    let verdict = judge(node, peer, &incoming).await;
    let close_to = verdict.close_to.clone();
    subd.sender()
        .send(&ToOpeningd::IncomingReply(verdict.into()));
    let accepted = match next(&mut subd).await? {
        FromOpeningd::Accepted(accepted) => accepted,
        other => return Err(anyhow!("openingd answered with {}", other.name()).into()),
    };
    // One funding output, one channel: else the same coins would back the balances of two.
    if !slot.claim(accepted.channel_id) {
        let text = format!(
            "Funding output of channel {} is used already",
            accepted.channel_id
        );
        subd.sender().send(&ToOpeningd::Cancel(OpeningdCancel {
            reason: text.clone(),
        }));
        drop(next(&mut subd).await);
        return Err(OpenError::Refused(text));
    }
    let new = NewChannel {
        dbid,
        peer,
        channel_id: accepted.channel_id,
        state: accepted.state,
        close_to,
        tx: None,
    };
    let channel = new.insert(node).await?;
    drop(slot);
    node.plugins.tell_new_channel(&channel, true);
    node.plugins
        .tell_channel_opened(peer, incoming.funding, accepted.funding.txid);
    subd.sender()
        .send(&ToOpeningd::AcceptedPersisted(OpeningdAcceptedPersisted {}));
    // Whether or not funding_signed reached the peer, the channel exists; if the funding never confirms it is forgotten later.
    super::set_important(node, peer);
    if let Ok(FromOpeningd::Done(done)) = subd.next::<FromOpeningd>().await
        && let Ok(link) = subd.recv_fd().await
    {
        super::live::start_channeld(node, &channel, PeerLink::HandedOver(link, done.unread));
    }
    Ok(())
}
