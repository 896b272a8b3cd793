//! Declaring a plugin.

use std::fmt;

use ln_rpc::RpcError;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use super::{Call, Init, OptionValue, PluginOption};
use crate::protocol::{HookDecl, Manifest, MethodDecl, OptionDecl, TopicDecl};

/// Builds the plugin's state from options and node; a text says why it can't.
pub(super) type Begin<S> = Box<dyn FnOnce(&Init) -> Result<S, String>>;
/// Answers a request.
pub(super) type Answer<S> =
    Box<dyn Fn(&S, &Call<'_>) -> Result<Box<RawValue>, RpcError> + Send + Sync>;
/// Hears a notification.
pub(super) type Hear<S> = Box<dyn Fn(&S, &Call<'_>) + Send + Sync>;

/// A method or hook.
pub(super) struct Handler<S> {
    pub(super) name: &'static str,
    pub(super) usage: &'static str,
    pub(super) is_hook: bool,
    pub(super) answer: Answer<S>,
}

/// A plugin: what it declares and what answers. `S` is its state, made when lightningd says `init` and shared by all handlers.
pub struct Plugin<S> {
    pub(super) begin: Begin<S>,
    pub(super) options: Vec<(OptionDecl, bool)>,
    pub(super) handlers: Vec<Handler<S>>,
    pub(super) subscriptions: Vec<(&'static str, Hear<S>)>,
    pub(super) workers: usize,
    hooks: Vec<HookDecl>,
    topics: Vec<TopicDecl>,
    dynamic: bool,
}

impl<S> fmt::Debug for Plugin<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let methods: Vec<&str> = self.handlers.iter().map(|handler| handler.name).collect();
        f.debug_struct("Plugin")
            .field("methods", &methods)
            .finish_non_exhaustive()
    }
}

impl<S: Send + Sync + 'static> Plugin<S> {
    /// A plugin that begins with `begin`, which may take its time; an error is shown to the operator and ends the plugin.
    pub fn new(begin: impl FnOnce(&Init) -> Result<S, String> + 'static) -> Self {
        Self {
            begin: Box::new(begin),
            options: Vec::new(),
            handlers: Vec::new(),
            subscriptions: Vec::new(),
            workers: 4,
            hooks: Vec::new(),
            topics: Vec::new(),
            dynamic: false,
        }
    }

    /// Adds an option.
    #[must_use]
    pub fn option<T: OptionValue>(mut self, option: &PluginOption<T>) -> Self {
        let developer_only = option.is_developer_only();
        self.options.push((option.declaration(), developer_only));
        self
    }

    /// Adds a method; `usage` names its parameters in order, optional ones in brackets.
    #[must_use]
    pub fn method<R: Serialize>(
        mut self,
        name: &'static str,
        usage: &'static str,
        answer: impl Fn(&S, &Call<'_>) -> Result<R, RpcError> + Send + Sync + 'static,
    ) -> Self {
        self.handlers.push(Handler {
            name,
            usage,
            is_hook: false,
            answer: serialized(answer),
        });
        self
    }

    /// Adds a hook; the handler reads the call's `payload`.
    #[must_use]
    pub fn hook<R: Serialize>(
        mut self,
        declaration: HookDecl,
        name: &'static str,
        answer: impl Fn(&S, &Call<'_>) -> Result<R, RpcError> + Send + Sync + 'static,
    ) -> Self {
        self.hooks.push(HookDecl {
            name: name.to_owned(),
            ..declaration
        });
        self.handlers.push(Handler {
            name,
            usage: "",
            is_hook: true,
            answer: serialized(answer),
        });
        self
    }

    /// Hears the notifications of a topic (`*` is every topic). With more than one worker they may be heard out of order.
    #[must_use]
    pub fn subscribe(
        mut self,
        topic: &'static str,
        hear: impl Fn(&S, &Call<'_>) + Send + Sync + 'static,
    ) -> Self {
        self.subscriptions.push((topic, Box::new(hear)));
        self
    }

    /// Declares a topic of its own, to be sent with [`Log::notify`](crate::Log::notify).
    #[must_use]
    pub fn topic(mut self, name: &str) -> Self {
        let method = name.to_owned();
        self.topics.push(TopicDecl { method });
        self
    }

    /// How many calls may be worked on at once, at least one; the others wait. Four if not said.
    #[must_use]
    pub fn workers(mut self, workers: usize) -> Self {
        self.workers = workers.max(1);
        self
    }

    /// Lets the plugin be started and stopped while the node runs.
    #[must_use]
    pub fn dynamic(mut self) -> Self {
        self.dynamic = true;
        self
    }

    /// The answer to `getmanifest`.
    pub(super) fn manifest(&self, developer: bool) -> Manifest {
        let options = self.options.iter();
        let options = options.filter(|(_, developer_only)| developer || !developer_only);
        let methods = self.handlers.iter().filter(|handler| !handler.is_hook);
        Manifest {
            options: options.map(|(option, _)| option.clone()).collect(),
            rpcmethods: methods
                .map(|method| MethodDecl {
                    name: method.name.to_owned(),
                    usage: method.usage.to_owned(),
                    deprecated: None,
                })
                .collect(),
            subscriptions: self
                .subscriptions
                .iter()
                .map(|(topic, _)| (*topic).to_owned())
                .collect(),
            hooks: self.hooks.clone(),
            notifications: self.topics.clone(),
            nonnumericids: true,
            dynamic: self.dynamic,
            ..Manifest::default()
        }
    }
}

/// A handler with its result written as JSON.
fn serialized<S, R: Serialize>(
    answer: impl Fn(&S, &Call<'_>) -> Result<R, RpcError> + Send + Sync + 'static,
) -> Answer<S> {
    Box::new(move |state, call| {
        let result = answer(state, call)?;
        to_raw_value(&result)
            .map_err(|error| RpcError::lightningd(format!("the result is no JSON: {error}")))
    })
}
