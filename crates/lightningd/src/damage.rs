//! Looking through the database once it is open: a part that nobody reads for months may have gone bad.

use std::rc::Rc;

use ln_db::{DbError, find_damage};

use crate::exit;
use crate::node::Node;

/// A larger database is not read as a whole at each start.
const MAX_CHECKED: u64 = 1 << 30;

/// Ends the node if its database is damaged: what it does not know any more it can't act on.
pub(crate) async fn watch_for_damage(node: Rc<Node>) {
    let path = node.config.database.clone();
    let size = std::fs::metadata(&path).map_or(0, |data| data.len());
    if size > MAX_CHECKED {
        return;
    }
    let looked = tokio::task::spawn_blocking(move || find_damage(&path)).await;
    // What can't be looked at now may still be whole.
    let Ok(Ok(Some(reason)) | Err(DbError::Damaged { reason, .. })) = looked else {
        return;
    };
    let damaged = DbError::Damaged {
        path: format!("{}: ", node.config.database.display()),
        reason,
    };
    node.log.broken(&node.origin, damaged.to_string());
    node.stop(exit::FAILED);
}
