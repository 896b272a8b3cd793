//! Holds payments until somebody says what becomes of them: `holdlist`, `holdsettle HASH`, `holdcancel HASH`.
//!
//! No thread waits for a payment that is held, so there may be thousands. What is held when the plugin ends goes on as if it had not been there.

use std::collections::BTreeMap;
use std::process;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ln_plugin::hooks::{HTLC_ACCEPTED, HtlcAccepted, HtlcAcceptedAnswer};
use ln_plugin::{Call, Init, Method, Plugin, Responder, RpcError};
use ln_types::Msat;
use serde_json::{Value, json};

const LIST: Method = Method::new("holdlist", "").description("The payments that are held.");
const SETTLE: Method = Method::new("holdsettle", "payment_hash").description("Takes a payment.");
const CANCEL: Method = Method::new("holdcancel", "payment_hash").description("Fails a payment.");

/// `incorrect_or_unknown_payment_details` without its data: enough for the payer to give up.
const UNKNOWN_PAYMENT: [u8; 2] = [0x40, 0x0f];

#[derive(Debug)]
struct Held {
    amount: Msat,
    responder: Responder<HtlcAcceptedAnswer>,
}

/// By payment hash, since a payment may come in several parts.
#[derive(Debug, Default)]
struct State(Mutex<BTreeMap<String, Vec<Held>>>);

impl State {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Vec<Held>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers for all parts of a payment.
    fn answer(&self, call: &Call<'_>, answer: &HtlcAcceptedAnswer) -> Result<Value, RpcError> {
        let hash: String = call.args.required("payment_hash")?;
        let parts = self.lock().remove(&hash);
        let parts = parts.ok_or_else(|| RpcError::invalid_params("no such payment is held"))?;
        let count = parts.len();
        for part in parts {
            part.responder.answer(answer.clone());
        }
        Ok(json!({ "parts": count }))
    }
}

fn hold(state: &Arc<State>, told: HtlcAccepted, responder: Responder<HtlcAcceptedAnswer>) {
    if !told.onion.is_last() {
        responder.answer(HtlcAcceptedAnswer::CONTINUE);
        return;
    }
    let hash = told.htlc.payment_hash.to_string();
    let held = Held {
        amount: told.htlc.amount_msat,
        responder,
    };
    state.lock().entry(hash).or_default().push(held);
}

fn list(state: &State) -> Value {
    let held = state.lock();
    let payments = held.iter().map(|(hash, parts)| {
        let amount: Msat = parts.iter().map(|part| part.amount).sum();
        json!({ "payment_hash": hash, "parts": parts.len(), "amount_msat": amount })
    });
    json!({ "held": payments.collect::<Vec<_>>() })
}

fn main() {
    let plugin = Plugin::new(|_: &Init| Ok::<_, String>(State::default()))
        .hook_later(HTLC_ACCEPTED, hold)
        .method(LIST, |state: &State, _| Ok(list(state)))
        .method(SETTLE, |state: &State, call| {
            state.answer(call, &HtlcAcceptedAnswer::CONTINUE)
        })
        .method(CANCEL, |state: &State, call| {
            state.answer(call, &HtlcAcceptedAnswer::fail(UNKNOWN_PAYMENT))
        })
        .dynamic();
    process::exit(plugin.run());
}
