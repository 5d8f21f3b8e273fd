//! The target `scope`; what it does with an input is in `src/scope.rs`.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| grantor_fuzz::scope::run(data));
