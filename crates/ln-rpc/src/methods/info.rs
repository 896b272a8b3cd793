//! What there is to know about a method besides its types.

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::params::{ParamInfo, RpcParams, usage};
use crate::shape::{Described, Shape, paragraphs, rpc_object};

/// The chapter of the manual a method belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Category {
    /// The node and the interface.
    Control,
    /// Peers and connections.
    Peers,
    /// Channels: open, list, set, close.
    Channels,
    /// Coins and PSBTs.
    Wallet,
    /// What moved in the node's accounts.
    Accounts,
    /// Being paid.
    Invoices,
    /// Paying.
    Payments,
    /// The graph of the network.
    Gossip,
    /// Values that plugins and scripts keep with the node.
    Datastore,
    /// Plugins.
    Plugins,
    /// For developers.
    Developer,
}

impl Category {
    /// The title of the chapter.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Control => "Node",
            Self::Peers => "Peers",
            Self::Channels => "Channels",
            Self::Wallet => "Wallet",
            Self::Accounts => "Accounts",
            Self::Invoices => "Invoices",
            Self::Payments => "Payments",
            Self::Gossip => "Gossip",
            Self::Datastore => "Datastore",
            Self::Plugins => "Plugins",
            Self::Developer => "Developer",
        }
    }
}

/// When a method goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deprecation {
    /// The version that deprecated it.
    pub since: &'static str,
    /// The last version that has it.
    pub until: &'static str,
}

/// A method as `help`, the manual and the schemas show it.
#[derive(Debug, Clone, Copy)]
pub struct MethodInfo {
    /// What clients call.
    pub name: &'static str,
    /// The chapter of the manual.
    pub category: Category,
    /// The manual: what it does, what it waits for, what it changes.
    pub description: &'static str,
    /// The parameters in positional order.
    pub params: &'static [ParamInfo],
    /// Whether it takes parameters beyond those.
    pub takes_extra: bool,
    /// What it answers.
    pub response: fn() -> Shape,
    /// The version of Core Lightning whose method this is, empty for the oldest.
    pub since: &'static str,
    /// Whether only a node with `--developer` has it.
    pub developer: bool,
    /// Whether it is going away.
    pub deprecated: Option<Deprecation>,
}

impl MethodInfo {
    /// The parameters as `help` shows them.
    pub fn usage(&self) -> String {
        usage(self.params)
    }

    /// The first sentence of the manual.
    pub fn summary(&self) -> &'static str {
        self.description.lines().next().unwrap_or_default().trim()
    }

    /// The line of `help`: name and parameters.
    pub fn help_line(&self) -> String {
        let mark = if self.deprecated.is_some() {
            " (DEPRECATED!)"
        } else {
            ""
        };
        format!("{}{mark} {}", self.name, self.usage())
    }

    /// The schema of request and reply in the draft's words.
    pub fn to_schema(&self) -> Value {
        let required: Vec<&str> = self
            .params
            .iter()
            .filter(|param| param.required)
            .map(|param| param.name)
            .collect();
        let properties: Map<String, Value> = self
            .params
            .iter()
            .filter(|param| !param.is_developer_only())
            .map(|param| (param.name.to_owned(), Value::Object(param_schema(param))))
            .collect();
        let mut response = (self.response)().to_schema();
        response.remove("type");
        let mut schema = json!({
            "$schema": "../rpc-schema-draft.json",
            "type": "object",
            "rpc": self.name,
            "title": self.summary(),
            "description": paragraphs(self.description),
            "categories": [self.category.title()],
            "request": {
                "required": required,
                "additionalProperties": self.takes_extra,
                "properties": properties,
            },
            "response": response,
        });
        if let Some(members) = schema.as_object_mut() {
            if !self.since.is_empty() {
                members.insert("added".to_owned(), json!(self.since));
            }
            if let Some(deprecated) = self.deprecated {
                let range = json!([deprecated.since, deprecated.until]);
                members.insert("deprecated".to_owned(), range);
            }
        }
        schema
    }
}

fn param_schema(param: &ParamInfo) -> Map<String, Value> {
    let mut schema = (param.shape)().to_schema();
    schema.insert("description".to_owned(), paragraphs(param.doc));
    if let Some(default) = param.default_text() {
        schema.insert("default".to_owned(), json!(default));
    }
    if let Some(since) = param.deprecated {
        schema.insert("deprecated".to_owned(), json!([since]));
    }
    schema
}

/// A method: its parameters, its answer and what is told about it. Who handles it is not said here.
pub trait Method {
    /// What it takes.
    type Params: RpcParams;
    /// What it answers.
    type Response: Described + Serialize;
    /// Everything else.
    const INFO: MethodInfo;
}

rpc_object! {
    /// The answer of a method that has nothing to tell: an object without members.
    pub struct Nothing {}
}

/// Declares a method. Its doc comment is the manual.
macro_rules! rpc_method {
    ($(#[doc = $doc:literal])* pub struct $name:ident = $method:literal ($params:ty) -> $response:ty {
        category: $category:ident,
        since: $since:literal
        $(, developer: $developer:literal)?
        $(, deprecated: $depr:literal .. $until:literal)? $(,)?
    }) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct $name;

        impl $crate::methods::Method for $name {
            type Params = $params;
            type Response = $response;
            const INFO: $crate::methods::MethodInfo = $crate::methods::MethodInfo {
                name: $method,
                category: $crate::methods::Category::$category,
                description: concat!($($doc, "\n"),*),
                params: <$params as $crate::params::RpcParams>::PARAMS,
                takes_extra: <$params as $crate::params::RpcParams>::TAKES_EXTRA,
                response: <$response as $crate::shape::Described>::shape,
                since: $since,
                developer: [$($developer,)? false][0],
                deprecated: [$(Some($crate::methods::Deprecation { since: $depr, until: $until }),)? None][0],
            };
        }
    };
}

pub(crate) use rpc_method;
