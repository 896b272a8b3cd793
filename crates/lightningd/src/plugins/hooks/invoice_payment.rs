//! `invoice_payment`: whether an invoice is paid now that the whole payment is there.

use bitcoin::hex::{DisplayHex, FromHex};
use ln_codec::TlvRecord;
use ln_db::InvoiceRow;
use ln_types::Msat;
use serde_json::{Value, json};

use super::chain::{Next, Question, contradiction, result, text, unknown};
use crate::plugins::excerpt::excerpt;
use crate::plugins::host::PluginHost;

const HOOK: &str = "invoice_payment";

impl PluginHost {
    /// Whether anybody wants to be asked about payments.
    pub(crate) fn judges_payments(&self) -> bool {
        self.has_hook(HOOK)
    }

    /// Asks whether to take a payment. `Some` means no, with the failure to tell the payer where it is not the usual one.
    ///
    /// `unknown` are records of the payload, to be told where the node runs with `developer`. A plugin may think as long as it likes: the
    /// payment waits.
    pub(crate) async fn payment_refused(
        &self,
        invoice: &InvoiceRow,
        received: Msat,
        unknown: Option<&[TlvRecord]>,
    ) -> Option<Option<Vec<u8>>> {
        let mut payment =
            json!({ "label": invoice.label, "preimage": invoice.preimage, "msat": received });
        if let (Some(records), Some(members)) = (unknown, payment.as_object_mut()) {
            let records: Vec<Value> = records.iter().map(record).collect();
            members.insert("extratlvs".to_owned(), json!(records));
        }
        let question = Question {
            hook: HOOK,
            patience: None,
            payload: json!({ "payment": payment }),
        };
        let chain = self.chain(HOOK);
        self.ask_chain(chain, question, |plugin, _, answer| {
            if let Some(problem) = refusal_by_contradiction(answer) {
                let shown = excerpt(&answer.to_string());
                let text = format!("answered the hook {HOOK} with {shown}: {problem}");
                self.blame(plugin, &text);
            }
            read(answer)
        })
        .await
    }
}

/// What is wrong with an answer that says yes and no. To take the payment gives the preimage away, to refuse it loses nothing.
fn refusal_by_contradiction(answer: &Value) -> Option<String> {
    if text(answer, "result") != Some("continue") {
        return None;
    }
    let problem = contradiction(answer, &["failure_message"])?;
    Some(format!("{problem}: the payment is refused"))
}

/// A record of a payload that we don't know.
fn record(record: &TlvRecord) -> Value {
    json!({
        "type": record.number,
        "length": record.value.len(),
        "value": record.value.to_lower_hex_string(),
    })
}

fn read(answer: &Value) -> Result<Next<Option<Vec<u8>>>, String> {
    // A failure message that can't be read is a refusal all the same.
    let failure = text(answer, "failure_message")
        .map(|hex| Vec::from_hex(hex).ok().filter(|bytes| bytes.len() >= 2));
    match (answer.get("result").is_some(), failure) {
        (false, Some(failure)) => Ok(Next::Done(failure)),
        (_, failure) => match result(answer)? {
            "continue" if refusal_by_contradiction(answer).is_none() => Ok(Next::Ask),
            "continue" => Ok(Next::Done(failure.flatten())),
            "reject" => Ok(Next::Done(failure.flatten())),
            other => Err(unknown(other, "continue, reject")),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payment_is_taken_or_refused_with_or_without_a_reason() {
        assert_eq!(read(&json!({"result": "continue"})), Ok(Next::Ask));
        assert_eq!(read(&json!({"result": "reject"})), Ok(Next::Done(None)));
        for answer in [
            json!({"failure_message": "2002"}),
            json!({"result": "reject", "failure_message": "2002"}),
            // Contradictory: no preimage is given away.
            json!({"result": "continue", "failure_message": "2002"}),
        ] {
            assert_eq!(read(&answer), Ok(Next::Done(Some(vec![0x20, 2]))));
        }
        let unreadable = json!({"result": "reject", "failure_message": "2"});
        assert_eq!(read(&unreadable), Ok(Next::Done(None)));
        assert!(read(&json!({"result": "maybe"})).is_err());
        assert!(read(&json!({})).is_err());
    }
}
