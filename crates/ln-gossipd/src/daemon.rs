//! Carries out what the intake decides.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use ln_codec::Encode;
use ln_gossip::{Action, Env, Event, Graph, Intake, Limits, PeerPolicy, Severity};
use ln_ipc::gossipd::{
    ConnectdToGossipd, FromGossipd, GossipdAddGossipReply, GossipdCompactStoreReply,
    GossipdGetTxout, GossipdInit, GossipdInitReply, GossipdPeerPolicy, GossipdStore,
    GossipdToConnectd, SendToPeer, ToGossipd,
};
use ln_ipc::status::{LogLevel, Status, StatusLog};
use ln_ipc::{AsyncWriter, FrameError};
use ln_types::{BlockHeight, Network, NodeId};
use ln_wire::{GossipTimestampFilter, PeerMessage};
use tokio::sync::mpsc;

use crate::StorePlace;
use crate::store_file::{Opened, Repair, StoreFile, StoreFileError};

/// Peers that are asked for everything: one may lag behind or hide something.
const FULL_SYNCS: u32 = 3;
/// With fewer channels than these every peer is asked for everything: the first ones may have known no more than we do.
const SMALL_GRAPH: usize = 1000;
/// Messages for connectd that may wait while it does not read: they are warnings, which nobody misses.
const MAX_FOR_CONNECTD: usize = 1000;
/// A smaller store is not worth writing anew.
const COMPACT_FROM: u64 = 10_000_000;
/// Void records for each live one that make it worth while.
const COMPACT_RATIO: usize = 4;

/// The store and what is known through it.
struct Open {
    file: StoreFile,
    intake: Intake,
}

/// The daemon without its loop.
pub(crate) struct Daemon {
    network: Network,
    our_id: NodeId,
    height: BlockHeight,
    limits: Limits,
    place: StorePlace,
    /// `None` while the store can't be used.
    store: Option<Open>,
    to_master: AsyncWriter,
    for_master: Vec<Vec<u8>>,
    /// How many peers were asked for everything since the start.
    asked_for_all: u32,
    /// A task writes them: what connectd does not read must not hold us up.
    for_connectd: mpsc::Sender<Outgoing>,
    /// The store for connectd to read, until the task has taken it.
    new_reader: Option<OwnedFd>,
}

/// A message for connectd.
#[derive(Debug)]
struct Outgoing {
    message: Vec<u8>,
    fds: Vec<OwnedFd>,
}

fn now() -> u32 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    u32::try_from(since.unwrap_or_default().as_secs()).unwrap_or(u32::MAX)
}

fn limits(init: &GossipdInit) -> Limits {
    let mut limits = Limits::normal();
    if init.fast_gossip {
        // Tests change channels as often as they like.
        limits.update_burst = u32::MAX;
    }
    if init.fast_gossip_prune {
        limits.prune_secs = 120;
    }
    limits
}

/// Starts the task that writes to connectd.
fn connectd_queue(to_connectd: AsyncWriter) -> mpsc::Sender<Outgoing> {
    let (queue, mut waiting) = mpsc::channel::<Outgoing>(MAX_FOR_CONNECTD);
    tokio::spawn(async move {
        while let Some(Outgoing { message, fds }) = waiting.recv().await {
            let sent = to_connectd.send_raw_with_fds(&message, &fds).await;
            if sent.is_err() {
                break;
            }
        }
    });
    queue
}

impl Daemon {
    pub(crate) fn new(
        init: &GossipdInit,
        place: StorePlace,
        to_master: AsyncWriter,
        to_connectd: AsyncWriter,
    ) -> Self {
        Self {
            network: init.network,
            our_id: init.node_id,
            height: init.height,
            limits: limits(init),
            place,
            store: None,
            to_master,
            for_master: Vec::new(),
            asked_for_all: 0,
            for_connectd: connectd_queue(to_connectd),
            new_reader: None,
        }
    }

    /// Opens the store and tells lightningd.
    pub(crate) fn announce_start(&mut self) {
        self.open_store();
        let graph = self.store.as_ref().map(|open| open.intake.graph());
        let count =
            |count: fn(&Graph) -> usize| u32::try_from(graph.map_or(0, count)).unwrap_or(u32::MAX);
        let reply = GossipdInitReply {
            channels: count(Graph::channel_count),
            nodes: count(Graph::node_count),
        };
        self.tell_lightningd(reply);
    }

    /// Sends what has gathered for lightningd, and waits until it is taken.
    pub(crate) async fn flush(&mut self) -> Result<(), FrameError> {
        self.pass_reader_on();
        if !self.for_master.is_empty() {
            self.to_master.send_many(&self.for_master).await?;
            self.for_master.clear();
        }
        Ok(())
    }

    pub(crate) fn on_lightningd(&mut self, message: ToGossipd) {
        match message {
            ToGossipd::Init(_) => self.complain("lightningd sent a second Init"),
            ToGossipd::AddGossip(add) => {
                let request = add.request;
                if self.store.is_none() {
                    let error = Some("the gossip store can't be written".to_owned());
                    return self.tell_lightningd(GossipdAddGossipReply { request, error });
                }
                self.step(Event::Own {
                    request,
                    message: add.message,
                    known_amount: add.known_amount,
                });
            }
            ToGossipd::TxoutReply(reply) => self.step(Event::Txout {
                scid: reply.scid,
                output: reply.output,
            }),
            ToGossipd::NewBlock(block) => {
                self.height = block.height;
                self.step(Event::Block {
                    height: block.height,
                });
            }
            ToGossipd::OutpointsSpent(spent) => self.step(Event::Spent {
                height: spent.height,
                scids: spent.scids,
            }),
            ToGossipd::CompactStore(compact) => {
                let error = self.compact().err();
                self.tell_lightningd(GossipdCompactStoreReply {
                    request: compact.request,
                    error,
                });
            }
        }
    }

    pub(crate) fn on_connectd(&mut self, message: ConnectdToGossipd) {
        match message {
            ConnectdToGossipd::PeerGossip(gossip) => {
                let number = PeerMessage::peek_number(&gossip.message).unwrap_or_default();
                // Queries are for later: nobody answers them yet.
                if !PeerMessage::is_query_number(number) {
                    self.step(Event::Peer {
                        peer: gossip.id,
                        message: gossip.message,
                    });
                }
            }
            ConnectdToGossipd::PeerNew(peer) => {
                if peer.gossip_queries {
                    self.ask_for_gossip(peer.id);
                }
            }
            // Peers that are gone matter once queries are answered.
            ConnectdToGossipd::PeerGone(_) => (),
        }
    }

    /// Asks a peer to send gossip: all it has, or only what is new once a few others were asked for all.
    // BOLT 7 §The `gossip_timestamp_filter` Message: nothing is sent to us before we ask.
    fn ask_for_gossip(&mut self, id: NodeId) {
        let channels = self
            .store
            .as_ref()
            .map_or(0, |open| open.intake.graph().channel_count());
        let everything = self.asked_for_all < FULL_SYNCS || channels < SMALL_GRAPH;
        if everything {
            self.asked_for_all = self.asked_for_all.saturating_add(1);
        }
        let filter = GossipTimestampFilter {
            chain_hash: self.network.chain_hash(),
            first_timestamp: if everything { 0 } else { now() },
            timestamp_range: u32::MAX,
        };
        self.send_to_peer(id, &filter.into());
    }

    pub(crate) fn on_tick(&mut self) {
        match &self.store {
            None => return self.open_store(),
            Some(open) if !open.file.is_in_place() => {
                self.complain("gossip_store was deleted or replaced under us: writing it anew");
                let _ = self.compact();
            }
            Some(_) => (),
        }
        self.step(Event::Tick);
        let worth_it = self.store.as_ref().is_some_and(|open| {
            let graph = open.intake.graph();
            let live = graph.live_records().max(1);
            open.file.end() >= COMPACT_FROM && graph.dead_records() / live >= COMPACT_RATIO
        });
        if worth_it {
            let _ = self.compact();
        }
    }

    fn open_store(&mut self) {
        let start = Instant::now();
        let opened = match StoreFile::open(&self.place) {
            Ok(opened) => opened,
            Err(error) => return self.lose_store(&error),
        };
        let Opened {
            file,
            reader,
            graph,
            repairs,
        } = opened;
        self.set_reader(reader);
        let msec = start.elapsed().as_millis();
        for repair in repairs {
            self.log_repair(&repair, msec);
        }
        let (live, dead) = (graph.live_records(), graph.dead_records());
        let text = format!("gossip_store: {live} live records, {dead} deleted");
        self.log(LogLevel::Debug, None, text);
        let intake = Intake::new(
            graph,
            file.end(),
            self.network.chain_hash(),
            self.our_id,
            self.height,
            self.limits,
        );
        self.store = Some(Open { file, intake });
    }

    fn log_repair(&mut self, repair: &Repair, msec: u128) {
        match repair {
            Repair::Converted { version } => {
                let text = format!("Time to convert version {version} store: {msec} msec");
                self.log(LogLevel::Debug, None, text);
            }
            Repair::CutTail { .. } => self.log(LogLevel::Unusual, None, repair.to_string()),
            Repair::UnknownVersion { .. } => {
                self.log(LogLevel::Unusual, None, repair.to_string());
                self.complain("gossip_store: Moving to gossip_store.corrupt");
            }
            Repair::Damaged { .. } => {
                self.complain(&repair.to_string());
                self.complain("gossip_store: Moving to gossip_store.corrupt");
            }
        }
    }

    /// Goes on without a store; it is tried again at every tick.
    fn lose_store(&mut self, error: &StoreFileError) {
        self.complain(&format!(
            "gossip is not stored until this is mended: {error}"
        ));
        self.store = None;
    }

    fn compact(&mut self) -> Result<(), String> {
        let Some(open) = &mut self.store else {
            return Err("the gossip store can't be written".to_owned());
        };
        let before = open.file.end();
        match open.file.compact() {
            Ok((graph, reader)) => {
                let after = open.file.end();
                open.intake.replace_store(graph, after);
                self.set_reader(reader);
                let text = format!("compaction done: {before} -> {after} bytes");
                self.log(LogLevel::Debug, None, text);
                Ok(())
            }
            Err(error) => {
                self.lose_store(&error);
                Err(error.to_string())
            }
        }
    }

    /// connectd reads this file from now on.
    fn set_reader(&mut self, reader: File) {
        self.new_reader = Some(reader.into());
        self.pass_reader_on();
    }

    /// Passes it on, if there is room: this is not lost as other messages may be.
    fn pass_reader_on(&mut self) {
        if self.new_reader.is_none() {
            return;
        }
        if let Ok(room) = self.for_connectd.try_reserve() {
            room.send(Outgoing {
                message: GossipdToConnectd::from(GossipdStore {}).to_bytes(),
                fds: self.new_reader.take().into_iter().collect(),
            });
        }
    }

    fn step(&mut self, event: Event) {
        let Some(open) = &mut self.store else { return };
        let mut actions = open.intake.step(event, &Env { now: now() }).into_iter();
        while let Some(action) = actions.next() {
            let Err(error) = self.carry_out(action) else {
                continue;
            };
            self.lose_store(&error);
            // Nothing else of this may be done, but whoever asked gets an answer.
            for action in actions.by_ref() {
                if let Action::Reply { request, .. } = action {
                    let error = Some(error.to_string());
                    self.tell_lightningd(GossipdAddGossipReply { request, error });
                }
            }
        }
    }

    fn carry_out(&mut self, action: Action) -> Result<(), StoreFileError> {
        match action {
            Action::Append {
                message,
                timestamp,
                flags,
            } => self.write(|file| file.append(&message, timestamp, flags)),
            Action::AppendCopy {
                record,
                timestamp,
                flags,
            } => self.write(|file| file.append_copy(record, timestamp, flags)),
            Action::SetFlags { record, flags } => self.write(|file| file.set_flags(record, flags)),
            Action::SetTimestamp { record, timestamp } => {
                self.write(|file| file.set_timestamp(record, timestamp))
            }
            Action::AskTxout { scid } => {
                self.tell_lightningd(GossipdGetTxout { scid });
                Ok(())
            }
            Action::Send { peer, message } => {
                self.send_to_peer(peer, &message);
                Ok(())
            }
            Action::Reply { request, error } => {
                self.tell_lightningd(GossipdAddGossipReply { request, error });
                Ok(())
            }
            Action::PeerPolicy(policy) => {
                self.tell_lightningd(peer_policy(&policy));
                Ok(())
            }
            Action::Log {
                severity,
                peer,
                text,
            } => {
                let level = match severity {
                    Severity::Trace => LogLevel::Trace,
                    Severity::Debug => LogLevel::Debug,
                    Severity::Unusual => LogLevel::Unusual,
                };
                self.log(level, peer, text);
                Ok(())
            }
        }
    }

    fn write(
        &mut self,
        write: impl FnOnce(&mut StoreFile) -> Result<(), StoreFileError>,
    ) -> Result<(), StoreFileError> {
        let Some(open) = &mut self.store else {
            return Ok(());
        };
        let result = write(&mut open.file);
        if result.is_err() {
            // A full disk may hold half a record now: it must not be taken for more when the disk has room again.
            let _ = open.file.cut_tail();
        }
        result
    }

    fn send_to_peer(&self, id: NodeId, message: &PeerMessage) {
        let message = message.to_bytes();
        let send = GossipdToConnectd::from(SendToPeer { id, message });
        // A full queue loses a warning or a request, which nobody misses for long; a closed one has no reader any more.
        let _ = self.for_connectd.try_send(Outgoing {
            message: send.to_bytes(),
            fds: Vec::new(),
        });
    }

    fn tell_lightningd(&mut self, message: impl Into<FromGossipd>) {
        self.for_master.push(message.into().to_bytes());
    }

    /// Something that must not happen.
    pub(crate) fn complain(&mut self, text: &str) {
        self.log(LogLevel::Broken, None, text.to_owned());
    }

    fn log(&mut self, level: LogLevel, peer: Option<NodeId>, text: String) {
        let log = StatusLog { level, peer, text };
        self.for_master.push(Status::from(log).to_bytes());
    }
}

fn peer_policy(policy: &PeerPolicy) -> GossipdPeerPolicy {
    GossipdPeerPolicy {
        peer: policy.peer,
        scid: policy.scid,
        fee_base_msat: policy.fee_base_msat,
        fee_proportional_millionths: policy.fee_proportional_millionths,
        cltv_expiry_delta: policy.cltv_expiry_delta,
        htlc_minimum_msat: policy.htlc_minimum_msat,
        htlc_maximum_msat: policy.htlc_maximum_msat,
    }
}

#[cfg(test)]
mod tests {
    use ln_codec::Decode;
    use ln_gossip::samples::{SampleChannel, SampleNode};
    use ln_ipc::gossipd::GossipdAddGossip;
    use ln_ipc::{AsyncStream, Stream};
    use ln_types::{Sat, ShortChannelId};

    use super::*;

    fn writer() -> AsyncWriter {
        let (ours, _) = Stream::pair().unwrap();
        AsyncStream::new(ours).unwrap().split().1
    }

    fn place(directory: &tempfile::TempDir) -> StorePlace {
        StorePlace::at(&directory.path().join("gossip_store"))
    }

    fn add(daemon: &mut Daemon, n: u32) -> Option<String> {
        let scid = ShortChannelId::new(100, n, 0).unwrap();
        let channel = SampleChannel::new(scid, SampleNode(9), SampleNode(1));
        daemon.for_master.clear();
        let add = GossipdAddGossip {
            request: 1,
            message: channel.announcement(),
            known_amount: Some(Sat::from_sat(1)),
        };
        daemon.on_lightningd(add.into());
        let replies = daemon.for_master.iter();
        let mut replies = replies.filter_map(|message| FromGossipd::from_bytes(message).ok());
        match replies.next_back() {
            Some(FromGossipd::AddGossipReply(reply)) => reply.error,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn g7_a_store_that_can_no_longer_be_written_is_opened_again_later() {
        let directory = tempfile::tempdir().unwrap();
        let init = GossipdInit {
            network: Network::Regtest,
            node_id: SampleNode(9).id(),
            gossip_store: "gossip_store".to_owned(),
            height: BlockHeight(110),
            fast_gossip: false,
            fast_gossip_prune: false,
        };
        let mut daemon = Daemon::new(&init, place(&directory), writer(), writer());
        daemon.announce_start();
        assert_eq!(add(&mut daemon, 1), None);
        daemon.store.as_mut().unwrap().file.make_read_only();
        let error = add(&mut daemon, 2).unwrap();
        assert!(error.contains("writing"), "{error}");
        assert!(daemon.store.is_none());
        assert!(add(&mut daemon, 2).is_some());
        daemon.on_tick();
        assert_eq!(add(&mut daemon, 2), None);
        let graph = daemon.store.as_ref().unwrap().intake.graph();
        assert_eq!(graph.channel_count(), 2);
    }

    #[tokio::test]
    async fn g7_a_store_deleted_under_us_is_written_anew() {
        let directory = tempfile::tempdir().unwrap();
        let init = GossipdInit {
            network: Network::Regtest,
            node_id: SampleNode(9).id(),
            gossip_store: "gossip_store".to_owned(),
            height: BlockHeight(0),
            fast_gossip: false,
            fast_gossip_prune: true,
        };
        let mut daemon = Daemon::new(&init, place(&directory), writer(), writer());
        daemon.announce_start();
        assert_eq!(add(&mut daemon, 1), None);
        std::fs::remove_file(directory.path().join("gossip_store")).unwrap();
        daemon.on_tick();
        assert_eq!(add(&mut daemon, 2), None);
        let map = crate::GossipMap::load(&directory.path().join("gossip_store")).unwrap();
        assert_eq!(map.graph().channel_count(), 2);
    }
}
