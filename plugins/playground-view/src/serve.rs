//! The page's server.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::http::{Refusal, Request, write_head};
use crate::watch::Room;

/// The page.
const PAGE: &str = include_str!("page.html");

/// Connections at a time.
const MOST: usize = 64;
/// How long a browser may take to send or take anything.
const SLOWEST: Duration = Duration::from_secs(10);
/// How long nodes may take until `/state` is answered without them.
const NODES_MAY_TAKE: Duration = Duration::from_secs(3);
/// How often a stream without news shows that it is alive.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// The wait after a connection could not be taken: too many files are open, say.
const PAUSE: Duration = Duration::from_millis(100);

/// Begins to listen, on a free port if it is 0; a text says why that can't be.
pub(crate) fn start(room: &Arc<Room>, port: u16) -> Result<u16, String> {
    let fail = |error: io::Error| format!("the page can't be served on port {port}: {error}");
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(fail)?;
    let port = listener.local_addr().map_err(fail)?.port();
    let room = Arc::clone(room);
    thread::spawn(move || accept(&listener, &room));
    Ok(port)
}

/// One of the places for connections; free again when it is dropped.
struct Place(Arc<AtomicUsize>);

impl Place {
    fn take(taken: &Arc<AtomicUsize>) -> Option<Self> {
        let place = Self(Arc::clone(taken));
        let before = taken.fetch_add(1, Ordering::Relaxed);
        (before < MOST).then_some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn accept(listener: &TcpListener, room: &Arc<Room>) {
    let taken = Arc::new(AtomicUsize::new(0));
    loop {
        let Ok((stream, _)) = listener.accept() else {
            thread::sleep(PAUSE);
            continue;
        };
        // Without a place it is closed.
        let Some(place) = Place::take(&taken) else {
            continue;
        };
        let room = Arc::clone(room);
        let started = thread::Builder::new().spawn(move || {
            // The browser has gone.
            let _nobody_to_tell = answer(stream, &room);
            drop(place);
        });
        if started.is_err() {
            thread::sleep(PAUSE);
        }
    }
}

fn answer(mut stream: TcpStream, room: &Arc<Room>) -> io::Result<()> {
    stream.set_read_timeout(Some(SLOWEST))?;
    stream.set_write_timeout(Some(SLOWEST))?;
    stream.set_nodelay(true)?;
    let request = match Request::read(&stream) {
        Ok(request) => request,
        Err(Refusal::Gone) => return Ok(()),
        Err(Refusal::Bad) => return say(stream, "400 Bad Request"),
    };
    if !request.is_for_this_machine() {
        return say(stream, "403 Forbidden");
    }
    if !matches!(request.method.as_str(), "GET" | "HEAD") {
        return say(stream, "405 Method Not Allowed");
    }
    let with_body = request.method == "GET";
    match request.path.as_str() {
        "/" => {
            write_head(&mut stream, "200 OK", "text/html; charset=utf-8")?;
            if with_body {
                stream.write_all(PAGE.as_bytes())?;
            }
        }
        "/state" => {
            let end = Instant::now().checked_add(NODES_MAY_TAKE);
            let picture = room.picture(end.unwrap_or_else(Instant::now));
            write_head(&mut stream, "200 OK", "application/json")?;
            if with_body {
                stream.write_all(picture.as_bytes())?;
            }
        }
        "/events" => {
            write_head(&mut stream, "200 OK", "text/event-stream")?;
            if with_body {
                stream_news(&mut stream, room)?;
            }
        }
        _ => return say(stream, "404 Not Found"),
    }
    close(stream)
}

/// An answer that is no more than its first line.
fn say(mut stream: TcpStream, status: &str) -> io::Result<()> {
    write_head(&mut stream, status, "text/plain; charset=utf-8")?;
    writeln!(stream, "{status}")?;
    close(stream)
}

/// Ends the connection so that all of the answer arrives: what the browser sent besides is read first.
fn close(mut stream: TcpStream) -> io::Result<()> {
    stream.shutdown(std::net::Shutdown::Write)?;
    let mut rest = [0; 1024];
    let mut left = 64_u32;
    while left > 0 && stream.read(&mut rest)? > 0 {
        left = left.saturating_sub(1);
    }
    Ok(())
}

/// Tells what happens until the browser goes.
fn stream_news(stream: &mut TcpStream, room: &Arc<Room>) -> io::Result<()> {
    let mut looker = room.enter();
    loop {
        let news = looker.news(HEARTBEAT);
        let mut text = String::new();
        for happening in &news.happened {
            text.extend(["event: happening\ndata: ", happening, "\n\n"]);
        }
        if let Some(picture) = &news.picture {
            text.extend(["event: picture\ndata: ", picture, "\n\n"]);
        }
        if text.is_empty() {
            text.push_str(": nothing new\n\n");
        }
        stream.write_all(text.as_bytes())?;
    }
}
