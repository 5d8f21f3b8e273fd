//! The target `verify_headers`; what it does with an input is in `src/verify_headers.rs`.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| grantor_fuzz::verify_headers::run(data));
