//! Methods that pay: by route, by invoice, and the lists of what was paid.
