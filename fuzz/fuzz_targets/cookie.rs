//! The target `cookie`; what it does with an input is in `src/cookie.rs`.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| grantor_fuzz::cookie::run(data));
