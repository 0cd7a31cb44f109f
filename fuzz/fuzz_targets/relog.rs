#![no_main]

#[allow(dead_code, unused_imports)]
#[path = "../../tests/checks/mod.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|data: &[u8]| checks::relog(data));
