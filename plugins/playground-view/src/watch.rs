//! Asking the nodes while somebody looks, and telling everybody who looks what is new.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::ask::{Answers, Node};
use crate::options::Source;
use crate::picture::{Happening, Known, Picture, happenings, height};

/// How long after one look the next follows, and how much longer for each node, which share a machine.
const PAUSE: Duration = Duration::from_millis(250);
const PAUSE_PER_NODE: Duration = Duration::from_millis(25);
/// Between two looks at a node at least, however much happens.
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);
/// Happenings that are kept for those who are slow to take them.
const KEPT: usize = 500;

/// What is known, and who is waiting for news.
#[derive(Debug)]
pub(crate) struct Room {
    inside: Mutex<Inside>,
    changed: Condvar,
    pause: Duration,
}

#[derive(Debug)]
struct Inside {
    known: Vec<Known>,
    /// The last round each node was asked in.
    asked: Vec<u64>,
    /// The round that somebody waits for.
    wanted: u64,
    /// How many look.
    lookers: usize,
    picture: Arc<str>,
    /// Counts pictures.
    version: u64,
    happened: VecDeque<Arc<str>>,
    /// The number of the first of those.
    first: u64,
}

/// What somebody who looks has seen.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen {
    version: u64,
    happened: u64,
}

/// Somebody who looks, until this is dropped.
#[derive(Debug)]
pub(crate) struct Looker {
    room: Arc<Room>,
    seen: Seen,
}

/// What is new.
#[derive(Debug, Default)]
pub(crate) struct News {
    pub(crate) happened: Vec<Arc<str>>,
    pub(crate) picture: Option<Arc<str>>,
}

impl Room {
    /// Begins; one thread for each node waits until somebody looks.
    pub(crate) fn open(sources: Vec<Source>) -> Arc<Self> {
        let known: Vec<Known> = sources
            .iter()
            .map(|source| Known {
                name: source.name.clone(),
                ..Known::default()
            })
            .collect();
        let count = u32::try_from(sources.len()).unwrap_or(u32::MAX);
        let room = Arc::new(Self {
            inside: Mutex::new(Inside {
                asked: vec![0; known.len()],
                picture: draw(&known),
                known,
                wanted: 0,
                lookers: 0,
                version: 1,
                happened: VecDeque::new(),
                first: 0,
            }),
            changed: Condvar::new(),
            pause: PAUSE.saturating_add(PAUSE_PER_NODE.saturating_mul(count)),
        });
        for (place, source) in sources.into_iter().enumerate() {
            let room = Arc::clone(&room);
            thread::spawn(move || room.watch(place, &source));
        }
        room
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the nodes are called.
    pub(crate) fn names(&self) -> Vec<String> {
        let inside = self.lock();
        let names = inside.known.iter().map(|known| known.name.clone());
        names.map(Option::unwrap_or_default).collect()
    }

    /// Asks all nodes now if somebody looks: something has happened.
    pub(crate) fn look_again(&self) {
        let mut inside = self.lock();
        if inside.lookers > 0 {
            inside.wanted = inside.wanted.saturating_add(1);
            self.changed.notify_all();
        }
    }

    /// The picture as the nodes answer now; those that have not answered by `end` are as they were.
    pub(crate) fn picture(&self, end: Instant) -> Arc<str> {
        let mut inside = self.lock();
        inside.wanted = inside.wanted.saturating_add(1);
        let wanted = inside.wanted;
        self.changed.notify_all();
        while inside.asked.iter().any(|asked| *asked < wanted) {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            inside = self.wait(inside, left);
        }
        Arc::clone(&inside.picture)
    }

    /// Begins to look.
    pub(crate) fn enter(self: &Arc<Self>) -> Looker {
        let mut inside = self.lock();
        inside.lookers = inside.lookers.saturating_add(1);
        inside.wanted = inside.wanted.saturating_add(1);
        self.changed.notify_all();
        Looker {
            room: Arc::clone(self),
            seen: Seen {
                version: 0,
                happened: inside.next_happening(),
            },
        }
    }

    fn wait<'a>(&self, inside: MutexGuard<'a, Inside>, time: Duration) -> MutexGuard<'a, Inside> {
        let waited = self.changed.wait_timeout(inside, time);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    /// One node's thread.
    fn watch(&self, place: usize, source: &Source) {
        let mut node = Node::at(&source.socket);
        let mut next = Instant::now();
        loop {
            thread::sleep(SHORTEST_PAUSE);
            let mut inside = self.lock();
            let round = loop {
                let asked = inside.asked.get(place).copied().unwrap_or_default();
                if asked < inside.wanted {
                    break inside.wanted;
                }
                let left = next.saturating_duration_since(Instant::now());
                if inside.lookers == 0 {
                    let waited = self.changed.wait(inside);
                    inside = waited.unwrap_or_else(PoisonError::into_inner);
                } else if left.is_zero() {
                    break inside.wanted;
                } else {
                    inside = self.wait(inside, left);
                }
            };
            drop(inside);
            let answers = node.ask();
            self.lock().learn(place, answers, round);
            self.changed.notify_all();
            next = Instant::now().checked_add(self.pause).unwrap_or(next);
        }
    }
}

impl Inside {
    fn next_happening(&self) -> u64 {
        let count = u64::try_from(self.happened.len()).unwrap_or(u64::MAX);
        self.first.saturating_add(count)
    }

    /// Takes in what a node said.
    fn learn(&mut self, place: usize, answers: Result<Answers, String>, round: u64) {
        if let Some(asked) = self.asked.get_mut(place) {
            *asked = round;
        }
        let old_height = height(&self.known);
        let ids: Vec<String> = self
            .known
            .iter()
            .filter_map(|known| Some(known.answers.as_ref()?.info.id.clone()))
            .collect();
        let Some(known) = self.known.get_mut(place) else {
            return;
        };
        let was_up = known.up;
        let mut found = Vec::new();
        match answers {
            Ok(answers) => {
                if let Some(before) = &known.answers {
                    found = happenings(before, &answers, |id| ids.iter().any(|one| one == id));
                }
                if known.name.is_none() {
                    known.name = Some(answers.info.alias.clone());
                }
                known.answers = Some(answers);
                known.up = Some(true);
                known.problem = None;
            }
            Err(problem) => {
                known.up = Some(false);
                known.problem = Some(problem);
            }
        }
        if let (Some(was_up), Some(up)) = (was_up, known.up)
            && was_up != up
        {
            let name = known.name.clone().unwrap_or_default();
            found.push(Happening::Node { name, up });
        }
        let height = height(&self.known);
        if height > old_height && old_height > 0 {
            let count = height.saturating_sub(old_height);
            found.push(Happening::Block { height, count });
        }
        self.tell(&found);
    }

    /// Puts down what is new, for everybody.
    fn tell(&mut self, found: &[Happening]) {
        for happening in found {
            if let Ok(text) = serde_json::to_string(happening) {
                self.happened.push_back(text.into());
            }
        }
        while self.happened.len() > KEPT {
            self.happened.pop_front();
            self.first = self.first.saturating_add(1);
        }
        let picture = draw(&self.known);
        if picture != self.picture {
            self.picture = picture;
            self.version = self.version.saturating_add(1);
        }
    }
}

fn draw(known: &[Known]) -> Arc<str> {
    serde_json::to_string(&Picture::of(known))
        .unwrap_or_default()
        .into()
}

impl Looker {
    /// Waits for news, which may be none after `time`.
    pub(crate) fn news(&mut self, time: Duration) -> News {
        let end = Instant::now().checked_add(time);
        let mut inside = self.room.lock();
        loop {
            let next = inside.next_happening();
            let new_picture = inside.version > self.seen.version;
            let left = end.map_or(Duration::ZERO, |end| {
                end.saturating_duration_since(Instant::now())
            });
            if new_picture || next > self.seen.happened || left.is_zero() {
                let skip = self.seen.happened.saturating_sub(inside.first);
                let skip = usize::try_from(skip).unwrap_or(usize::MAX);
                let news = News {
                    happened: inside.happened.iter().skip(skip).cloned().collect(),
                    picture: new_picture.then(|| Arc::clone(&inside.picture)),
                };
                self.seen = Seen {
                    version: inside.version,
                    happened: next,
                };
                return news;
            }
            inside = self.room.wait(inside, left);
        }
    }
}

impl Drop for Looker {
    fn drop(&mut self) {
        let mut inside = self.room.lock();
        inside.lookers = inside.lookers.saturating_sub(1);
    }
}
