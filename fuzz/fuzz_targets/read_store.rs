#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| ln_gossip::fuzz::read_store(data));
