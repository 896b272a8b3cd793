//! `htlc_accepted`: what becomes of an HTLC that a peer offered.

use bitcoin::hashes::{Hash, sha256};
use bitcoin::hex::{DisplayHex, FromHex};
use ln_codec::{BigSize, Decode as _, Encode as _};
use ln_db::HtlcRow;
use ln_onion::HopPayload;
use ln_types::{
    BlockHeight, ChannelId, Msat, NodeId, PaymentHash, PaymentPreimage, ShortChannelId,
};
use ln_wire::UpdateAddHtlcTlvs;
use serde_json::{Map, Value, json};

use super::chain::{Next, Question, contradiction, result, text, unknown};
use crate::plugins::excerpt::excerpt;
use crate::plugins::host::PluginHost;

const HOOK: &str = "htlc_accepted";

/// An HTLC as plugins are told of it.
#[derive(Debug)]
pub(crate) struct AcceptedHtlc<'a> {
    /// The HTLC.
    pub(crate) htlc: &'a HtlcRow,
    /// Who offered it.
    pub(crate) peer: NodeId,
    /// The channel it came over.
    pub(crate) scid: ShortChannelId,
    /// Our payload, without its length.
    pub(crate) payload: &'a [u8],
    /// The onion for the next hop; empty for the last.
    pub(crate) next_onion: &'a [u8],
    /// The channel it is to be forwarded to, if we have it.
    pub(crate) forward_to: Option<ChannelId>,
    /// The types of records in payloads that the operator accepts though we don't know them.
    pub(crate) accepted: &'a [u64],
    /// The height now.
    pub(crate) height: BlockHeight,
}

/// What plugins want to be different about an HTLC that goes on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct HtlcChanges {
    /// Another payload, without its length.
    pub(crate) payload: Option<Vec<u8>>,
    /// The amount that counts as the invoice's.
    pub(crate) invoice_msat: Option<Msat>,
    /// Another channel to forward it to.
    pub(crate) forward_to: Option<ChannelId>,
    /// Other records in the `update_add_htlc` that forwards it.
    pub(crate) extra_tlvs: Option<Vec<u8>>,
}

impl HtlcChanges {
    /// What a later plugin wants counts more.
    fn add(&mut self, later: Self) {
        self.payload = later.payload.or(self.payload.take());
        self.invoice_msat = later.invoice_msat.or(self.invoice_msat);
        self.forward_to = later.forward_to.or(self.forward_to);
        self.extra_tlvs = later.extra_tlvs.or(self.extra_tlvs.take());
    }
}

/// What a plugin says about an HTLC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HtlcVerdict {
    /// As if nobody had been asked, but for these changes.
    Continue(HtlcChanges),
    /// Fail it with this message, in clear.
    Fail(Vec<u8>),
    /// Fail it with this message, encrypted already.
    FailOnion(Vec<u8>),
    /// Fulfil it.
    Resolve(PaymentPreimage),
    /// The preimage does not fit: fail it as nobody's payment.
    WrongPreimage,
}

/// The failure for a plugin's refusal that says nothing or makes no sense: `temporary_node_failure`.
// BOLT 4 §Failure Messages: the sender may try again, and learns nothing.
const TEMPORARY_NODE_FAILURE: [u8; 2] = [0x20, 0x02];

impl PluginHost {
    /// Whether anybody wants to be asked about HTLCs.
    pub(crate) fn judges_htlcs(&self) -> bool {
        self.has_hook(HOOK)
    }

    /// Asks what becomes of an HTLC. A plugin may hold it as long as it likes.
    pub(crate) async fn judge_htlc(&self, accepted: &AcceptedHtlc<'_>) -> HtlcVerdict {
        let hash = accepted.htlc.payment_hash;
        let question = Question {
            hook: HOOK,
            patience: None,
            payload: payload(accepted),
        };
        let mut changed = HtlcChanges::default();
        let chain = self.chain(HOOK);
        let decided = self
            .ask_chain(chain, question, |plugin, told, answer| {
                let (verdict, problem) = read(answer, hash)?;
                if let Some(problem) = problem {
                    let shown = excerpt(&answer.to_string());
                    let text = format!("answered the hook {HOOK} with {shown}: {problem}");
                    self.blame(plugin, &text);
                }
                match verdict {
                    HtlcVerdict::Continue(changes) => {
                        // Those that are asked later see it.
                        tell_changes(told, &changes, accepted.accepted);
                        changed.add(changes);
                        Ok(Next::Ask)
                    }
                    verdict => Ok(Next::Done(verdict)),
                }
            })
            .await;
        decided.unwrap_or(HtlcVerdict::Continue(changed))
    }
}

fn payload(accepted: &AcceptedHtlc<'_>) -> Value {
    let htlc = accepted.htlc;
    let mut onion = Map::new();
    describe(&mut onion, accepted.payload, accepted.accepted);
    let next = accepted.next_onion.to_lower_hex_string();
    onion.insert("next_onion".to_owned(), json!(next));
    let secret = htlc.shared_secret.unwrap_or_default();
    let secret = secret.to_lower_hex_string();
    onion.insert("shared_secret".to_owned(), json!(secret));
    let relative = htlc.cltv_expiry.0.saturating_sub(accepted.height.0);
    let mut payload = json!({
        "peer_id": accepted.peer,
        "onion": onion,
        "htlc": {
            "short_channel_id": accepted.scid,
            "id": htlc.id.0,
            "amount_msat": htlc.amount,
            "cltv_expiry": htlc.cltv_expiry.0,
            "cltv_expiry_relative": relative,
            "payment_hash": htlc.payment_hash,
        },
    });
    put_extra_tlvs(&mut payload, &htlc.extra_tlvs);
    if let (Some(id), Some(members)) = (accepted.forward_to, payload.as_object_mut()) {
        members.insert("forward_to".to_owned(), json!(id));
    }
    payload
}

/// Writes what a plugin changed into the question for the next.
fn tell_changes(told: &mut Value, changes: &HtlcChanges, accepted: &[u64]) {
    let onion = told.get_mut("onion").and_then(Value::as_object_mut);
    if let (Some(onion), Some(payload)) = (onion, &changes.payload) {
        describe(onion, payload, accepted);
    }
    if let (Some(members), Some(id)) = (told.as_object_mut(), changes.forward_to) {
        members.insert("forward_to".to_owned(), json!(id));
    }
    if let Some(records) = &changes.extra_tlvs {
        put_extra_tlvs(told, records);
    }
}

/// Tells of the records beside the onion, if there are any.
fn put_extra_tlvs(told: &mut Value, records: &[u8]) {
    let htlc = told.get_mut("htlc").and_then(Value::as_object_mut);
    if let Some(htlc) = htlc.filter(|_| !records.is_empty()) {
        let records = records.to_lower_hex_string();
        htlc.insert("extra_tlvs".to_owned(), json!(records));
    }
}

/// Writes what is known of a payload.
fn describe(onion: &mut Map<String, Value>, payload: &[u8], accepted: &[u64]) {
    let length = u64::try_from(payload.len()).unwrap_or(u64::MAX);
    let mut whole = BigSize(length).to_bytes();
    whole.extend_from_slice(payload);
    let whole = whole.to_lower_hex_string();
    onion.retain(|name, _| matches!(name.as_str(), "next_onion" | "shared_secret"));
    onion.insert("payload".to_owned(), json!(whole));
    let Ok(read) = HopPayload::read(payload, accepted) else {
        return;
    };
    let mut put = |name: &str, value: Option<Value>| {
        onion.extend(value.map(|value| (name.to_owned(), value)));
    };
    put("type", Some(json!("tlv")));
    put(
        "short_channel_id",
        read.short_channel_id.map(|scid| json!(scid)),
    );
    put(
        "forward_msat",
        read.amt_to_forward.map(|amount| json!(amount)),
    );
    put(
        "outgoing_cltv_value",
        read.outgoing_cltv_value.map(|expiry| json!(expiry.0)),
    );
    put(
        "total_msat",
        read.payment_data
            .as_ref()
            .map(|data| json!(data.total_msat)),
    );
    put(
        "payment_secret",
        read.payment_data
            .as_ref()
            .map(|data| json!(data.payment_secret)),
    );
    put(
        "payment_metadata",
        read.payment_metadata
            .map(|data| json!(data.to_lower_hex_string())),
    );
}

/// What an answer says, and what is wrong with it if that is why the HTLC is failed.
fn read(answer: &Value, hash: PaymentHash) -> Result<(HtlcVerdict, Option<String>), String> {
    let bytes = |name: &str| text(answer, name).map(Vec::from_hex);
    let fail = || HtlcVerdict::Fail(TEMPORARY_NODE_FAILURE.to_vec());
    let contradiction = |members| contradiction(answer, members);
    let failed = |problem: &str| Some(format!("{problem}: the HTLC is failed"));
    match result(answer)? {
        "continue" => {
            // It meant something else than what came: going on with that could be wrong.
            let members = &["failure_message", "failure_onion", "payment_key"];
            match (contradiction(members), changes(answer)) {
                (None, Ok(changes)) => Ok((HtlcVerdict::Continue(changes), None)),
                (Some(problem), _) | (None, Err(problem)) => Ok((fail(), failed(&problem))),
            }
        }
        "fail" => {
            let odd = contradiction(&["payment_key"]);
            let odd = odd.and_then(|problem| failed(&problem));
            match (bytes("failure_onion"), bytes("failure_message")) {
                (Some(Ok(onion)), None) => Ok((HtlcVerdict::FailOnion(onion), odd)),
                (None, Some(Ok(message))) if (2..=256).contains(&message.len()) => {
                    Ok((HtlcVerdict::Fail(message), odd))
                }
                (None, None) => Ok((fail(), odd)),
                (_, _) => Ok((fail(), failed("the failure can't be used"))),
            }
        }
        "resolve" => {
            let key = bytes("payment_key").and_then(Result::ok);
            let Some(key) = key.and_then(|key| <[u8; 32]>::try_from(key).ok()) else {
                return Ok((fail(), failed("payment_key is not 32 bytes of hex")));
            };
            if sha256::Hash::hash(&key).to_byte_array() == hash.0 {
                // Whatever else stands there: the preimage may have cost money elsewhere, and claiming by it loses none.
                let odd = contradiction(&["failure_message", "failure_onion"]);
                let odd = odd.map(|problem| format!("{problem}: the HTLC is fulfilled"));
                return Ok((HtlcVerdict::Resolve(PaymentPreimage(key)), odd));
            }
            let problem = format!("payment_key is not the preimage of {hash}");
            Ok((HtlcVerdict::WrongPreimage, failed(&problem)))
        }
        other => Err(unknown(other, "continue, fail, resolve")),
    }
}

/// What an answer wants to be different.
fn changes(answer: &Value) -> Result<HtlcChanges, String> {
    let bytes = |name: &str| {
        let member = answer.get(name).filter(|member| !member.is_null());
        let hex = |member: &Value| member.as_str().and_then(|text| Vec::from_hex(text).ok());
        let read = |member| hex(member).ok_or_else(|| format!("{name} is not hex"));
        member.map(read).transpose()
    };
    let invoice_msat = answer
        .get("invoice_msat")
        .filter(|member| !member.is_null());
    let invoice_msat = invoice_msat.map(|member| {
        let text = member.as_str().and_then(|text| text.parse().ok());
        let amount = text.or_else(|| member.as_u64().map(Msat::from_msat));
        amount.ok_or_else(|| "invoice_msat is no amount".to_owned())
    });
    let channel_id = |bytes: Vec<u8>| {
        let id = <[u8; 32]>::try_from(bytes);
        id.map(ChannelId)
            .map_err(|_| "forward_to is no channel_id".to_owned())
    };
    let extra_tlvs = bytes("extra_tlvs")?;
    if let Some(records) = &extra_tlvs {
        UpdateAddHtlcTlvs::from_bytes(records)
            .map_err(|error| format!("extra_tlvs can't follow update_add_htlc: {error}"))?;
    }
    Ok(HtlcChanges {
        payload: bytes("payload")?,
        invoice_msat: invoice_msat.transpose()?,
        forward_to: bytes("forward_to")?.map(channel_id).transpose()?,
        extra_tlvs,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(answer: &Value) -> HtlcVerdict {
        let hash = PaymentHash(sha256::Hash::hash(&[7; 32]).to_byte_array());
        read(answer, hash).unwrap().0
    }

    fn temporary() -> HtlcVerdict {
        HtlcVerdict::Fail(vec![0x20, 0x02])
    }

    #[test]
    fn an_htlc_goes_on_fails_or_is_fulfilled() {
        let go_on = verdict(&json!({"result": "continue"}));
        assert_eq!(go_on, HtlcVerdict::Continue(HtlcChanges::default()));
        let other = verdict(&json!({
            "result": "continue",
            "payload": "02010a",
            "invoice_msat": "10msat",
            "forward_to": "aa".repeat(32),
            "extra_tlvs": "fe0001000100",
        }));
        let changes = HtlcChanges {
            payload: Some(vec![2, 1, 10]),
            invoice_msat: Some(Msat::from_msat(10)),
            forward_to: Some(ChannelId([0xaa; 32])),
            extra_tlvs: Some(vec![0xfe, 0, 1, 0, 1, 0]),
        };
        assert_eq!(other, HtlcVerdict::Continue(changes));
        let failed = verdict(&json!({"result": "fail", "failure_message": "4016"}));
        assert_eq!(failed, HtlcVerdict::Fail(vec![0x40, 0x16]));
        let onion = verdict(&json!({"result": "fail", "failure_onion": "aa"}));
        assert_eq!(onion, HtlcVerdict::FailOnion(vec![0xaa]));
        assert_eq!(verdict(&json!({"result": "fail"})), temporary());
        let key = "07".repeat(32);
        let paid = verdict(&json!({"result": "resolve", "payment_key": key}));
        assert_eq!(paid, HtlcVerdict::Resolve(PaymentPreimage([7; 32])));
    }

    #[test]
    fn what_makes_no_sense_gives_nothing_away() {
        let wrong = "08".repeat(32);
        let wrong = verdict(&json!({"result": "resolve", "payment_key": wrong}));
        assert_eq!(wrong, HtlcVerdict::WrongPreimage);
        for answer in [
            json!({"result": "resolve"}),
            json!({"result": "resolve", "payment_key": "07"}),
            json!({"result": "fail", "failure_message": "zz"}),
            json!({"result": "continue", "payload": "zz"}),
            json!({"result": "continue", "payload": 7}),
            json!({"result": "continue", "invoice_msat": "much"}),
            json!({"result": "continue", "forward_to": "aa"}),
            json!({"result": "continue", "extra_tlvs": "fe0001000000"}),
            json!({"result": "continue", "extra_tlvs": "0001"}),
            json!({"result": "continue", "failure_message": "4016"}),
            json!({"result": "continue", "payment_key": "07".repeat(32)}),
            json!({"result": "fail", "failure_message": "4016", "failure_onion": "aa"}),
        ] {
            assert_eq!(verdict(&answer), temporary(), "{answer}");
        }
        // A preimage that fits is one, whatever else was said.
        let key = "07".repeat(32);
        let both = json!({"result": "resolve", "payment_key": key, "failure_message": "4016"});
        assert_eq!(
            verdict(&both),
            HtlcVerdict::Resolve(PaymentPreimage([7; 32]))
        );
        let hash = PaymentHash([0; 32]);
        assert!(read(&json!({"result": "what"}), hash).is_err());
        assert!(read(&json!(7), hash).is_err());
    }
}
