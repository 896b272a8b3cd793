//! Messages of lightning_channeld.
