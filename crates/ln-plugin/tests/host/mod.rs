//! lightningd's side, for tests.
#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    reason = "each test uses what it needs"
)]

use std::io::{PipeReader, PipeWriter, Read, Write, pipe};
use std::thread::JoinHandle;

use ln_plugin::Plugin;
use ln_plugin::protocol::{Configuration, InitParams, Message, write_notification, write_request};
use ln_rpc::RpcError;
use ln_rpc::jsonrpc::Splitter;
use serde_json::Value;

/// A plugin in a thread, and lightningd's end of its streams.
#[derive(Debug)]
pub struct Host {
    to: Option<PipeWriter>,
    from: PipeReader,
    splitter: Splitter,
    plugin: Option<JoinHandle<i32>>,
}

impl Host {
    pub fn start<S: Send + Sync + 'static>(plugin: Plugin<S>) -> Self {
        let (input, to) = pipe().unwrap();
        let (from, output) = pipe().unwrap();
        Self {
            to: Some(to),
            from,
            splitter: Splitter::new(),
            plugin: Some(std::thread::spawn(move || {
                plugin.run_on(input, output, false)
            })),
        }
    }

    pub fn send(&mut self, bytes: &[u8]) {
        self.to.as_mut().unwrap().write_all(bytes).unwrap();
    }

    pub fn next(&mut self) -> String {
        let mut buffer = [0; 4096];
        loop {
            if let Some(text) = self.splitter.next_text().unwrap() {
                return text.to_owned();
            }
            let count = self.from.read(&mut buffer).unwrap();
            assert_ne!(count, 0, "the plugin ended");
            self.splitter.push(&buffer[..count]);
        }
    }

    /// Calls a method and returns its answer; what comes before it is dropped.
    pub fn call(&mut self, method: &str, params: &Value) -> Result<Value, RpcError> {
        let mut out = Vec::new();
        let id = format!("cln:{method}#1");
        write_request(&mut out, &id, method, params).unwrap();
        self.send(&out);
        loop {
            let text = self.next();
            if let Message::Response { id: found, outcome } = Message::parse(&text).unwrap() {
                assert_eq!(found.get(), format!("\"{id}\""));
                return outcome.map(|result| serde_json::from_str(result.get()).unwrap());
            }
        }
    }

    pub fn init(&mut self, options: Value) -> Result<Value, RpcError> {
        let Value::Object(options) = options else {
            panic!("options are an object");
        };
        let configuration = Configuration {
            network: "regtest".to_owned(),
            startup: true,
            ..Configuration::default()
        };
        let params = InitParams {
            options,
            configuration,
        };
        self.call("init", &serde_json::to_value(params).unwrap())
    }

    /// Closes the plugin's stdin and returns its exit code.
    pub fn close(mut self) -> i32 {
        self.to.take();
        self.plugin.take().unwrap().join().unwrap()
    }

    /// Asks something without waiting for the answer.
    pub fn ask(&mut self, id: &str, method: &str, params: &Value) {
        let mut out = Vec::new();
        write_request(&mut out, id, method, params).unwrap();
        self.send(&out);
    }

    /// Tells something.
    pub fn tell(&mut self, topic: &str, params: &Value) {
        let mut out = Vec::new();
        write_notification(&mut out, topic, params).unwrap();
        self.send(&out);
    }

    /// The next thing the plugin says.
    pub fn next_value(&mut self) -> Value {
        serde_json::from_str(&self.next()).unwrap()
    }

    /// The plugin's exit code, once it ends by itself.
    pub fn wait(mut self) -> i32 {
        self.plugin.take().unwrap().join().unwrap()
    }
}
