//! `openchannel`: whether a peer may open a channel to us, and on which terms.

use bitcoin::address::NetworkUnchecked;
use bitcoin::hex::DisplayHex;
use bitcoin::{Address, ScriptBuf};
use ln_ipc::openingd::{OpeningdIncoming, OpeningdIncomingReply};
use ln_types::{Network, NodeId, Sat};
use serde_json::{Map, Value, json};

use super::chain::{Next, PATIENCE, Question, contradiction, result, text, unknown};
use crate::plugins::excerpt::excerpt;
use crate::plugins::host::PluginHost;

const HOOK: &str = "openchannel";

/// What plugins say about a channel that a peer wants.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct OpeningVerdict {
    /// Why not, for the peer.
    pub(crate) reject: Option<String>,
    /// Where our balance shall go on a mutual close.
    pub(crate) close_to: Option<ScriptBuf>,
    /// Confirmations to demand.
    pub(crate) minimum_depth: Option<u32>,
    /// The reserve to demand.
    pub(crate) reserve: Option<Sat>,
}

impl From<OpeningVerdict> for OpeningdIncomingReply {
    fn from(verdict: OpeningVerdict) -> Self {
        Self {
            reject: verdict.reject,
            close_to: verdict.close_to,
            minimum_depth: verdict.minimum_depth,
            reserve: verdict.reserve,
        }
    }
}

impl PluginHost {
    /// Asks about a channel that a peer wants. Of several plugins' terms the first ones count.
    pub(crate) async fn judge_opening(
        &self,
        network: Network,
        peer: NodeId,
        incoming: &OpeningdIncoming,
    ) -> OpeningVerdict {
        let mut verdict = OpeningVerdict::default();
        if !self.has_hook(HOOK) {
            return verdict;
        }
        let question = Question {
            hook: HOOK,
            patience: Some(PATIENCE),
            payload: json!({ "openchannel": fields(peer, incoming) }),
        };
        let chain = self.chain(HOOK);
        let refused = self.ask_chain(chain, question, |plugin, _, answer| {
            let terms = match read(answer, network) {
                Ok(terms) => terms,
                Err(Problem::Answer(problem)) => return Err(problem),
                Err(Problem::Terms(problem)) => {
                    // It wanted something that is not understood: without it the channel could be the wrong one.
                    let shown = excerpt(&answer.to_string());
                    let text = format!(
                        "answered the hook {HOOK} with {shown}: {problem}: the channel is refused"
                    );
                    self.blame(plugin, &text);
                    return Ok(Next::Done(
                        "channel rejected by the operator's plugin".to_owned(),
                    ));
                }
            };
            if let Some(reason) = terms.reject {
                let terms = ["close_to", "mindepth", "reserve"];
                if let Some(problem) = contradiction(answer, &terms) {
                    let shown = excerpt(&answer.to_string());
                    let text = format!(
                        "answered the hook {HOOK} with {shown}: {problem}: the channel is refused"
                    );
                    self.blame(plugin, &text);
                }
                return Ok(Next::Done(reason));
            }
            verdict.close_to = verdict.close_to.take().or(terms.close_to);
            verdict.minimum_depth = verdict.minimum_depth.or(terms.minimum_depth);
            verdict.reserve = verdict.reserve.or(terms.reserve);
            Ok(Next::Ask)
        });
        let refused = refused.await;
        OpeningVerdict {
            reject: refused,
            ..verdict
        }
    }
}

fn fields(peer: NodeId, incoming: &OpeningdIncoming) -> Value {
    let mut fields = Map::new();
    let mut put = |name: &str, value: Value| drop(fields.insert(name.to_owned(), value));
    put("id", json!(peer));
    put("funding_msat", json!(incoming.funding.to_msat_saturating()));
    put("push_msat", json!(incoming.push));
    put(
        "dust_limit_msat",
        json!(incoming.dust_limit.to_msat_saturating()),
    );
    put(
        "max_htlc_value_in_flight_msat",
        json!(incoming.max_htlc_value_in_flight),
    );
    put(
        "channel_reserve_msat",
        json!(incoming.channel_reserve.to_msat_saturating()),
    );
    put("htlc_minimum_msat", json!(incoming.htlc_minimum));
    put("feerate_per_kw", json!(incoming.feerate.as_perkw()));
    put("to_self_delay", json!(incoming.to_self_delay));
    put("max_accepted_htlcs", json!(incoming.max_accepted_htlcs));
    put("channel_flags", json!(incoming.channel_flags));
    if let Some(script) = &incoming.shutdown_script {
        let hex = script.as_bytes().to_lower_hex_string();
        put("shutdown_scriptpubkey", json!(hex));
    }
    put(
        "channel_type",
        crate::rpc::shown_channel_type(&incoming.channel_type),
    );
    Value::Object(fields)
}

/// What is wrong with an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Problem {
    /// It is none.
    Answer(String),
    /// Its terms can't be read.
    Terms(String),
}

fn read(answer: &Value, network: Network) -> Result<OpeningVerdict, Problem> {
    match result(answer).map_err(Problem::Answer)? {
        "continue" => {
            if let Some(problem) = contradiction(answer, &["error_message"]) {
                return Err(Problem::Terms(problem));
            }
        }
        "reject" => {
            let reason = text(answer, "error_message").unwrap_or("channel rejected");
            return Ok(OpeningVerdict {
                reject: Some(reason.to_owned()),
                ..OpeningVerdict::default()
            });
        }
        other => return Err(Problem::Answer(unknown(other, "continue, reject"))),
    }
    let close_to = given(answer, "close_to")
        .map(|value| script(value, network))
        .transpose()?;
    let number = |name: &str| {
        given(answer, name)
            .map(|value| {
                let number = value.as_u64().or_else(|| value.as_str()?.parse().ok());
                number.ok_or_else(|| Problem::Terms(format!("{name} is not a number")))
            })
            .transpose()
    };
    let minimum_depth = number("mindepth")?
        .map(|depth| {
            u32::try_from(depth).map_err(|_| Problem::Terms("mindepth is too much".to_owned()))
        })
        .transpose()?;
    Ok(OpeningVerdict {
        reject: None,
        close_to,
        minimum_depth,
        reserve: number("reserve")?.map(Sat::from_sat),
    })
}

fn given<'a>(answer: &'a Value, name: &str) -> Option<&'a Value> {
    answer.get(name).filter(|value| !value.is_null())
}

fn script(value: &Value, network: Network) -> Result<ScriptBuf, Problem> {
    let wrong = || Problem::Terms(format!("close_to is not an address of {network}"));
    let text = value.as_str().ok_or_else(wrong)?;
    let address: Address<NetworkUnchecked> = text.parse().map_err(|_| wrong())?;
    let address = address
        .require_network(network.into())
        .map_err(|_| wrong())?;
    Ok(address.script_pubkey())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_is_taken_on_terms_or_refused() {
        let read = |answer: Value| read(&answer, Network::Regtest);
        let none = OpeningVerdict::default();
        assert_eq!(read(json!({"result": "continue"})), Ok(none.clone()));
        let terms = read(json!({"result": "continue", "mindepth": 0, "reserve": 1000})).unwrap();
        assert_eq!(terms.minimum_depth, Some(0));
        assert_eq!(terms.reserve, Some(Sat::from_sat(1000)));
        let refused = read(json!({"result": "reject", "error_message": "too small"})).unwrap();
        assert_eq!(refused.reject.as_deref(), Some("too small"));
        // Contradictory: a refusal is a refusal.
        let refused = read(json!({"result": "reject", "close_to": "x"})).unwrap();
        assert_eq!(refused.reject.as_deref(), Some("channel rejected"));
    }

    #[test]
    fn terms_that_can_not_be_read_are_not_ignored() {
        let read = |answer: Value| read(&answer, Network::Regtest);
        let close_to = json!({"result": "continue", "close_to": "nowhere"});
        assert!(matches!(read(close_to), Err(Problem::Terms(_))));
        let both = json!({"result": "continue", "error_message": "no"});
        assert!(matches!(read(both), Err(Problem::Terms(_))));
        let depth = json!({"result": "continue", "mindepth": -1});
        assert!(matches!(read(depth), Err(Problem::Terms(_))));
        assert!(matches!(
            read(json!({"result": 1})),
            Err(Problem::Answer(_))
        ));
    }
}
