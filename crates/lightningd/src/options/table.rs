//! Every option of lightningd's own: its name, what it takes, its default and its help text.

/// What an option takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Nothing.
    Flag,
    /// `true` or `false`; alone it means `true`.
    Bool,
    /// A whole number.
    Int,
    /// An amount in millisatoshi.
    Msat,
    /// Text.
    Text,
}

/// One option.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OptionInfo {
    /// Its name, without dashes.
    pub(crate) name: &'static str,
    /// What it takes.
    pub(crate) kind: Kind,
    /// Whether it may be given several times.
    pub(crate) multi: bool,
    /// Whether it needs `developer`.
    pub(crate) dev: bool,
    /// Whether `setconfig` can change it while the node runs.
    pub(crate) dynamic: bool,
    /// What it means.
    pub(crate) help: &'static str,
}

const fn option(name: &'static str, kind: Kind, help: &'static str) -> OptionInfo {
    OptionInfo {
        name,
        kind,
        multi: false,
        dev: false,
        dynamic: false,
        help,
    }
}

const fn multi(name: &'static str, help: &'static str) -> OptionInfo {
    OptionInfo {
        name,
        kind: Text,
        multi: true,
        dev: false,
        dynamic: false,
        help,
    }
}

const fn dev(name: &'static str, kind: Kind, help: &'static str) -> OptionInfo {
    OptionInfo {
        name,
        kind,
        multi: false,
        dev: true,
        dynamic: false,
        help,
    }
}

use Kind::{Bool, Flag, Int, Msat, Text};

/// All of them, by chapter.
pub(crate) const OPTIONS: &[OptionInfo] = &[
    // General
    option(
        "conf",
        Text,
        "read this file instead of the config files in the lightning directory",
    ),
    option(
        "lightning-dir",
        Text,
        "where everything is kept (default: ~/.lightning)",
    ),
    option(
        "network",
        Text,
        "the chain: bitcoin, testnet, testnet4, signet or regtest",
    ),
    option("mainnet", Flag, "same as network=bitcoin"),
    option("testnet", Flag, "same as network=testnet"),
    option("testnet4", Flag, "same as network=testnet4"),
    option("signet", Flag, "same as network=signet"),
    option("regtest", Flag, "same as network=regtest"),
    option("developer", Flag, "allow dev- options and commands"),
    option(
        "allow-deprecated-apis",
        Bool,
        "allow what will be removed (default: true, with developer false)",
    ),
    multi(
        "i-promise-to-fix-broken-api-user",
        "allow this deprecated thing although it is no longer allowed",
    ),
    option("help", Flag, "print this and exit"),
    option("version", Flag, "print the version and exit"),
    option(
        "list-features-only",
        Flag,
        "print the supported features and exit",
    ),
    option(
        "test-daemons-only",
        Flag,
        "try whether the programs given with subdaemon can be run, and exit",
    ),
    option(
        "database-upgrade",
        Bool,
        "bring the database of an older version up to date (default: true); with false the node does not start with one",
    ),
    // Daemon
    option(
        "rpc-file",
        Text,
        "the RPC socket's name (default: lightning-rpc)",
    ),
    option(
        "rpc-file-mode",
        Text,
        "the RPC socket's mode in octal (default: 0600)",
    ),
    option(
        "pid-file",
        Text,
        "where the process id is written (default: lightningd-<network>.pid)",
    ),
    option("daemon", Flag, "run in the background; needs log-file"),
    option(
        "wallet",
        Text,
        "where the database is (default: sqlite3://<network directory>/lightningd.sqlite3); sqlite3://PATH:BACKUP keeps a second file that holds the same",
    ),
    option(
        "hsm-passphrase",
        Flag,
        "ask for the passphrase of hsm_secret",
    ),
    option("encrypted-hsm", Flag, "same as hsm-passphrase (deprecated)"),
    option(
        "rescan",
        Int,
        "blocks to look at again on start, or a negative height to start from",
    ),
    multi(
        "log-level",
        "io, trace, debug, info, unusual or broken, with :SUBSYSTEM for some lines only, and :PATH behind that for one log-file only (default: info)",
    ),
    multi(
        "log-file",
        "write the log here, '-' is standard output (default: -)",
    ),
    option("log-prefix", Text, "what each line of the log starts with"),
    option(
        "log-timestamps",
        Bool,
        "show the time in each line of the log (default: true)",
    ),
    multi(
        "subdaemon",
        "NAME:PATH: run another program for one of the helpers",
    ),
    // Node
    option(
        "alias",
        Text,
        "the node's name, up to 32 bytes (default: made from the node id)",
    ),
    option(
        "rgb",
        Text,
        "the node's colour, six hex digits (default: made from the node id)",
    ),
    option(
        "fee-base",
        Msat,
        "base fee for forwarding (default: 1000 msat, 1 on test networks)",
    ),
    option(
        "fee-per-satoshi",
        Int,
        "proportional fee for forwarding, in millionths (default: 10)",
    ),
    OptionInfo {
        dynamic: true,
        ..option(
            "min-capacity-sat",
            Int,
            "the smallest channel to accept, in satoshi (default: 10000)",
        )
    },
    option(
        "ignore-fee-limits",
        Bool,
        "let peers set any feerate (default: false, true on test networks)",
    ),
    option(
        "commit-time",
        Int,
        "milliseconds to gather changes before a commitment (default: 10; 0 is as good here)",
    ),
    option(
        "force-feerates",
        Text,
        "up to six feerates per kiloweight, instead of estimates",
    ),
    option(
        "htlc-minimum-msat",
        Msat,
        "the least HTLC to accept (default: 0)",
    ),
    option("htlc-maximum-msat", Msat, "the greatest HTLC to forward"),
    option(
        "large-channels",
        Flag,
        "no longer of any effect: large channels are always allowed",
    ),
    option("wumbo", Flag, "same as large-channels"),
    option(
        "announce-addr-discovered",
        Text,
        "announce addresses that peers tell us: on, off or auto (default: auto)",
    ),
    option(
        "announce-addr-discovered-port",
        Int,
        "the port for such addresses (default: the network's)",
    ),
    // Channels
    option(
        "watchtime-blocks",
        Int,
        "blocks a peer's funds are delayed if it closes alone (default: 144, 6 on test networks)",
    ),
    option(
        "funding-confirms",
        Int,
        "confirmations before a channel is used (default: 3, 1 on test networks)",
    ),
    option(
        "require-confirmed-inputs",
        Bool,
        "demand confirmed inputs of peers that fund channels with us (default: false; true needs dual funding, which is not built yet)",
    ),
    option(
        "commit-fee",
        Int,
        "percentage of the estimate to pay for commitments (default: 100)",
    ),
    option(
        "commit-feerate-offset",
        Int,
        "added to the feerate of channels we open, per kiloweight (default: 5)",
    ),
    option(
        "max-concurrent-htlcs",
        Int,
        "HTLCs to allow at once in a channel (default: 30, 483 on test networks)",
    ),
    option(
        "max-dust-htlc-exposure-msat",
        Msat,
        "the most to have in HTLCs too small for an output (default: 50000000)",
    ),
    option(
        "cltv-delta",
        Int,
        "blocks between incoming and outgoing HTLCs (default: 34, 6 on test networks)",
    ),
    option(
        "cltv-final",
        Int,
        "blocks an invoice demands (default: 18, 10 on test networks)",
    ),
    option(
        "min-emergency-msat",
        Msat,
        "kept in the wallet for closing channels with anchors (default: 25000000)",
    ),
    multi(
        "accept-htlc-tlv-type",
        "an even onion record to accept from payers",
    ),
    // Networking
    multi(
        "addr",
        "listen here and announce it if it is public: [HOST][:PORT], or autotor:HOST[:PORT] or statictor:HOST[:PORT] of Tor's control port",
    ),
    multi(
        "bind-addr",
        "listen here, or at the /path of a unix socket, without announcing it; behind ws: for websockets",
    ),
    multi(
        "announce-addr",
        "announce this address: HOST[:PORT], NAME.onion[:PORT] or dns:HOST[:PORT]",
    ),
    option("offline", Flag, "neither listen nor connect"),
    option(
        "recover",
        Text,
        "make hsm_secret from these words, 64 hex digits or codex32 string, and start offline: a node of another's secret",
    ),
    option(
        "autolisten",
        Bool,
        "listen on the network's port when no address is given (default: true)",
    ),
    option(
        "autoconnect-seeker-peers",
        Int,
        "peers to have at least: others of the network are connected to until there are so many (default: 10)",
    ),
    option(
        "proxy",
        Text,
        "a SOCKS5 proxy for connections to onion addresses (port 9050 unless another is given)",
    ),
    option(
        "always-use-proxy",
        Bool,
        "use the proxy for every connection (default: false)",
    ),
    option("disable-dns", Flag, "look up no host names"),
    option("disable-mpp", Flag, "pay in one part only"),
    OptionInfo {
        dynamic: true,
        ..option(
            "xpay-handle-pay",
            Bool,
            "of no effect: pay and xpay do the same (default: true)",
        )
    },
    OptionInfo {
        dynamic: true,
        ..option(
            "xpay-slow-mode",
            Bool,
            "answer payments when each of their parts has ended, not when the first brings the proof (default: false)",
        )
    },
    option(
        "message-padding",
        Bool,
        "fill what is sent to peers up to a uniform length (default: false)",
    ),
    option(
        "tor-service-password",
        Text,
        "the password of Tor's control port, for autotor: and statictor:",
    ),
    // Plugins
    multi("plugin", "run this plugin"),
    multi("plugin-dir", "run the plugins in this directory"),
    multi("important-plugin", "run this plugin, and stop when it ends"),
    multi("disable-plugin", "do not run this plugin"),
    option("clear-plugins", Flag, "forget the plugins named so far"),
    multi(
        "plugin-hook-timeout",
        "[NAME:]HOOK=SECONDS: how long plugins may take to answer in a hook, or none for ever (default: 60, but none for htlc_accepted, invoice_payment and rpc_command)",
    ),
    multi(
        "plugin-restart",
        "always or never, behind NAME: for one plugin: start plugins again that end by themselves (default: always)",
    ),
    multi(
        "plugin-permissions",
        "NAME:methods=METHOD,...:hooks=HOOK,...: what this plugin may call and be asked in, also all or none (default: all)",
    ),
    // Experimental
    option(
        "experimental-dual-fund",
        Flag,
        "open channels funded by both sides",
    ),
    option(
        "experimental-simple-close",
        Flag,
        "close channels with the simple protocol",
    ),
    option("experimental-splicing", Flag, "no longer of any effect"),
    option("experimental-peer-storage", Flag, "no longer of any effect"),
    // Of plugins that are not there yet
    option(
        "grpc-host",
        Text,
        "the gRPC server's address: there is none yet, and nothing listens",
    ),
    option(
        "grpc-port",
        Int,
        "the gRPC server's port: there is none yet, and nothing listens",
    ),
    // Developer
    dev("dev-fast-gossip", Flag, "short delays in gossip"),
    dev(
        "dev-fast-gossip-prune",
        Flag,
        "forget channels after 90 seconds",
    ),
    dev(
        "dev-bitcoind-poll",
        Int,
        "only poll the chain backend, every so many seconds",
    ),
    dev(
        "dev-disconnect",
        Text,
        "a file that says when to disconnect",
    ),
    dev("dev-no-reconnect", Flag, "never connect again by itself"),
    dev(
        "dev-no-reconnect-private",
        Flag,
        "never connect again by itself for private channels",
    ),
    dev(
        "dev-fast-reconnect",
        Flag,
        "connect again within three seconds",
    ),
    dev("dev-no-ping-timer", Flag, "send no pings"),
    dev(
        "dev-fail-on-subdaemon-fail",
        Flag,
        "stop when a helper fails",
    ),
    dev(
        "dev-save-plugin-io",
        Text,
        "an existing directory in which what plugins are asked and told is saved",
    ),
    dev("dev-crash-after", Int, "crash after so many seconds"),
    dev("dev-debugger", Text, "wait for a debugger in this helper"),
    dev(
        "dev-debug-self",
        Flag,
        "wait for a debugger before anything is done",
    ),
    dev(
        "dev-panic",
        Text,
        "NAME[:MESSAGES]: make a mistake in this helper or built-in plugin, after so many messages (default: 0)",
    ),
    dev(
        "dev-no-sandbox",
        Flag,
        "leave helpers all their rights, for debugging",
    ),
    dev(
        "dev-break-out",
        Text,
        "HELPER[:HOW]: have this helper try to get out of its sandbox; HOW is all, which is refused, exec or fork, which kill it",
    ),
    dev(
        "dev-disable-commit-after",
        Int,
        "send only so many commitments",
    ),
    dev("dev-allow-localhost", Flag, "announce local addresses"),
    dev(
        "dev-mpp-timeout",
        Int,
        "seconds that the parts of a payment wait for each other (default: 60)",
    ),
    dev(
        "dev-allowdustreserve",
        Bool,
        "allow reserves below the dust limit",
    ),
    dev(
        "dev-timeout-secs",
        Int,
        "seconds for connecting and handshakes (default: 60)",
    ),
    dev(
        "dev-max-fee-multiplier",
        Int,
        "how many times the estimate a peer's feerate may be (default: 10)",
    ),
    OptionInfo {
        multi: true,
        ..dev("dev-force-features", Text, "change the features offered")
    },
    dev(
        "dev-force-privkey",
        Text,
        "the node's key, in hex, instead of hsm_secret's",
    ),
    dev(
        "dev-force-bip32-seed",
        Text,
        "the seed of the wallet, in hex, instead of hsm_secret's; a node with a mnemonic has another wallet",
    ),
    dev(
        "dev-force-channel-secrets",
        Text,
        "the secrets of every channel, in hex: funding/revocation/payment/delayed/htlc/shachain seed",
    ),
    dev(
        "dev-force-tmp-channel-id",
        Text,
        "the temporary id of channels we open, in hex, instead of a random one",
    ),
    dev(
        "dev-hsmd-fail-preapprove",
        Flag,
        "refuse every payment that hsmd is asked to approve",
    ),
    dev(
        "dev-hsmd-no-preapprove-check",
        Flag,
        "make hsmd one that can't be asked for approval without consequences",
    ),
    dev(
        "dev-warn-on-overgrind",
        Flag,
        "complain of signatures that are shorter than most",
    ),
    dev(
        "dev-handshake-no-reply",
        Flag,
        "neither send nor await init after the handshake",
    ),
    dev(
        "dev-limit-connections-inflight",
        Flag,
        "attempt only one connection at a time",
    ),
    dev(
        "dev-keep-nagle",
        Flag,
        "let the kernel gather what is sent to peers",
    ),
    dev(
        "dev-throttle-gossip",
        Flag,
        "send no more than 500 bytes of gossip a second to a peer",
    ),
    dev(
        "dev-fd-limit-multiplier",
        Int,
        "open files to have room for, per channel (default: 2)",
    ),
    dev(
        "dev-max-funding-unconfirmed-blocks",
        Int,
        "blocks after which a channel opened to us is forgotten unless it is funded (default: 2016)",
    ),
    dev(
        "dev-fail-process-onionpacket",
        Flag,
        "fail every HTLC as if its onion could not be read",
    ),
    dev(
        "dev-onion-reply-length",
        Int,
        "bytes of failures sent back, padding included (default: 256)",
    ),
    dev(
        "dev-no-plugin-checksum",
        Flag,
        "take plugins' files as unchanged, whatever they hold",
    ),
    dev(
        "dev-no-htlc-timeout",
        Flag,
        "don't hang up on a peer that keeps an HTLC from being committed for 30 seconds",
    ),
    dev(
        "dev-plugin-autoreload",
        Flag,
        "reload plugins when their files change",
    ),
    dev(
        "dev-builtin-plugins-unimportant",
        Flag,
        "go on when a built-in plugin ends",
    ),
    dev(
        "dev-no-version-checks",
        Flag,
        "run programs given with subdaemon whatever version they are",
    ),
    dev(
        "dev-strict-forwarding",
        Flag,
        "forward over exactly the channel asked for",
    ),
    dev("dev-dns-bootstrap", Flag, "no effect"),
];

/// Options that are known but whose feature is not built yet: the node does not start with them, since it could not do what they ask.
pub(crate) const NOT_YET: &[&str] = &["experimental-dual-fund", "experimental-simple-close"];

#[cfg(test)]
#[path = "table_tests.rs"]
mod tests;
