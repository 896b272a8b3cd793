use std::time::Duration;

use tokio::io::{AsyncReadExt as _, DuplexStream, duplex};
use tokio::task::LocalSet;
use tokio::time::Instant;

use super::*;

/// Runs on a clock that stands still while anybody has something to do.
fn on_still_time(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    LocalSet::new().block_on(&runtime, test);
}

fn push(queue: &Queue, text: &str, hurry: Hurry) {
    queue.push(text.as_bytes().into(), hurry).unwrap();
}

/// What comes in one piece, and after how long.
async fn piece(reader: &mut DuplexStream) -> (String, Duration) {
    let before = Instant::now();
    let mut bytes = vec![0; 1 << 20];
    let count = reader.read(&mut bytes).await.unwrap();
    bytes.truncate(count);
    (String::from_utf8(bytes).unwrap(), before.elapsed())
}

/// A queue to which many messages came of late, so that they gather, and the other end.
async fn fast_queue() -> (Queue, DuplexStream) {
    let (writer, mut reader) = duplex(1 << 20);
    let queue = Queue::to(writer);
    for number in 0..MANY {
        push(&queue, "a", Hurry::Soon);
        // Each goes at once.
        assert_eq!(
            piece(&mut reader).await,
            ("a".to_owned(), Duration::ZERO),
            "{number}"
        );
    }
    push(&queue, "a", Hurry::Soon);
    assert!(!piece(&mut reader).await.1.is_zero());
    (queue, reader)
}

#[test]
fn many_notifications_go_together_and_a_few_at_once() {
    on_still_time(async {
        let (queue, mut reader) = fast_queue().await;
        push(&queue, "b", Hurry::Soon);
        push(&queue, "c", Hurry::Soon);
        let (text, after) = piece(&mut reader).await;
        assert_eq!(text, "bc");
        // The clock of timers counts milliseconds.
        let expected = GATHER..=GATHER + Duration::from_millis(2);
        assert!(expected.contains(&after), "{after:?}");
        // A few more are not the end of it, but next to none are.
        for _ in 0..STILL_MANY {
            push(&queue, "d", Hurry::Soon);
        }
        assert!(!piece(&mut reader).await.1.is_zero());
        tokio::time::sleep(GATHER).await;
        push(&queue, "e", Hurry::Soon);
        piece(&mut reader).await;
        push(&queue, "f", Hurry::Soon);
        assert!(!piece(&mut reader).await.1.is_zero());
        tokio::time::sleep(WINDOW).await;
        for text in ["g", "h"] {
            push(&queue, text, Hurry::Soon);
            assert_eq!(piece(&mut reader).await, (text.to_owned(), Duration::ZERO));
        }
    });
}

#[test]
fn a_request_takes_along_what_was_told_before_it() {
    on_still_time(async {
        let (queue, mut reader) = fast_queue().await;
        push(&queue, "b", Hurry::Soon);
        push(&queue, "c", Hurry::Now);
        push(&queue, "d", Hurry::Soon);
        assert_eq!(piece(&mut reader).await, ("bcd".to_owned(), Duration::ZERO));
        assert_eq!(queue.waiting(), 0);
    });
}

#[test]
fn what_fills_a_pipe_does_not_wait_and_nothing_is_lost_at_the_end() {
    on_still_time(async {
        let (queue, mut reader) = fast_queue().await;
        let large = "x".repeat(AT_ONCE / 2);
        for _ in 0..3 {
            push(&queue, &large, Hurry::Soon);
        }
        let before = Instant::now();
        let mut whole = vec![0; large.len() * 3];
        reader.read_exact(&mut whole).await.unwrap();
        assert_eq!(before.elapsed(), Duration::ZERO);
        push(&queue, "last", Hurry::Soon);
        drop(queue);
        let mut rest = String::new();
        reader.read_to_string(&mut rest).await.unwrap();
        assert_eq!(rest, "last");
    });
}

#[test]
fn a_plugin_that_does_not_read_is_not_sent_without_end() {
    on_still_time(async {
        let (writer, reader) = duplex(16);
        let queue = Queue::to(writer);
        let large = "x".repeat(MAX_WAITING);
        push(&queue, &large, Hurry::Now);
        push(&queue, "y", Hurry::Now);
        assert_eq!(queue.push((*b"z").into(), Hurry::Now), Err(Full));
        // One that is gone takes nothing, and that is nobody's trouble.
        drop(reader);
        tokio::time::sleep(GATHER).await;
        assert_eq!(queue.waiting(), 0);
        push(&queue, "z", Hurry::Now);
        assert_eq!(queue.waiting(), 0);
    });
}
