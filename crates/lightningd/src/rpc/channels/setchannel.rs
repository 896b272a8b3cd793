//! `setchannel`

use std::rc::Rc;
use std::time::Duration;

use ln_ipc::channeld::ToChanneld;
use ln_rpc::RpcError;
use ln_rpc::methods::channels::setchannel::{
    Setchannel, SetchannelEntry, SetchannelParams, SetchannelResponse,
};
use ln_types::{ChannelState, Msat};

use super::find::{Named, find};
use crate::channels::{Channel, Policy, feerates, set_policy};
use crate::node::Node;
use crate::rpc::{Context, Handle, internal};

impl Handle for Setchannel {
    async fn handle(
        node: Rc<Node>,
        _: Context,
        params: Self::Params,
    ) -> Result<Self::Response, RpcError> {
        let channels = wanted(&node, &params.id)?;
        if params
            .feebase
            .is_some_and(|base| base.as_msat() > u64::from(u32::MAX))
        {
            return Err(RpcError::invalid_params("feebase: exceeds u32 max"));
        }
        if let (Some(min), Some(max)) = (params.htlcmin, params.htlcmax)
            && max < min
        {
            return Err(RpcError::lightningd("htlcmax cannot be less than htlcmin"));
        }
        let mut entries = Vec::new();
        for channel in channels {
            entries.push(set(&node, &channel, &params).await?);
        }
        Ok(SetchannelResponse { channels: entries })
    }
}

fn can_be_set(channel: &Channel) -> bool {
    let state = channel.row().state;
    matches!(
        state,
        ChannelState::ChanneldNormal | ChannelState::ChanneldAwaitingLockin
    )
}

fn wanted(node: &Node, id: &str) -> Result<Vec<Rc<Channel>>, RpcError> {
    if id == "all" {
        return Ok(node
            .channels
            .all()
            .into_iter()
            .filter(|channel| can_be_set(channel))
            .collect());
    }
    match find(node, "id", id)? {
        Named::Peer(peer) => {
            let channels = node.channels.of_peer(peer);
            let channels: Vec<_> = channels.filter(|channel| can_be_set(channel)).collect();
            if channels.is_empty() {
                let text = "Could not find any active channels of peer with that id";
                return Err(RpcError::lightningd(text));
            }
            Ok(channels)
        }
        Named::Channel(channel) if can_be_set(&channel) => Ok(vec![channel]),
        Named::Channel(channel) => {
            let state = channel.row().state;
            Err(RpcError::invalid_params(format!(
                "id: Channel in state {state}: invalid token '{id}'"
            )))
        }
    }
}

async fn set(
    node: &Rc<Node>,
    channel: &Rc<Channel>,
    params: &SetchannelParams,
) -> Result<SetchannelEntry, RpcError> {
    let machine = channel.machine().map_err(internal)?;
    let least = machine.params.sides.remote.htlc_minimum;
    let most = most_to_send(&machine);
    let policy = {
        let row = channel.row();
        Policy {
            fee_base: params.feebase.unwrap_or(row.fee_base),
            fee_ppm: params.feeppm.unwrap_or(row.fee_ppm),
            htlc_minimum: params
                .htlcmin
                .map_or(row.htlc_minimum, |min| min.max(least)),
            htlc_maximum: params.htlcmax.map_or(row.htlc_maximum, |max| max.min(most)),
        }
    };
    if let Some(ignore) = params.ignorefeelimits {
        channel.change(|row| row.ignore_fee_limits = ignore);
        if let Some(channeld) = channel.channeld() {
            channeld.send(&ToChanneld::Feerates(feerates(node, channel)));
        }
    }
    let grace = Duration::from_secs(u64::from(params.enforcedelay));
    set_policy(node, channel, policy, grace)
        .await
        .map_err(internal)?;
    let row = channel.row();
    let too_low = params.htlcmin.is_some_and(|min| min < least);
    let too_high = params.htlcmax.is_some_and(|max| max > most);
    Ok(SetchannelEntry {
        peer_id: row.peer,
        channel_id: row.channel_id,
        short_channel_id: row.scid,
        fee_base_msat: row.fee_base,
        fee_proportional_millionths: row.fee_ppm,
        ignore_fee_limits: row.ignore_fee_limits,
        minimum_htlc_out_msat: row.htlc_minimum,
        warning_htlcmin_too_low: too_low
            .then(|| "Set minimum_htlc_out_msat to minimum allowed by peer".to_owned()),
        maximum_htlc_out_msat: row.htlc_maximum,
        warning_htlcmax_too_high: too_high
            .then(|| "Set maximum_htlc_out_msat to maximum possible in channel".to_owned()),
    })
}

/// The most that can ever be sent over a channel in one HTLC.
fn most_to_send(machine: &ln_channel::ChannelState) -> Msat {
    let params = &machine.params;
    let room = machine
        .total()
        .saturating_sub(params.reserve_of(ln_types::Side::Local));
    room.min(params.sides.remote.max_htlc_value_in_flight)
}
