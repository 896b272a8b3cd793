//! Channels by name and by place.

use std::collections::BTreeMap;
use std::ops::RangeBounds;

use ln_types::ShortChannelId;

use super::Channel;

/// Where a channel is, for as long as it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place(usize);

/// Channels. Who knows a channel's place need not look its name up.
#[derive(Debug, Clone, Default)]
pub(super) struct Table {
    names: BTreeMap<ShortChannelId, Place>,
    places: Vec<Option<Channel>>,
    free: Vec<Place>,
}

impl Table {
    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    pub(super) fn get(&self, scid: ShortChannelId) -> Option<&Channel> {
        self.at(*self.names.get(&scid)?)
    }

    pub(super) fn get_mut(&mut self, scid: ShortChannelId) -> Option<&mut Channel> {
        let Place(place) = *self.names.get(&scid)?;
        self.places.get_mut(place)?.as_mut()
    }

    pub(super) fn at(&self, Place(place): Place) -> Option<&Channel> {
        self.places.get(place)?.as_ref()
    }

    /// In the order of their names.
    pub(super) fn range(
        &self,
        names: impl RangeBounds<ShortChannelId>,
    ) -> impl Iterator<Item = (ShortChannelId, &Channel)> {
        let range = self.names.range(names);
        range.filter_map(|(scid, place)| Some((*scid, self.at(*place)?)))
    }

    /// Adds a channel whose name is new.
    pub(super) fn insert(&mut self, scid: ShortChannelId, channel: Channel) -> Place {
        let place = self.free.pop().unwrap_or(Place(self.places.len()));
        match self.places.get_mut(place.0) {
            Some(free) => *free = Some(channel),
            None => self.places.push(Some(channel)),
        }
        self.names.insert(scid, place);
        place
    }

    pub(super) fn remove(&mut self, scid: ShortChannelId) -> Option<Channel> {
        let place = self.names.remove(&scid)?;
        self.free.push(place);
        self.places.get_mut(place.0)?.take()
    }
}
