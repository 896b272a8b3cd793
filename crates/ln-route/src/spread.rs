//! Ways for an amount in several parts.

use ln_types::Msat;

use crate::knowledge::Knowledge;
use crate::network::Network;
use crate::route::Route;
use crate::search::{NoRoute, Query, search};

/// Ways that together bring what `query` asks for, and together cost no more than it allows: one if one can, else as few as are found, at most
/// `max_parts`.
///
/// # Errors
/// Why one way can't do it alone, if several can't either.
pub fn spread(
    network: &Network<'_>,
    known: &Knowledge,
    query: &Query,
    max_parts: usize,
) -> Result<Vec<Route>, NoRoute> {
    let left_out = match search(network, known, query) {
        Ok(route) => return Ok(vec![route]),
        Err(left_out) => left_out,
    };
    let parts = Parts {
        network,
        known: known.clone(),
        query,
        limit: max_parts,
        routes: Vec::new(),
        missing: query.amount,
        size: query.amount,
        may_borrow: true,
    };
    let found = parts.find();
    found.ok_or_else(|| left_out.reason(network, known, query))
}

struct Parts<'a> {
    network: &'a Network<'a>,
    known: Knowledge,
    query: &'a Query,
    /// The most parts.
    limit: usize,
    routes: Vec<Route>,
    missing: Msat,
    /// No part is larger: larger ones were not to be had.
    size: Msat,
    may_borrow: bool,
}

impl Parts<'_> {
    fn find(mut self) -> Option<Vec<Route>> {
        let count = u64::try_from(self.limit).ok()?;
        let least = Msat::from_msat(self.query.amount.as_msat().checked_div(count)?.max(1));
        while !self.missing.is_zero() {
            if self.routes.len() >= self.limit {
                return None;
            }
            let part = self.missing.min(self.size);
            if let Some(route) = self.part(part) {
                self.known.take(&route.hops);
                self.missing = self.missing.saturating_sub(part);
                self.routes.push(route);
                continue;
            }
            self.size = self.smaller(part);
            if self.size < least.min(self.missing) && !self.borrow() {
                return None;
            }
        }
        Some(self.routes)
    }

    fn part(&self, amount: Msat) -> Option<Route> {
        let query = Query {
            amount,
            max_fee: self.fees_left(),
            ..*self.query
        };
        search(self.network, &self.known, &query).ok()
    }

    fn fees_left(&self) -> Msat {
        let spent = self.routes.iter().map(Route::fee).sum();
        self.query.max_fee.saturating_sub(spent)
    }

    /// The next size to try: what fills a channel of ours, with or without fees, or half.
    fn smaller(&self, part: Msat) -> Msat {
        let half = Msat::from_msat(part.as_msat() / 2);
        let fees = self.fees_left();
        let brims = self.network.own().iter().flat_map(|hop| {
            let room = self.known.room(hop.channel, hop.most);
            [room, room.saturating_sub(fees)]
        });
        let brim = brims.filter(|brim| (half..part).contains(brim)).max();
        brim.unwrap_or(half)
    }

    /// What is missing is less than channels of ours take: the last part can be made smaller for it, once.
    fn borrow(&mut self) -> bool {
        let missing = self.missing;
        let lacking = self.network.own().iter().filter_map(|hop| {
            let has_room = self.known.room(hop.channel, hop.most) >= hop.least;
            (has_room && hop.least > missing).then(|| hop.least.saturating_sub(missing))
        });
        let (Some(lacking), true) = (lacking.min(), self.may_borrow) else {
            return false;
        };
        let Some(last) = self.routes.pop() else {
            return false;
        };
        self.may_borrow = false;
        self.known.give_back(&last.hops);
        self.missing = self.missing.saturating_add(last.amount());
        self.size = last.amount().saturating_sub(lacking);
        !self.size.is_zero()
    }
}

#[cfg(test)]
#[path = "spread_tests.rs"]
mod tests;
