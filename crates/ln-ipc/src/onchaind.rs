//! Messages of lightning_onchaind.
