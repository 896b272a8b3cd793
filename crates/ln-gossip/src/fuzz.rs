//! What the fuzz targets check; tests replay the committed corpus through the same functions.

use crate::Graph;
use crate::store::{Records, rewrite};

/// Reads bytes as a store, and as one to be rewritten; what was rewritten must read without complaint and lose nothing the second time.
///
/// # Panics
/// When that does not hold.
pub fn read_store(data: &[u8]) {
    let mut graph = Graph::new();
    let mut records = Records::new(data, 0);
    loop {
        match records.next_record() {
            Ok(Some(record)) => {
                graph.apply(&record);
            }
            Ok(None) => break,
            Err(_) => (),
        }
    }
    let once = rewrite(data, [1; 32]);
    let twice = rewrite(&once.bytes, [1; 32]);
    assert_eq!(twice.damaged, 0, "a new store is whole");
    assert_eq!(once.bytes, twice.bytes, "a new store has nothing to drop");
}
