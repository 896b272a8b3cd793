#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| ln_onion::fuzz::read_onion(data));
