//! Declaring a plugin.

use std::fmt;
use std::sync::Arc;

use ln_rpc::RpcError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

#[cfg(feature = "tokio")]
use super::Asker;
use super::reply::Reply;
use super::setconfig::{Setter, setter};
use super::{Args, Call, Init, Method, NotNow, OptionValue, PluginOption, Responder};
use crate::hooks::{DB_WRITE, DbWrite, Hook};
use crate::protocol::{FeatureBits, HookDecl, Manifest, MethodDecl, OptionDecl, TopicDecl};
use crate::topics::{Topic, fields};

/// Builds the plugin's state from options and node.
pub(super) type Begin<S> = Box<dyn FnOnce(&Init) -> Result<S, NotNow> + Send>;
/// Answers a request.
pub(super) type Answer<S> = Box<dyn Fn(&Arc<S>, Request<'_>) + Send + Sync>;
/// Says whether a call could be made.
pub(super) type Check<S> = Box<dyn Fn(&S, &Call<'_>) -> Result<(), RpcError> + Send + Sync>;
/// Keeps a transaction of the node's database.
pub(super) type Copy = Arc<dyn Fn(&DbWrite) -> Result<(), String> + Send + Sync>;
/// Hears a notification.
pub(super) type Hear<S> = Box<dyn Fn(&S, &Call<'_>) + Send + Sync>;

/// A request on its way to its handler.
pub(super) struct Request<'a> {
    pub(super) method: &'a str,
    /// Of a method.
    pub(super) usage: Option<&'static str>,
    pub(super) params: Option<&'a RawValue>,
    pub(super) reply: Reply,
}

impl Request<'_> {
    /// Calls a handler that answers at once.
    fn at_once<R: Serialize>(self, handler: impl FnOnce(&Call<'_>) -> Result<R, RpcError>) {
        let asker = self.reply.asker.clone();
        let args = match self.usage {
            Some(usage) => Args::parse(usage, self.params),
            None => Ok(Args::NONE),
        };
        let outcome = args.and_then(|args| {
            handler(&Call {
                method: self.method,
                args,
                params: self.params.map(RawValue::get),
                log: asker.log(),
                asker: Some(&asker),
                origin: None,
            })
        });
        self.reply.give(outcome);
    }

    /// The parameters of a method, in a type of the handler's.
    fn args<P: DeserializeOwned>(&self) -> Result<P, RpcError> {
        Args::parse(self.usage.unwrap_or_default(), self.params)?.read()
    }

    /// What a hook tells.
    fn payload<P: DeserializeOwned>(&self) -> Result<P, RpcError> {
        read_payload(self.method, self.params.map(RawValue::get))
    }
}

/// What a hook tells, or why it can't be read.
pub(super) fn read_payload<P: DeserializeOwned>(
    name: &str,
    params: Option<&str>,
) -> Result<P, RpcError> {
    let text = params.unwrap_or("null");
    serde_json::from_str(text).map_err(|error| {
        RpcError::invalid_params(format!("{name} is not what was expected: {error}"))
    })
}

/// A method or hook.
pub(super) struct Handler<S> {
    pub(super) name: &'static str,
    /// Of a method.
    pub(super) usage: Option<&'static str>,
    /// Of a method.
    declaration: Option<MethodDecl>,
    pub(super) check: Option<Check<S>>,
    pub(super) answer: Answer<S>,
}

/// A plugin: what it declares and what answers. `S` is its state, made when lightningd says `init` and shared by all handlers.
pub struct Plugin<S> {
    pub(super) begin: Begin<S>,
    pub(super) options: Vec<(OptionDecl, bool)>,
    pub(super) setters: Vec<(&'static str, Setter<S>)>,
    pub(super) handlers: Vec<Handler<S>>,
    pub(super) subscriptions: Vec<(&'static str, Hear<S>)>,
    pub(super) workers: usize,
    pub(super) copy: Option<Copy>,
    hooks: Vec<HookDecl>,
    topics: Vec<TopicDecl>,
    features: FeatureBits,
    custom_messages: Vec<u16>,
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
    /// A plugin that begins with `begin`, which may take its time; an error (a text, or [`NotNow`]) is shown to the operator and ends the
    /// plugin.
    pub fn new<E: Into<NotNow>>(
        begin: impl FnOnce(&Init) -> Result<S, E> + Send + 'static,
    ) -> Self {
        Self {
            begin: Box::new(|init| begin(init).map_err(Into::into)),
            options: Vec::new(),
            setters: Vec::new(),
            handlers: Vec::new(),
            subscriptions: Vec::new(),
            workers: 4,
            copy: None,
            hooks: Vec::new(),
            topics: Vec::new(),
            features: FeatureBits::default(),
            custom_messages: Vec::new(),
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

    /// Adds an option that `setconfig` may change; `set` gets its new value, or says what is wrong with it.
    #[must_use]
    pub fn dynamic_option<T: OptionValue>(
        mut self,
        option: &PluginOption<T>,
        set: impl Fn(&S, T) -> Result<(), String> + Send + Sync + 'static,
    ) -> Self {
        let declaration = OptionDecl {
            dynamic: true,
            ..option.declaration()
        };
        self.options.push((declaration, option.is_developer_only()));
        self.setters.push((option.name, setter(set)));
        self
    }

    /// Adds a method.
    #[must_use]
    pub fn method<R: Serialize>(
        self,
        method: Method,
        answer: impl Fn(&S, &Call<'_>) -> Result<R, RpcError> + Send + Sync + 'static,
    ) -> Self {
        self.add_method(
            method,
            Box::new(move |state, request| request.at_once(|call| answer(state, call))),
        )
    }

    /// Adds a method that answers when it likes: the handler returns, the [`Responder`] is used later.
    #[must_use]
    pub fn method_later<P: DeserializeOwned, R: Serialize>(
        self,
        method: Method,
        begin: impl Fn(&Arc<S>, P, Responder<R>) + Send + Sync + 'static,
    ) -> Self {
        self.add_method(
            method,
            Box::new(move |state, request| match request.args() {
                Ok(params) => begin(state, params, Responder::new(request.reply)),
                Err(error) => request.reply.give::<R>(Err(error)),
            }),
        )
    }

    /// Adds a method that is an `async fn` of the state, the parameters and whoever asked. All of them share one thread.
    #[cfg(feature = "tokio")]
    #[must_use]
    pub fn method_async<P, R, F>(
        self,
        method: Method,
        answer: impl Fn(Arc<S>, P, Asker) -> F + Send + Sync + 'static,
    ) -> Self
    where
        P: DeserializeOwned,
        R: Serialize,
        F: Future<Output = Result<R, RpcError>> + Send + 'static,
    {
        self.add_method(
            method,
            Box::new(move |state, request| match request.args() {
                Ok(params) => {
                    let asker = request.reply.asker.clone();
                    run(request.reply, answer(Arc::clone(state), params, asker));
                }
                Err(error) => request.reply.give::<R>(Err(error)),
            }),
        )
    }

    fn add_method(mut self, method: Method, answer: Answer<S>) -> Self {
        self.handlers.push(Handler {
            name: method.name,
            usage: Some(method.usage),
            declaration: Some(method.declaration()),
            check: None,
            answer,
        });
        self
    }

    /// Lets `check` of the method that was added last ask more than whether its parameters are there and known: whether the call could be made now.
    #[must_use]
    pub fn check(
        mut self,
        check: impl Fn(&S, &Call<'_>) -> Result<(), RpcError> + Send + Sync + 'static,
    ) -> Self {
        if let Some(handler) = self.handlers.last_mut() {
            handler.check = Some(Box::new(check));
        }
        self
    }

    /// Keeps a copy of the node's database (the hook `db_write`): `copy` is given each transaction before it is committed, and returns when
    /// it is safe elsewhere. An error ends the copy, and the plugin.
    ///
    /// It is asked before `init` already, and so has no state of the plugin's. Transactions come one after the other; a number that comes
    /// twice means that the first was never committed.
    #[must_use]
    pub fn copy_database(
        mut self,
        copy: impl Fn(&DbWrite) -> Result<(), String> + Send + Sync + 'static,
    ) -> Self {
        self.hooks.push(HookDecl {
            name: DB_WRITE.to_owned(),
            ..HookDecl::default()
        });
        self.copy = Some(Arc::new(copy));
        self
    }

    /// Adds a hook: lightningd asks and waits. Of a handler that takes long, others wait too: use [`Self::hook_later`] to hold something.
    #[must_use]
    pub fn hook<P: DeserializeOwned, A: Serialize>(
        self,
        hook: Hook<P, A>,
        answer: impl Fn(&S, P, &Call<'_>) -> Result<A, RpcError> + Send + Sync + 'static,
    ) -> Self {
        self.add_hook(
            hook,
            Box::new(move |state, request| {
                request.at_once(|call| {
                    let payload = read_payload(call.method, call.params)?;
                    answer(state, payload, call)
                });
            }),
        )
    }

    /// Adds a hook that is answered when the plugin likes: the handler returns, the [`Responder`] is used later.
    #[must_use]
    pub fn hook_later<P: DeserializeOwned, A: Serialize>(
        self,
        hook: Hook<P, A>,
        begin: impl Fn(&Arc<S>, P, Responder<A>) + Send + Sync + 'static,
    ) -> Self {
        self.add_hook(
            hook,
            Box::new(move |state, request| match request.payload() {
                Ok(payload) => begin(state, payload, Responder::new(request.reply)),
                Err(error) => request.reply.give::<A>(Err(error)),
            }),
        )
    }

    /// Adds a hook that is an `async fn` of the state, what lightningd tells, and whoever asked. All of them share one thread.
    #[cfg(feature = "tokio")]
    #[must_use]
    pub fn hook_async<P, A, F>(
        self,
        hook: Hook<P, A>,
        answer: impl Fn(Arc<S>, P, Asker) -> F + Send + Sync + 'static,
    ) -> Self
    where
        P: DeserializeOwned,
        A: Serialize,
        F: Future<Output = Result<A, RpcError>> + Send + 'static,
    {
        self.add_hook(
            hook,
            Box::new(move |state, request| match request.payload() {
                Ok(payload) => {
                    let asker = request.reply.asker.clone();
                    run(request.reply, answer(Arc::clone(state), payload, asker));
                }
                Err(error) => request.reply.give::<A>(Err(error)),
            }),
        )
    }

    fn add_hook<P, A>(mut self, hook: Hook<P, A>, answer: Answer<S>) -> Self {
        self.handlers.push(Handler {
            name: hook.name,
            usage: None,
            declaration: None,
            check: None,
            answer,
        });
        self.hooks.push(hook.declaration());
        self
    }

    /// Hears the notifications of a topic. All notifications are heard one after the other, in the order in which they were sent.
    #[must_use]
    pub fn subscribe<P: DeserializeOwned>(
        mut self,
        topic: Topic<P>,
        hear: impl Fn(&S, P, &Call<'_>) + Send + Sync + 'static,
    ) -> Self {
        let name = topic.name;
        self.subscriptions.push((
            name,
            Box::new(move |state, call| {
                let told = fields(name, call.params.unwrap_or("null"));
                match serde_json::from_str(told) {
                    Ok(told) => hear(state, told, call),
                    Err(error) => {
                        let text = format!("{name} is not what was expected: {error}");
                        // A line about the log would be the next line of the log.
                        if !matches!(name, "log" | "warning") {
                            call.log.unusual(text);
                        }
                    }
                }
            }),
        ));
        self
    }

    /// Hears every notification but `log`; the call has the topic's name, and [`Call::payload`] reads what is told.
    #[must_use]
    pub fn subscribe_all(mut self, hear: impl Fn(&S, &Call<'_>) + Send + Sync + 'static) -> Self {
        self.subscriptions.push(("*", Box::new(hear)));
        self
    }

    /// What to do when lightningd wants the plugin to end, after the notifications before; then it ends. There are 30 seconds for that.
    /// Without this it is ended at once.
    #[must_use]
    pub fn on_shutdown(mut self, end: impl Fn(&S) + Send + Sync + 'static) -> Self {
        self.subscriptions
            .push(("shutdown", Box::new(move |state, _| end(state))));
        self
    }

    /// Declares a topic of its own, to be sent with [`Log::notify`](crate::Log::notify).
    #[must_use]
    pub fn topic(mut self, name: &str) -> Self {
        let method = name.to_owned();
        self.topics.push(TopicDecl { method });
        self
    }

    /// Adds feature bits to what the node announces. Only for plugins that start with the node.
    #[must_use]
    pub fn features(mut self, bits: FeatureBits) -> Self {
        self.features = bits;
        self
    }

    /// Message types of peers to let through to the hook `custommsg` though they are even.
    #[must_use]
    pub fn custom_messages(mut self, types: &[u16]) -> Self {
        self.custom_messages.extend_from_slice(types);
        self
    }

    /// How many calls may be worked on at once, at least one; the others wait. Four if not said. What is answered later, or is `async`, needs
    /// no worker meanwhile.
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

    /// Whether it hears notifications and answers nothing.
    pub(super) fn only_hears(&self) -> bool {
        self.handlers.is_empty() && self.setters.is_empty() && self.copy.is_none()
    }

    /// The answer to `getmanifest`.
    pub(super) fn manifest(&self, developer: bool) -> Manifest {
        let options = self.options.iter();
        let options = options.filter(|(_, developer_only)| developer || !developer_only);
        let mut subscriptions: Vec<String> = Vec::new();
        for (topic, _) in &self.subscriptions {
            if !subscriptions.iter().any(|known| known == topic) {
                subscriptions.push((*topic).to_owned());
            }
        }
        let checks = self.handlers.iter().any(|handler| handler.check.is_some());
        Manifest {
            options: options.map(|(option, _)| option.clone()).collect(),
            rpcmethods: self
                .handlers
                .iter()
                .filter_map(|handler| handler.declaration.clone())
                .collect(),
            subscriptions,
            hooks: self.hooks.clone(),
            featurebits: self.features.clone(),
            notifications: self.topics.clone(),
            custommessages: self.custom_messages.clone(),
            nonnumericids: true,
            cancheck: checks || !self.setters.is_empty(),
            dynamic: self.dynamic,
            disable: None,
        }
    }
}

/// Lets a future run and answers with what it comes to.
#[cfg(feature = "tokio")]
fn run<R: Serialize>(
    reply: Reply,
    answer: impl Future<Output = Result<R, RpcError>> + Send + 'static,
) {
    let log = reply.asker.log().clone();
    let spawned = super::runtime::spawn(async move { reply.give(answer.await) });
    if let Err(error) = spawned {
        log.broken(format!("no event loop for async handlers: {error}"));
    }
}
