//! What this process is: the master, a helper or a built-in plugin.

use std::path::Path;

use crate::startup;

/// A helper or built-in plugin linked into this program.
struct Role {
    /// The name it is started under.
    name: &'static str,
    run: fn() -> i32,
}

const ROLES: &[Role] = &[
    Role { name: "lightning_channeld", run: || { ln_channeld::run(); 0 } },
    Role { name: "lightning_closingd", run: || { ln_closingd::run(); 0 } },
    Role { name: "lightning_connectd", run: || { ln_connectd::main(); 0 } },
    Role { name: "lightning_gossipd", run: || { ln_gossipd::run(); 0 } },
    Role { name: "lightning_hsmd", run: || { ln_hsmd::run(); 0 } },
    Role { name: "lightning_onchaind", run: || { ln_onchaind::run(); 0 } },
    Role { name: "lightning_openingd", run: || { ln_openingd::run(); 0 } },
    Role { name: "bcli", run: bcli::run },
];

/// Becomes what `argv[0]` names and returns the exit code.
pub(crate) fn become_role() -> i32 {
    let mut arguments = std::env::args_os();
    let program = arguments.next().unwrap_or_default();
    let name = Path::new(&program).file_name().unwrap_or_default().to_string_lossy().into_owned();
    match ROLES.iter().find(|role| role.name == name) {
        Some(role) => (role.run)(),
        None => startup::run(arguments.collect()),
    }
}
