//! What Rusty Russell typed when he showed c-lightning from zero in April 2019, in today's spelling and his order: commands in a
//! shell, mistakes included, and what he pointed at on the screen.
//!
//! The second half of the talk, plugins in Python, is in `tests/interop` and in the book's tutorial. Without bitcoind it is
//! regtest-bitcoind that answers to that name here.

mod nodes;
mod payment;
mod second_node;
mod shell_plugin;

use std::time::{Duration, Instant};

use ln_testkit::nodes::patience;
use serde_json::Value;
use tests::book::{Place, Shell, Typed};

/// Who types.
pub(crate) struct Speaker<'a> {
    shell: Shell<'a>,
}

impl<'a> Speaker<'a> {
    /// At an empty `/tmp`, with bitcoind running.
    pub(crate) fn begin(place: &'a Place) -> Self {
        let shell = Shell::start(place, &place.home()).unwrap();
        let mut speaker = Self { shell };
        speaker.types("bitcoind -regtest >/dev/null 2>&1 &");
        speaker.until("a chain", "bitcoin-cli -regtest -generate 101", |typed| {
            typed.failed.is_none()
        });
        speaker.types("mkdir /tmp/l1 /tmp/l2");
        speaker
    }

    /// The same, with l1 as it is once its config file is written, and the two short names.
    pub(crate) fn with_l1(place: &'a Place) -> Self {
        let mut speaker = Self::begin(place);
        for line in [
            "network=regtest",
            "log-level=debug",
            "log-file=/tmp/l1/log",
            "rgb=ff0000",
            "alias=satoshi",
            "allow-deprecated-apis=false",
        ] {
            speaker.types(&format!("echo {line} >> /tmp/l1/config"));
        }
        speaker.types(ALIASES);
        speaker.types("lightningd --lightning-dir=/tmp/l1 &");
        speaker.up("l1");
        speaker
    }

    /// Types a command that works; what it printed.
    pub(crate) fn types(&mut self, command: &str) -> String {
        let Typed { output, failed } = self.shell.type_in(command);
        assert_eq!(failed, None, "$ {command}\n{output}");
        output
    }

    /// Stops a node and waits until it is gone: it lives a little longer than its answer.
    pub(crate) fn stop(&mut self, name: &str) {
        assert_eq!(
            self.json(&format!("{name} stop"))["result"],
            "Shutdown complete"
        );
        self.types(&format!("gone /tmp/{name}"));
    }

    /// Types a command that fails; what it printed.
    pub(crate) fn fails(&mut self, command: &str) -> String {
        let Typed { output, failed } = self.shell.type_in(command);
        assert!(failed.is_some(), "$ {command}\n{output}");
        output
    }

    /// Types a command that prints JSON.
    pub(crate) fn json(&mut self, command: &str) -> Value {
        let output = self.types(command);
        serde_json::from_str(&output)
            .unwrap_or_else(|error| panic!("$ {command}: {error}\n{output}"))
    }

    /// Types a command again and again until it shows something.
    pub(crate) fn until(
        &mut self,
        what: &str,
        command: &str,
        wanted: impl Fn(&Typed) -> bool,
    ) -> String {
        let end = Instant::now() + patience();
        loop {
            let typed = self.shell.type_in(command);
            if wanted(&typed) {
                return typed.output;
            }
            assert!(
                Instant::now() < end,
                "{what} did not come\n$ {command}\n{}",
                typed.output
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Types a command until its output has a part.
    pub(crate) fn until_shown(&mut self, command: &str, part: &str) -> String {
        self.until(part, command, |typed| {
            typed.failed.is_none() && typed.output.contains(part)
        })
    }

    /// Waits for a node to answer.
    pub(crate) fn up(&mut self, name: &str) -> Value {
        self.until_shown(&format!("{name} getinfo"), "\"id\"");
        self.json(&format!("{name} getinfo"))
    }

    /// Waits until a node has seen the chain.
    pub(crate) fn synced(&mut self, name: &str) {
        let height = self.types("bitcoin-cli -regtest getblockcount");
        let wanted = format!("\"blockheight\": {},", height.trim());
        self.until_shown(&format!("{name} getinfo"), &wanted);
    }
}

/// To type less.
pub(crate) const ALIASES: &str = "alias l1='lightning-cli --lightning-dir=/tmp/l1 --network=regtest'\n\
                                  alias l2='lightning-cli --lightning-dir=/tmp/l2 --network=regtest'";

/// How l2 is started in the end.
pub(crate) const START_L2: &str = "lightningd --lightning-dir=/tmp/l2 --network=regtest --bind-addr=/tmp/l2/peer --log-file=/tmp/l2/log &";
