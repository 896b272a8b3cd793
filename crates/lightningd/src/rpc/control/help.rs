//! `help`

use std::rc::Rc;

use ln_rpc::RpcError;
use ln_rpc::methods::control::help::{Help, HelpResponse};

use crate::node::Node;
use crate::rpc::dispatch::find;
use crate::rpc::handlers::HANDLERS;
use crate::rpc::{Context, Handle};

impl Handle for Help {
    async fn handle(
        node: Rc<Node>,
        context: Context,
        params: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        let allowed = |developer: bool| !developer || node.config.developer;
        if let Some(name) = params.command {
            return match find(&name) {
                Some(entry) if allowed(entry.info.developer) => {
                    Ok(HelpResponse::from_methods([&entry.info]))
                }
                Some(_) | None => match node.plugins.method(&name) {
                    Some(method) => Ok(HelpResponse::from_lines([method.help_line(&name)])),
                    None => Err(RpcError::unknown_command(&name)),
                },
            };
        }
        let deprecated_ok = context.env.deprecated_ok;
        let shown = HANDLERS
            .iter()
            .map(|entry| &entry.info)
            .filter(|info| allowed(info.developer) && (info.deprecated.is_none() || deprecated_ok));
        let mut lines: Vec<String> = shown.map(ln_rpc::methods::MethodInfo::help_line).collect();
        lines.extend(node.plugins.help_lines());
        lines.sort_unstable();
        Ok(HelpResponse::from_lines(lines))
    }
}
