//! The target `json`; what it does with an input is in `src/json.rs`.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| grantor_fuzz::json::run(data));
