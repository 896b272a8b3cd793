#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| ln_wire::fuzz::decode_any(data));
