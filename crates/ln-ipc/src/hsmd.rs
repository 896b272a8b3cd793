//! Messages of lightning_hsmd.
