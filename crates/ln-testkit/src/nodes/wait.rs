//! The one place where a test waits.

use std::thread;
use std::time::{Duration, Instant};

/// The variable that sets how many seconds a wait may take.
const VARIABLE: &str = "FULGURITE_TEST_PATIENCE";
/// How long without it: generous, so that only what never happens fails on a busy machine.
const USUAL: Duration = Duration::from_mins(3);
/// The pauses between looks grow from the first to the second.
const SHORTEST_PAUSE: Duration = Duration::from_millis(2);
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// How long a condition may take to come true.
pub fn patience() -> Duration {
    std::env::var(VARIABLE)
        .ok()
        .and_then(|text| text.parse().ok())
        .map_or(USUAL, Duration::from_secs)
}

/// Looks again and again until `check` has a value.
///
/// # Panics
/// If that takes longer than [`patience`].
pub fn wait_until<T>(what: &str, mut check: impl FnMut() -> Option<T>) -> T {
    match try_wait_until(what, || Ok(check())) {
        Ok(value) => value,
        Err(error) => panic!("{error}"),
    }
}

/// Looks again and again until `check` has a value or finds that it never will.
pub fn try_wait_until<T>(
    what: &str,
    mut check: impl FnMut() -> Result<Option<T>, String>,
) -> Result<T, String> {
    let patience = patience();
    let end = Instant::now() + patience;
    let mut pause = SHORTEST_PAUSE;
    loop {
        if let Some(value) = check().map_err(|error| format!("waiting for {what}: {error}"))? {
            return Ok(value);
        }
        if Instant::now() > end {
            return Err(format!(
                "waited {} s in vain for {what}",
                patience.as_secs()
            ));
        }
        thread::sleep(pause);
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
