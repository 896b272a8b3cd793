//! An invoice, looked at; money for l2; a channel; the payment.

use serde_json::Value;
use tests::book::Place;

use super::{START_L2, Speaker};

#[test]
fn an_invoice_is_made_decoded_and_paid_over_a_new_channel() {
    let place = Place::new().unwrap();
    let mut speaker = Speaker::with_l1(&place);
    speaker.types(START_L2);
    let id1 = speaker.up("l1")["id"].as_str().unwrap().to_owned();
    let id2 = speaker.up("l2")["id"].as_str().unwrap().to_owned();
    let invoice = an_invoice(&mut speaker);
    decoded(&mut speaker, &invoice, &id1);
    speaker.types(&format!("l1 connect {id2}@/tmp/l2/peer"));
    funded(&mut speaker);
    a_channel(&mut speaker, &id1);

    let bolt11 = invoice["bolt11"].as_str().unwrap();
    let paid = speaker.json(&format!("l2 pay {bolt11}"));
    assert_eq!(paid["status"], "complete");
    assert_eq!(paid["amount_msat"], 24);
    assert_eq!(paid["destination"], id1);
    let listed = speaker.json("l1 listinvoices");
    let listed = &listed["invoices"][0];
    assert_eq!(listed["status"], "paid");
    assert_eq!(listed["amount_received_msat"], 24);
    assert_eq!(listed["description"], "Get a better description");
    assert_eq!(listed["payment_preimage"], paid["payment_preimage"]);
}

fn an_invoice(speaker: &mut Speaker<'_>) -> Value {
    let refused = speaker.fails("l1 invoice 24 4242424242424242");
    assert!(
        refused.contains("-32602") && refused.contains("description"),
        "{refused}"
    );
    let make = "l1 invoice 24 4242424242424242 'Get a better description'";
    let invoice = speaker.json(make);
    assert!(
        invoice["bolt11"]
            .as_str()
            .unwrap()
            .starts_with("lnbcrt240p1")
    );
    // Whoever asks again knows that it was made.
    let refused = speaker.fails(make);
    assert!(
        refused.contains("900") && refused.contains("Duplicate label"),
        "{refused}"
    );
    invoice
}

fn decoded(speaker: &mut Speaker<'_>, invoice: &Value, id1: &str) {
    let text = speaker.types(&format!(
        "bolt11-cli decode {}",
        invoice["bolt11"].as_str().unwrap()
    ));
    let payment_hash = invoice["payment_hash"].as_str().unwrap();
    for line in [
        "currency: bcrt".to_owned(),
        format!("payee: {id1}"),
        format!("payment_hash: {payment_hash}"),
        "min_final_cltv_expiry: 10".to_owned(),
        "msatoshi: 24".to_owned(),
        "amount_msat: 24msat".to_owned(),
        "description: 'Get a better description'".to_owned(),
    ] {
        assert!(text.lines().any(|shown| shown == line), "{line}\n{text}");
    }
    for start in ["timestamp: ", "expiry: 604800 (", "signature: "] {
        assert!(
            text.lines().any(|shown| shown.starts_with(start)),
            "{start}\n{text}"
        );
    }
}

fn funded(speaker: &mut Speaker<'_>) {
    let addresses = speaker.json("l2 newaddr bech32");
    let address = addresses["bech32"].as_str().unwrap();
    assert!(address.starts_with("bcrt1q"), "{address}");
    speaker.types(&format!("bitcoin-cli -regtest sendtoaddress {address} 10"));
    speaker.types(ONE_BLOCK);
    speaker.synced("l2");
    speaker.until_shown("l2 listfunds", "\"status\": \"confirmed\"");
    let funds = speaker.json("l2 listfunds");
    assert_eq!(funds["outputs"][0]["amount_msat"], 1_000_000_000_000_u64);
    speaker.synced("l1");
}

const ONE_BLOCK: &str =
    "bitcoin-cli -regtest generatetoaddress 1 $(bitcoin-cli -regtest getnewaddress)";

fn a_channel(speaker: &mut Speaker<'_>, id1: &str) {
    // The talk needed the feerate; today's regtest has estimates. Both are understood.
    let checked = speaker.json(&format!("l2 check fundchannel {id1} 0.042btc"));
    assert_eq!(checked["command_to_check"], "fundchannel");
    let opened = speaker.json(&format!("l2 fundchannel {id1} 0.042btc 253perkw"));
    assert!(opened["txid"].is_string(), "{opened}");
    speaker.until_shown("l2 listpeerchannels", "CHANNELD_AWAITING_LOCKIN");
    speaker.types(ONE_BLOCK);
    for node in ["l1", "l2"] {
        let shown = speaker.until_shown(
            &format!("{node} listpeerchannels"),
            "\"state\": \"CHANNELD_NORMAL\"",
        );
        assert!(shown.contains("\"total_msat\": 4200000000,"), "{shown}");
    }
    let peers = speaker.json("l2 listpeers");
    assert_eq!(peers["peers"][0]["num_channels"], 1);
}
