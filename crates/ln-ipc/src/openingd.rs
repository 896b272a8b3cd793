//! Messages of lightning_openingd.
