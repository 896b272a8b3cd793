//! The program as users call it.
#![allow(clippy::unwrap_used, clippy::as_conversions)]

use std::process::{Command, Output};

/// BOLT 11 §Examples: the key all its invoices are signed with, and a payment hash and secret.
const KEY: &str = "e126f68f7eafcc8b74f54d269fe206be715000f94dac067d1c04a8ca3b2db734";
const PAYEE: &str = "03e7156ae33b0a208d0744199163177e909e80176e55d97a2f221ede0f934dd9ad";
const HASH: &str = "p=0001020304050607080900010203040506070809000102030405060708090102";
const SECRET: &str = "s=1111111111111111111111111111111111111111111111111111111111111111";
const COFFEE: &str = "lnbc2500u1pvjluezsp5zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zygspp5qqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqypqdq5xysxxatsyp3k7enxv4jsxqzpu9qrsgquk0rl77nj30yxdy8j9vdx85fkpmdla2087ne0xh8nhedh8w27kyke0lp53ut353s06fv3qfegext0eh0ymjpf39tuven09sam30g4vgpfna3rh";

fn run(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bolt11-cli"));
    command.args(arguments).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn an_invoice_is_shown_field_by_field() {
    let shown = stdout(&run(&["decode", COFFEE]));
    for line in [
        "currency: bc",
        "timestamp: 1496314658 (Thu Jun  1 10:57:38 2017 UTC)",
        "expiry: 60 (Thu Jun  1 10:58:38 2017 UTC)",
        &format!("payee: {PAYEE}"),
        "payment_hash: 0001020304050607080900010203040506070809000102030405060708090102",
        "min_final_cltv_expiry: 18",
        "msatoshi: 250000000",
        "amount_msat: 250000000msat",
        "description: '1 cup coffee'",
        "payment_secret: 1111111111111111111111111111111111111111111111111111111111111111",
        "features: 8 14",
    ] {
        assert!(shown.lines().any(|shown| shown == line), "{line}\n{shown}");
    }
    assert!(shown.lines().last().unwrap().starts_with("signature: 3045"));
    let with_scheme = run(&["decode", &format!("lightning:{}", COFFEE.to_uppercase())]);
    assert_eq!(stdout(&with_scheme), shown);
}

#[test]
fn what_is_encoded_is_decoded() {
    let hop = format!("{PAYEE}/66051x263430x1800/1/20/3");
    let route = format!("r={hop},{hop}");
    let encoded = run(&[
        "encode",
        KEY,
        "currency=bc",
        "amount=0.0025btc",
        "timestamp=1496314658",
        HASH,
        SECRET,
        "d=1 cup coffee",
        "x=60",
        "c=9",
        "n=true",
        "m=0badc0de",
        "9=4100",
        &route,
        "122=0001021f",
        "f=bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
    ]);
    assert!(encoded.status.success(), "{encoded:?}");
    let shown = stdout(&run(&["decode", stdout(&encoded).trim()]));
    for line in [
        &format!("payee: {PAYEE}") as &str,
        "min_final_cltv_expiry: 9",
        "msatoshi: 250000000",
        "description: '1 cup coffee'",
        "features: 8 14",
        "fallback-P2WPKH: bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
        &format!("route: (node/chanid/fee/expirydelta)  {hop} {hop}"),
        "metadata: 0badc0de",
        "unknown: z qpzl",
    ] {
        assert!(shown.lines().any(|shown| shown == line), "{line}\n{shown}");
    }
}

#[test]
fn a_hashed_description_is_compared() {
    // BOLT 11 §Examples: the list behind the hash.
    let list = "One piece of chocolate cake, one icecream cone, one pickle, one slice of swiss cheese, one slice of salami, one \
                lollypop, one piece of cherry pie, one sausage, one cupcake, and one slice of watermelon";
    let hash = "h=3925b6f67e2c340036ed12093dd44e0368df1b6ea26c53dbe4811f58fd5db8c1";
    let invoice = stdout(&run(&["encode", KEY, HASH, SECRET, hash]));
    let decode = |text: &str| run(&["decode", "--hashed-description", text, invoice.trim()]);
    assert!(decode(list).status.success());
    let refused = decode("another list");
    assert_eq!(refused.status.code(), Some(1));
    let problem = String::from_utf8(refused.stderr).unwrap();
    assert!(problem.contains("does not match description"), "{problem}");
}

#[test]
fn wrong_words_are_named() {
    for (arguments, code, problem) in [
        (&[] as &[&str], 3, "decode or encode?"),
        (&["pay"], 3, "'pay' is no command"),
        (&["decode"], 3, "which invoice?"),
        (&["decode", "lnbc1"], 1, "Bad bech32 string"),
        (&["decode", ""], 1, "Bad bech32 string"),
        (&["--nonsense"], 3, "nonsense"),
        (&["encode", "00"], 3, "64 hex digits"),
        (&["encode", KEY], 3, "p=<payment hash> is missing"),
        (
            &["encode", KEY, HASH, "d=x"],
            3,
            "s=<payment secret> is missing",
        ),
        (
            &["encode", KEY, HASH, SECRET],
            3,
            "d=<description> or h=<its hash> is missing",
        ),
        (&["encode", KEY, "p"], 3, "'p' is no <field>=<value>"),
        (&["encode", KEY, "p=00"], 3, "p=00:"),
        (
            &["encode", KEY, "currency=eur"],
            3,
            "use bc, tb, tbs or bcrt",
        ),
        (&["encode", KEY, "amount=1.5"], 3, "amount=1.5:"),
        (&["encode", KEY, "r=1/2"], 3, "a hop is"),
        (&["encode", KEY, "d=x", "h=y"], 3, "one description"),
        (&["encode", KEY, "q0=00"], 3, "'q0' is no field"),
        (&["encode", KEY, "122=20"], 3, "at most 1f"),
        (&["encode", KEY, "c=-1"], 3, "c=-1:"),
        (&["encode", KEY, "n=perhaps"], 3, "n=perhaps:"),
    ] {
        let output = run(arguments);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?} {said}");
        assert!(said.contains(problem), "{arguments:?} {said}");
    }
    let foreign = run(&[
        "encode",
        KEY,
        HASH,
        SECRET,
        "d=x",
        "f=bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
    ]);
    let said = String::from_utf8(foreign.stderr).unwrap();
    assert!(said.contains("f=bc1q"), "{said}");
}

#[test]
fn a_description_that_does_not_fit_is_refused() {
    let long = format!("d={}", "x".repeat(640));
    let output = run(&["encode", KEY, HASH, SECRET, &long]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert!(said.contains("at most 639 fit"), "{said}");
}
