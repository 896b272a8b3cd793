//! One client's connection.

use std::os::fd::AsRawFd as _;
use std::rc::Rc;
use std::sync::Arc;

use ln_rpc::RpcError;
use ln_rpc::deprecated::OLD_CLIENTS;
use ln_rpc::jsonrpc::{Malformed, Request, Splitter, mended, write_error};
use serde_json::value::RawValue;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::net::unix::OwnedWriteHalf;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use super::context::{Context, Switches};
use super::dispatch::dispatch;
use crate::log::{LogLevel, Logger, Origin, masked_json};
use crate::node::Node;
use crate::plugins::Caller;

/// Replies waiting to be written at most; then requests are no longer read.
const OUTBOX: usize = 256;
/// Requests of one connection being worked on at most.
const IN_PROGRESS: usize = 4096;
/// How much is read at once.
const CHUNK: usize = 64 * 1024;

#[derive(Debug)]
enum Outgoing {
    Bytes(Vec<u8>),
    /// Bytes that the log must not show: it would show itself.
    Quiet(Vec<u8>),
    Flush(oneshot::Sender<()>),
}

/// The way to a client. When the client is gone, what is sent is dropped.
#[derive(Debug, Clone)]
pub(crate) struct Outbox(mpsc::Sender<Outgoing>);

impl Outbox {
    /// Sends bytes; waits while the client does not read.
    pub(crate) async fn send(&self, bytes: Vec<u8>) {
        drop(self.0.send(Outgoing::Bytes(bytes)).await);
    }

    /// Sends what the log itself came to.
    async fn send_quietly(&self, bytes: Vec<u8>) {
        drop(self.0.send(Outgoing::Quiet(bytes)).await);
    }

    /// Sends bytes if there is room: for what may be missed.
    pub(crate) fn offer(&self, bytes: Vec<u8>) {
        drop(self.0.try_send(Outgoing::Bytes(bytes)));
    }

    /// Waits until everything sent before is written, or the client is gone.
    pub(crate) async fn flush(&self) {
        let (sender, receiver) = oneshot::channel();
        if self.0.send(Outgoing::Flush(sender)).await.is_ok() {
            drop(receiver.await);
        }
    }
}

/// Shows what a client says and is told in the log, without secrets, where somebody wants to see it.
#[derive(Debug, Clone)]
struct Traffic {
    log: Logger,
    origin: Origin,
}

impl Traffic {
    fn show(&self, level: LogLevel, message: &[u8]) {
        if self.log.may_show(level, &self.origin.name) {
            self.log.io(level, &self.origin, "", &masked_json(message));
        }
    }
}

async fn write(mut half: OwnedWriteHalf, mut outgoing: mpsc::Receiver<Outgoing>, traffic: Traffic) {
    while let Some(next) = outgoing.recv().await {
        let bytes = match next {
            Outgoing::Bytes(bytes) => {
                traffic.show(LogLevel::IoOut, &bytes);
                bytes
            }
            Outgoing::Quiet(bytes) => bytes,
            Outgoing::Flush(done) => {
                let _gone = done.send(());
                continue;
            }
        };
        if half.write_all(&bytes).await.is_err() {
            break;
        }
    }
}

/// Serves a client until it hangs up.
pub(super) async fn serve(node: Rc<Node>, stream: UnixStream) {
    let caller = node.plugins.caller(&stream);
    let traffic = Traffic {
        log: node.log.clone(),
        origin: Origin::of(&format!("jsonrpc#{}", stream.as_raw_fd())),
    };
    let (mut reader, writer) = stream.into_split();
    let (sender, receiver) = mpsc::channel(OUTBOX);
    let outbox = Outbox(sender);
    tokio::task::spawn_local(write(writer, receiver, traffic.clone()));
    let switches = Rc::new(Switches::default());
    let _gone = switches.until_gone();
    let in_progress = Arc::new(Semaphore::new(IN_PROGRESS));
    let mut splitter = Splitter::new();
    let mut chunk = vec![0; CHUNK];
    loop {
        let read = match reader.read(&mut chunk).await {
            Ok(0) | Err(_) => return,
            Ok(read) => read,
        };
        splitter.push(chunk.get(..read).unwrap_or_default());
        loop {
            match splitter.next_text() {
                Ok(Some(text)) => {
                    traffic.show(LogLevel::IoIn, text.as_bytes());
                    let Ok(permit) = Arc::clone(&in_progress).acquire_owned().await else {
                        return;
                    };
                    if let Some(caller) = &caller
                        && is_refused(&node, caller, &outbox, text).await
                    {
                        continue;
                    }
                    if !start(&node, &switches, &outbox, text.to_owned(), permit).await {
                        return;
                    }
                }
                Ok(None) => break,
                Err(error) => {
                    let mut out = Vec::new();
                    write_error(
                        &mut out,
                        None,
                        &RpcError::invalid_request(error.to_string()),
                    );
                    outbox.send(out).await;
                    return;
                }
            }
        }
    }
}

/// Slows a plugin down that asks too much, and refuses what it may not; returns whether it was refused.
async fn is_refused(node: &Node, caller: &Caller, outbox: &Outbox, text: &str) -> bool {
    if let Some(wait) = node.plugins.pace(caller) {
        tokio::time::sleep(wait).await;
    }
    if !node.plugins.restricts() {
        return false;
    }
    let read = Request::parse(text);
    let quoted = with_quotes(&read, text);
    // What is no request is refused for that.
    let Ok(request) = quoted.as_deref().map_or(read, Request::parse) else {
        return false;
    };
    let Some(error) = node.plugins.refusal(caller, &request.method) else {
        return false;
    };
    let mut out = Vec::new();
    write_error(&mut out, Some(request.id.get()), &error);
    outbox.send(out).await;
    true
}

/// A text that is no JSON, as it should have been: `lightning-cli` of Core Lightning leaves out the quotes of addresses.
fn with_quotes(read: &Result<Request<'_>, Malformed>, text: &str) -> Option<String> {
    let is_malformed = read.as_ref().is_err_and(|malformed| malformed.fatal);
    is_malformed.then(|| mended(text))
}

/// Starts working on one request; returns whether the connection can go on.
async fn start(
    node: &Rc<Node>,
    switches: &Rc<Switches>,
    outbox: &Outbox,
    text: String,
    permit: OwnedSemaphorePermit,
) -> bool {
    let mut env = node.config.param_env();
    if let Some(deprecated_ok) = switches.deprecations.get() {
        env.deprecated_ok = deprecated_ok;
    }
    let read = Request::parse(&text);
    let quoted = with_quotes(&read, &text);
    let read = quoted.as_deref().map_or(read, Request::parse);
    let parsed = read.and_then(|request| {
        let taken = !request.is_old || env.allows(OLD_CLIENTS);
        if taken {
            Ok(request)
        } else {
            Err(Request::too_old())
        }
    });
    let request = match parsed {
        Ok(request) => request,
        Err(malformed) => {
            let mut out = Vec::new();
            write_error(&mut out, malformed.id.as_deref(), &malformed.error);
            outbox.send(out).await;
            return !malformed.fatal;
        }
    };
    let context = Context {
        id: Rc::from(request.id.to_owned()),
        switches: Rc::clone(switches),
        outbox: outbox.clone(),
        env,
        is_old: request.is_old,
    };
    let method = request.method.clone();
    let params: Box<RawValue> = request.params.to_owned();
    let filter = request.filter.map(ToOwned::to_owned);
    let node = Rc::clone(node);
    tokio::task::spawn_local(async move {
        let (outbox, id, name) = (
            context.outbox.clone(),
            Rc::clone(&context.id),
            method.clone(),
        );
        let log = node.log.clone();
        let work = dispatch(node, context, method, params, filter);
        // A task of its own: whoever asked is answered even if a mistake of ours ends the work.
        let reply = match tokio::task::spawn_local(work).await {
            Ok(reply) => reply,
            Err(error) => {
                let text = format!("the handler of {name} failed: {error}");
                log.broken(&Origin::of("jsonrpc"), text);
                let mut out = Vec::new();
                let error = super::internal(format!("internal error in {name}: see the log"));
                write_error(&mut out, Some(id.get()), &error);
                Some(out)
            }
        };
        match reply {
            Some(reply) if name == "getlog" => outbox.send_quietly(reply).await,
            Some(reply) => outbox.send(reply).await,
            None => {}
        }
        drop(permit);
    });
    true
}
