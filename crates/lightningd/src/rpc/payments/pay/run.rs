//! Paying: look what was done before, send what is missing, wait, learn, and again until it is paid or hopeless.

use std::cell::Cell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use futures_util::future::{LocalBoxFuture, join_all};
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use ln_db::{PaymentRow, PaymentStatus};
use ln_onion::RouteHop;
use ln_route::{Knowledge, Route};
use ln_rpc::methods::payments::pay::PayResponse;
use ln_rpc::{RpcError, RpcErrorCode};
use ln_types::{CltvExpiry, Msat, ShortChannelIdDir};
use tokio::time::Instant;

use super::answer::{gave_up, paid};
use super::channels::Own;
use super::learn::learn;
use super::request::Request;
use super::ways::{unwanted, ways};
use crate::clock;
use crate::node::Node;
use crate::payments::{NewPart, SelfPayment, SendError, Sent, pay_ourselves, send_checked};
use crate::rpc::internal;
use crate::rpc::payments::errors::{failed, not_sent};
use crate::rpc::payments::first_expiry_base;
use crate::rpc::payments::waitsendpay::outcome;

/// How long to wait before the first new attempt; it doubles with each.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// The longest wait between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(4);
/// How long to wait for the other parts once one brought the proof. Its payee has the proof for all of them, so they follow at once.
const STRAGGLERS: Duration = Duration::from_secs(5);

/// Pays, unless it is paid already. What is under way is waited for, whoever sent it. `groupid` shows the present attempt to others.
pub(super) async fn pay(
    node: &Rc<Node>,
    request: &Request,
    groupid: &Cell<u64>,
) -> Result<PayResponse, RpcError> {
    let began = clock::since_epoch().as_secs_f64();
    loop {
        let rows = settled(node, request).await?;
        if let Some(response) = paid(&rows, None) {
            return Ok(response);
        }
        if request.expires_at <= clock::now() {
            let code = RpcErrorCode::PayInvoiceExpired;
            return Err(RpcError::new(code, "Invoice expired"));
        }
        if request.payee == node.id() {
            return to_ourselves(node, request, began).await;
        }
        let last = rows.iter().map(|row| row.groupid).max().unwrap_or(0);
        groupid.set(last.saturating_add(1));
        let mut attempt = Attempt::new(node, request, groupid.get());
        match attempt.run().await? {
            End::Paid => {
                let rows = attempt.rows().await?;
                let response = paid(&rows, Some(began));
                return response.ok_or_else(|| internal("the proof of payment is gone"));
            }
            End::Failed(error) => return Err(error),
            End::Overtaken => {}
        }
    }
}

async fn to_ourselves(
    node: &Rc<Node>,
    request: &Request,
    began: f64,
) -> Result<PayResponse, RpcError> {
    let payment = SelfPayment {
        payment_hash: request.payment_hash,
        amount: request.amount,
        payment_secret: Some(request.payment_secret),
        label: request.label.clone(),
        bolt11: Some(request.invoice.clone()),
        description: request.description.clone(),
        is_judged: true,
    };
    let row = pay_ourselves(node, payment, None).await;
    let row = row.map_err(|error| not_sent(node.id(), None, error))?;
    match paid(std::slice::from_ref(&row), Some(began)) {
        Some(response) => Ok(response),
        None => Err(failed(node.id(), row)),
    }
}

/// The parts for this hash, once none is under way.
async fn settled(node: &Rc<Node>, request: &Request) -> Result<Vec<PaymentRow>, RpcError> {
    let hash = request.payment_hash;
    loop {
        if let Some(over) = node.payments.claims.any(hash) {
            drop(over.await);
            continue;
        }
        let rows = node.db.read(move |txn| txn.payments_by_hash(&hash));
        let rows = rows.await.map_err(internal)?;
        let pending = rows.iter().find(|row| row.status == PaymentStatus::Pending);
        match pending {
            Some(row) if paid(&rows, None).is_none() => {
                let part = (row.partid, row.groupid);
                node.log.debug(
                    &node.origin,
                    format!("pay: waiting for part {part:?} of {hash}, which is under way"),
                );
                outcome(node, hash, part).await?;
            }
            Some(_) | None => return Ok(rows),
        }
    }
}

/// How an attempt ended. Nothing of it is under way, unless it is paid.
enum End {
    Paid,
    Failed(RpcError),
    /// Somebody else sent something for the same hash.
    Overtaken,
}

/// Why nothing more is sent.
enum Halt {
    /// There is no point in it.
    Fatal(RpcError),
    /// The time is over, or every way was tried.
    NoMoreTries,
    /// Somebody else sends something for the same hash.
    Overtaken,
}

/// Everything that is sent under one `groupid`.
struct Attempt<'a> {
    node: &'a Rc<Node>,
    request: &'a Request,
    groupid: u64,
    next_partid: u64,
    /// Parts under way, and how each comes out.
    flight: FuturesUnordered<LocalBoxFuture<'a, (Route, Result<PaymentRow, RpcError>)>>,
    /// What they bring, and what they cost.
    in_flight: Msat,
    fees: Msat,
    /// How many parts were tried.
    tries: u32,
    /// What channels of ours were found to refuse, until the next pause.
    limits: HashMap<ShortChannelIdDir, Msat>,
    /// What is known of the channels of others, and whether failures taught some of it.
    known: Knowledge,
    has_learned: bool,
    /// When to send what is missing.
    resume: Instant,
    pause: Duration,
    halt: Option<Halt>,
    /// Why the last try failed.
    why: String,
}

impl<'a> Attempt<'a> {
    fn new(node: &'a Rc<Node>, request: &'a Request, groupid: u64) -> Self {
        Self {
            node,
            request,
            groupid,
            next_partid: 0,
            flight: FuturesUnordered::new(),
            in_flight: Msat::ZERO,
            fees: Msat::ZERO,
            tries: 0,
            limits: HashMap::new(),
            known: unwanted(&request.exclude),
            has_learned: false,
            resume: Instant::now(),
            pause: FIRST_PAUSE,
            halt: None,
            why: String::new(),
        }
    }

    async fn rows(&self) -> Result<Vec<PaymentRow>, RpcError> {
        let hash = self.request.payment_hash;
        let rows = self.node.db.read(move |txn| txn.payments_by_hash(&hash));
        rows.await.map_err(internal)
    }

    fn missing(&self) -> Msat {
        self.request.amount.saturating_sub(self.in_flight)
    }

    async fn run(&mut self) -> Result<End, RpcError> {
        loop {
            let wants_more = self.halt.is_none() && self.missing() > Msat::ZERO;
            if wants_more && Instant::now() >= self.resume {
                self.send_missing().await;
                continue;
            }
            if self.flight.is_empty() && !wants_more {
                return self.end().await;
            }
            let resume = self.resume;
            tokio::select! {
                biased;
                Some((route, over)) = self.flight.next() => {
                    let row = over?;
                    if row.status == PaymentStatus::Complete {
                        self.wait_for_stragglers().await;
                        return Ok(End::Paid);
                    }
                    self.part_failed(&route, row);
                }
                () = tokio::time::sleep_until(resume), if wants_more => {}
            }
        }
    }

    /// Sends what is missing by the ways there are. What none takes now is tried again after a pause.
    async fn send_missing(&mut self) {
        if self.tries > 0 && self.request.expires_at <= clock::now() {
            let code = RpcErrorCode::PayInvoiceExpired;
            self.halt = Some(Halt::Fatal(RpcError::new(code, "Invoice expired")));
            return;
        }
        while self.halt.is_none() && self.missing() > Msat::ZERO {
            match self.plan().await {
                Ok(routes) => self.send(routes).await,
                Err(error) if self.tries == 0 => self.halt = Some(Halt::Fatal(error)),
                Err(error) => {
                    if self.why.is_empty() {
                        self.why = error.message;
                    }
                    // What is known of others stays true; what our own channels refuse they may take later.
                    if self.has_learned && self.flight.is_empty() && self.limits.is_empty() {
                        self.halt = Some(Halt::NoMoreTries);
                    }
                    break;
                }
            }
        }
        self.limits.clear();
        self.pause();
    }

    async fn plan(&self) -> Result<Vec<Route>, RpcError> {
        let own = Own::now(self.node, &self.limits);
        let fees = self.request.max_fee.saturating_sub(self.fees);
        let bounds = (self.missing(), fees);
        ways(self.node, self.request, &own, &self.known, bounds).await
    }

    /// Lets some time pass before the next try, if there is time for one.
    fn pause(&mut self) {
        self.resume = Instant::now() + self.pause;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        if self.halt.is_none() && self.missing() > Msat::ZERO && self.resume > self.request.deadline
        {
            self.halt = Some(Halt::NoMoreTries);
        }
    }

    /// Sends parts. What a channel of ours refuses is missing still.
    async fn send(&mut self, routes: Vec<Route>) {
        // A payment in one part has number 0; others count from 1.
        let whole = routes.len() == 1 && self.tries == 0;
        let mut partid = if whole { 0 } else { self.next_partid.max(1) };
        let mut sending = Vec::new();
        for route in routes {
            let Some(part) = self.part(&route, partid) else {
                let error = internal("a node on the route has no valid id");
                self.halt = Some(Halt::Fatal(error));
                break;
            };
            partid += 1;
            self.tries = self.tries.saturating_add(1);
            let (node, groupid) = (self.node, self.groupid);
            sending.push(async move {
                let sent = send_checked(node, part, Some(groupid)).await;
                (route, sent)
            });
        }
        self.next_partid = partid;
        for (route, sent) in join_all(sending).await {
            match sent {
                Ok(sent) => self.part_sent(route, sent),
                Err(error) => self.part_refused(&route, error),
            }
        }
    }

    fn part(&self, route: &Route, partid: u64) -> Option<NewPart> {
        let request = self.request;
        let base = first_expiry_base(self.node);
        let hops = route.hops.iter().map(|hop| {
            Some(RouteHop {
                node_id: hop.node.to_node_id()?.public_key(),
                short_channel_id: hop.channel.scid,
                amount: hop.amount,
                cltv_expiry: CltvExpiry(base.saturating_add(hop.delay)),
            })
        });
        Some(NewPart {
            payment_hash: request.payment_hash,
            partid,
            groupid: self.groupid,
            route: hops.collect::<Option<_>>()?,
            payment_secret: Some(request.payment_secret),
            payment_metadata: request.payment_metadata.clone(),
            total: request.total,
            label: request.label.clone(),
            bolt11: Some(request.invoice.clone()),
            description: request.description.clone(),
        })
    }

    fn part_sent(&mut self, route: Route, sent: Sent) {
        let (Sent::Pending(row) | Sent::Complete(row)) = sent;
        self.in_flight = self.in_flight.saturating_add(route.amount());
        self.fees = self.fees.saturating_add(route.fee());
        // What our own channel has left it says itself.
        self.known.take(route.beyond_the_first());
        let (node, part) = (self.node, (row.partid, row.groupid));
        self.flight.push(Box::pin(async move {
            let over = outcome(node, row.payment_hash, part).await;
            (route, over)
        }));
    }

    fn part_refused(&mut self, route: &Route, error: SendError) {
        self.why = error.to_string();
        match error {
            SendError::Refused(_) | SendError::NoChannel(_) => {
                let less = Msat::from_msat(route.sent().as_msat() / 4 * 3);
                if let Some(first) = route.hops.first() {
                    self.limits.insert(first.channel, less);
                }
            }
            SendError::Conflict(_) => self.halt = Some(Halt::Overtaken),
            SendError::Route(_) | SendError::Internal(_) => {
                self.halt = Some(Halt::Fatal(internal(error)));
            }
        }
    }

    fn part_failed(&mut self, route: &Route, row: PaymentRow) {
        self.in_flight = self.in_flight.saturating_sub(route.amount());
        self.fees = self.fees.saturating_sub(route.fee());
        let failure = row.failure.as_ref();
        let teaches = failure.is_some_and(|failure| learn(&mut self.known, route, failure));
        self.known.give_back(route.beyond_the_first());
        let error = failed(self.node.id(), row);
        if teaches {
            self.has_learned = true;
            self.why = error.message;
            self.resume = Instant::now();
            if self.resume > self.request.deadline && self.halt.is_none() {
                self.halt = Some(Halt::NoMoreTries);
            }
        } else if error.code == RpcErrorCode::PayTryOtherRoute {
            self.why = error.message;
            if Instant::now() >= self.resume {
                self.pause();
            }
        } else if !matches!(self.halt, Some(Halt::Fatal(_))) {
            self.halt = Some(Halt::Fatal(error));
        }
    }

    async fn wait_for_stragglers(&mut self) {
        let all = async { while self.flight.next().await.is_some() {} };
        if self.node.config.waits_for_all_parts.get() {
            return all.await;
        }
        if tokio::time::timeout(STRAGGLERS, all).await.is_err() {
            let hash = self.request.payment_hash;
            let text = format!("pay: {hash} is paid, but some of its parts are still under way");
            self.node.log.unusual(&self.node.origin, text);
        }
    }

    async fn end(&mut self) -> Result<End, RpcError> {
        Ok(match self.halt.take() {
            Some(Halt::Overtaken) => End::Overtaken,
            Some(Halt::Fatal(error)) => End::Failed(error),
            Some(Halt::NoMoreTries) | None => {
                let rows = self.rows().await?;
                End::Failed(gave_up(&rows, self.groupid, self.tries, &self.why))
            }
        })
    }
}
