//! Messages of lightning_closingd.
