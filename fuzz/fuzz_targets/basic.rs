//! The target `basic`; what it does with an input is in `src/basic.rs`.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| grantor_fuzz::basic::run(data));
