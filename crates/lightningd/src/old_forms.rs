//! How things were told in 2019, for plugins and clients written with pylightning 0.0.7.
//!
//! Such a plugin binds the members of what it is told to the arguments of a function and fails on any that the function does not have;
//! such a client expects amounts as text with a unit, or as numbers under other names. Both are recognised by what only that library
//! sends: [`is_old_manifest`] and [`ln_rpc::jsonrpc::Request::is_old`].

use serde_json::{Map, Value, json};

/// Whether a manifest is one that pylightning 0.0.7 made: exactly its members, none of those that came later.
pub(crate) fn is_old_manifest(manifest: &Value) -> bool {
    let Some(members) = manifest.as_object() else {
        return false;
    };
    let known = ["hooks", "options", "rpcmethods", "subscriptions"];
    let list = |name: &str| members.get(name).and_then(Value::as_array);
    let all = |name: &str, fits: fn(&Value) -> bool| {
        list(name).is_some_and(|items| items.iter().all(fits))
    };
    members.len() == known.len()
        && all("hooks", Value::is_string)
        && all("subscriptions", Value::is_string)
        && all("options", |option| {
            option.get("value").is_some_and(Value::is_null)
        })
        && all("rpcmethods", |method| {
            method.get("description").is_some_and(Value::is_string)
        })
}

/// The parameters of a notification. `params` is the modern form: an object with the topic's name around the members.
pub(crate) fn notification(topic: &str, mut params: Value) -> Value {
    let kept: &[&str] = match topic {
        "connect" => &["id", "address"],
        "disconnect" => &["id"],
        _ => {
            amounts(&mut params);
            return params;
        }
    };
    let members = params.get(topic);
    let member = |name: &&str| Some(((*name).to_owned(), members?.get(*name)?.clone()));
    Value::Object(kept.iter().filter_map(member).collect())
}

/// What a plugin is asked in a hook.
pub(crate) fn hook(name: &str, payload: &Value) -> Value {
    let mut old = payload.clone();
    amounts(&mut old);
    let Some(members) = old.as_object_mut() else {
        return old;
    };
    let rename = |object: Option<&mut Value>, new: &str, former: &str| {
        let object = object.and_then(Value::as_object_mut);
        object.and_then(|object| {
            let value = object.get(new)?.clone();
            object.entry(former).or_insert(value);
            Some(())
        });
    };
    match name {
        "htlc_accepted" => {
            members.retain(|name, _| matches!(name.as_str(), "onion" | "htlc"));
            rename(members.get_mut("htlc"), "amount_msat", "amount");
            rename(members.get_mut("onion"), "forward_msat", "forward_amount");
        }
        "openchannel" => {
            let mut of = |new, former| rename(members.get_mut("openchannel"), new, former);
            of("funding_msat", "funding_satoshis");
            of("dust_limit_msat", "dust_limit_satoshis");
            of("channel_reserve_msat", "channel_reserve_satoshis");
        }
        "peer_connected" => {
            rename(members.get_mut("peer"), "features", "localfeatures");
            if let Some(Value::Object(peer)) = members.get_mut("peer") {
                peer.entry("globalfeatures").or_insert(json!(""));
            }
        }
        "db_write" => members.retain(|name, _| name == "writes"),
        _ => {}
    }
    old
}

/// A reply: amounts as text, and once more as numbers under the names they had.
pub(crate) fn reply(mut result: Value) -> Value {
    amounts(&mut result);
    result
}

/// The name that an amount in millisatoshi had.
fn former_name(name: &str) -> Option<&'static str> {
    Some(match name {
        "amount_msat" => "msatoshi",
        "amount_sent_msat" => "msatoshi_sent",
        "amount_received_msat" => "msatoshi_received",
        "to_us_msat" => "msatoshi_to_us",
        "min_to_us_msat" => "msatoshi_to_us_min",
        "max_to_us_msat" => "msatoshi_to_us_max",
        "total_msat" => "msatoshi_total",
        "fees_collected_msat" => "msatoshi_fees_collected",
        "in_msat" => "in_msatoshi",
        "out_msat" => "out_msatoshi",
        "fee_msat" => "fee",
        _ => return None,
    })
}

fn amounts(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(amounts),
        Value::Object(members) => {
            let mut former = Map::new();
            for (name, member) in members.iter_mut() {
                let amount = member.as_u64().filter(|_| name.ends_with("msat"));
                let Some(amount) = amount else {
                    amounts(member);
                    continue;
                };
                *member = json!(format!("{amount}msat"));
                if let Some(name) = former_name(name) {
                    former.insert(name.to_owned(), json!(amount));
                }
            }
            satoshis(members, &mut former);
            for (name, member) in former {
                members.entry(name).or_insert(member);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Amounts of `listfunds` and `listchannels` that were in satoshi.
fn satoshis(members: &Map<String, Value>, former: &mut Map<String, Value>) {
    let sat = |name: &str| {
        let text = members.get(name)?.as_str()?.strip_suffix("msat")?;
        Some(json!(text.parse::<u64>().ok()? / 1000))
    };
    let names: &[(&str, &str)] = if members.contains_key("our_amount_msat") {
        &[
            ("our_amount_msat", "channel_sat"),
            ("amount_msat", "channel_total_sat"),
        ]
    } else if members.contains_key("output") {
        &[("amount_msat", "value")]
    } else if members.contains_key("base_fee_millisatoshi") {
        &[("amount_msat", "satoshis")]
    } else {
        return;
    };
    former.remove("msatoshi");
    for (new, old) in names {
        former.extend(sat(new).map(|amount| ((*old).to_owned(), amount)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_manifest_of_the_old_library_is_taken_for_it() {
        let old = json!({
            "options": [{"name": "greeting", "default": "Hello", "description": "x", "type": "string", "value": null}],
            "rpcmethods": [{"name": "hello", "category": "plugin", "usage": "[name]", "description": "x"}],
            "subscriptions": ["connect"],
            "hooks": ["htlc_accepted"],
        });
        assert!(is_old_manifest(&old));
        let empty = json!({"options": [], "rpcmethods": [], "subscriptions": [], "hooks": []});
        assert!(is_old_manifest(&empty));
        let mut later = old.clone();
        later["dynamic"] = json!(true);
        assert!(!is_old_manifest(&later));
        let mut objects = old.clone();
        objects["hooks"] = json!([{"name": "htlc_accepted"}]);
        assert!(!is_old_manifest(&objects));
        let mut options = old;
        options["options"] = json!([{"name": "a", "type": "string", "description": "x"}]);
        assert!(!is_old_manifest(&options));
        assert!(!is_old_manifest(&json!({"options": [], "rpcmethods": []})));
        assert!(!is_old_manifest(&json!([])));
    }

    #[test]
    fn a_handler_of_connect_is_given_its_two_arguments() {
        let fields = json!({"id": "02aa", "direction": "in", "address": {"type": "ipv4"}});
        assert_eq!(
            notification("connect", json!({"connect": fields})),
            json!({"id": "02aa", "address": {"type": "ipv4"}})
        );
        assert_eq!(
            notification("disconnect", json!({"disconnect": {"id": "02aa"}})),
            json!({"id": "02aa"})
        );
        assert_eq!(
            notification(
                "invoice_payment",
                json!({"invoice_payment": {"msat": 24, "label": "a"}})
            ),
            json!({"invoice_payment": {"msat": "24msat", "label": "a"}})
        );
    }

    #[test]
    fn a_hook_has_no_members_that_came_later() {
        let payload = json!({
            "peer_id": "02aa",
            "onion": {"payload": "", "forward_msat": 5},
            "htlc": {"amount_msat": 7, "cltv_expiry": 9},
            "forward_to": "00",
        });
        assert_eq!(
            hook("htlc_accepted", &payload),
            json!({
                "onion": {"payload": "", "forward_msat": "5msat", "forward_amount": "5msat"},
                "htlc": {"amount_msat": "7msat", "amount": "7msat", "msatoshi": 7, "cltv_expiry": 9},
            })
        );
        let peer = json!({"peer": {"id": "02aa", "features": "80"}});
        let old = hook("peer_connected", &peer);
        assert_eq!(old["peer"]["localfeatures"], "80");
        assert_eq!(old["peer"]["globalfeatures"], "");
    }

    #[test]
    fn amounts_have_their_units_and_their_former_names() {
        let new =
            json!({"invoices": [{"amount_msat": 24, "amount_received_msat": 25, "expiry": 1}]});
        assert_eq!(
            reply(new),
            json!({"invoices": [{
                "amount_msat": "24msat", "msatoshi": 24,
                "amount_received_msat": "25msat", "msatoshi_received": 25,
                "expiry": 1,
            }]})
        );
        let funds = json!({"outputs": [{"output": 0, "amount_msat": 5000}],
            "channels": [{"our_amount_msat": 2999, "amount_msat": 9000}]});
        let old = reply(funds);
        assert_eq!(old["outputs"][0]["value"], 5);
        assert_eq!(old["channels"][0]["channel_sat"], 2);
        assert_eq!(old["channels"][0]["channel_total_sat"], 9);
    }
}
