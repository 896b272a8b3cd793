#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| ln_invoice::fuzz::decode_invoice(data));
