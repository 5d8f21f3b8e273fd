//! The target `jwt`; what it does with an input is in `src/jwt.rs`.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| grantor_fuzz::jwt::run(data));
