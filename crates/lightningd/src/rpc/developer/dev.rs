//! `dev`

use std::rc::Rc;
use std::time::Duration;

use ln_rpc::RpcError;
use ln_rpc::methods::developer::dev::{Dev, DevResponse, DevSubcommand};

use crate::crash;
use crate::node::Node;
use crate::rpc::{Context, Handle};

impl Handle for Dev {
    async fn handle(
        _: Rc<Node>,
        _: Context,
        params: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        let nothing = DevResponse {
            rhash: None,
            msec: None,
        };
        match params.subcommand {
            DevSubcommand::Crash => crash::crash("dev crash"),
            DevSubcommand::Rhash => {
                let secret = params.secret.ok_or_else(|| {
                    RpcError::invalid_params("missing required parameter: secret")
                })?;
                Ok(DevResponse {
                    rhash: Some(secret.hash()),
                    ..nothing
                })
            }
            DevSubcommand::Slowcmd => {
                tokio::time::sleep(Duration::from_millis(params.msec)).await;
                Ok(DevResponse {
                    msec: Some(params.msec),
                    ..nothing
                })
            }
        }
    }
}
