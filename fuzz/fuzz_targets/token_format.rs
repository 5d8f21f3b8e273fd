//! The target `token_format`; what it does with an input is in `src/token_format.rs`.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| grantor_fuzz::token_format::run(data));
