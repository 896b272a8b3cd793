//! What lightningd tells helpers through their environment: they must know before their first message.

/// The variable that says whether there is a sandbox at all.
pub const SANDBOX: &str = "FULGURITE_SANDBOX";
/// Its value if there is none (`dev-no-sandbox`).
pub const SANDBOX_OFF: &str = "off";
/// The variable that has a helper try to get out, once it is confined: `all`, or an attempt that is its end (`dev-break-out`).
pub const BREAK_OUT: &str = "FULGURITE_DEV_BREAK_OUT";

/// Whether a developer does without.
pub(crate) fn is_off() -> bool {
    std::env::var_os(SANDBOX).is_some_and(|value| value == SANDBOX_OFF)
}
