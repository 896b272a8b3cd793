//! The processes of helpers: each is watched until it has ended, and all of them can be ended.

use std::cell::{Cell, RefCell};
use std::process::ExitStatus;
use std::rc::Rc;
use std::time::Duration;

use futures_util::future::join_all;
use ln_ipc::HangUp;
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::Child;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::log::{Logger, Origin};

/// How long a helper may take to end by itself.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
/// The helper that the others ask while they end.
const LAST: &str = "hsmd";
/// Those that have no peer at their other end.
const WITHOUT_PEERS: &[&str] = &[LAST, "gossipd"];

/// All of them: the master has one thread.
#[derive(Default)]
struct Helpers {
    running: RefCell<Vec<Rc<Running>>>,
    ending: Cell<bool>,
}

thread_local! {
    static HELPERS: Helpers = Helpers::default();
}

/// How far a process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Course {
    Runs,
    /// With its exit status, where it could be had.
    Ended(Option<ExitStatus>),
}

/// A helper's process.
#[derive(Debug)]
pub(super) struct Running {
    name: String,
    origin: Origin,
    pid: Option<Pid>,
    /// On which it notices that it is to end.
    lines: RefCell<Vec<HangUp>>,
    course: watch::Sender<Course>,
}

impl Running {
    /// Watches a process until it has ended, whoever else is interested in it.
    pub(super) fn watch(name: &str, origin: Origin, mut child: Child, line: HangUp) -> Rc<Self> {
        let pid = child.id().and_then(|pid| i32::try_from(pid).ok());
        let running = Rc::new(Self {
            name: name.to_owned(),
            origin,
            pid: pid.and_then(Pid::from_raw),
            lines: RefCell::new(vec![line]),
            course: watch::Sender::new(Course::Runs),
        });
        HELPERS.with(|all| all.running.borrow_mut().push(Rc::clone(&running)));
        let watched = Rc::clone(&running);
        tokio::task::spawn_local(async move {
            let status = child.wait().await.ok();
            watched.course.send_replace(Course::Ended(status));
            HELPERS.with(|all| {
                let mut running = all.running.borrow_mut();
                running.retain(|known| !Rc::ptr_eq(known, &watched));
            });
        });
        running
    }

    /// Its process id, which is another process's some time after it has ended.
    pub(super) fn pid(&self) -> Option<u32> {
        self.pid
            .and_then(|pid| u32::try_from(pid.as_raw_nonzero().get()).ok())
    }

    /// It looks at another line for its end, too.
    pub(super) fn also_on(&self, line: HangUp) {
        self.lines.borrow_mut().push(line);
    }

    /// Kills it.
    pub(super) fn kill(&self) {
        if let Some(pid) = self.pid
            && *self.course.borrow() == Course::Runs
        {
            let _gone_already = kill_process(pid, Signal::KILL);
        }
    }

    /// Waits until it has ended; its exit status, where it could be had.
    pub(super) async fn ended(&self) -> Option<ExitStatus> {
        let mut course = self.course.subscribe();
        let ended = course.wait_for(|course| *course != Course::Runs).await;
        match ended.as_deref() {
            Ok(Course::Ended(status)) => *status,
            Ok(Course::Runs) | Err(_) => None,
        }
    }
}

/// Whether all helpers are being ended.
pub(super) fn is_ending() -> bool {
    HELPERS.with(|all| all.ending.get())
}

/// Those that run. From now on none can be started.
fn at_last() -> Vec<Rc<Running>> {
    HELPERS.with(|all| {
        all.ending.set(true);
        all.running.borrow().clone()
    })
}

/// Ends the helpers that hear from peers, as [`end_all`] does.
pub(crate) async fn end_those_with_peers(log: &Logger) {
    let mut helpers = at_last();
    helpers.retain(|helper| !WITHOUT_PEERS.contains(&&*helper.name));
    end(log, &helpers).await;
}

/// Ends all helpers and waits until none is left; from now on none can be started. One that does not end by itself is killed.
pub(crate) async fn end_all(log: &Logger) {
    let all = at_last();
    let (last, first): (Vec<_>, Vec<_>) = all.into_iter().partition(|helper| helper.name == LAST);
    end(log, &first).await;
    end(log, &last).await;
}

async fn end(log: &Logger, helpers: &[Rc<Running>]) {
    for helper in helpers {
        helper.lines.borrow().iter().for_each(HangUp::hang_up);
    }
    let all_ended = || join_all(helpers.iter().map(|helper| helper.ended()));
    if timeout(PATIENCE, all_ended()).await.is_ok() {
        return;
    }
    for helper in helpers {
        if *helper.course.borrow() == Course::Runs {
            let text = format!("did not end within {} seconds: killed", PATIENCE.as_secs());
            log.unusual(&helper.origin, text);
            helper.kill();
        }
    }
    // What even that does not end is in the kernel's hands.
    drop(timeout(PATIENCE, all_ended()).await);
}
