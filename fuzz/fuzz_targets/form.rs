//! The target `form`; what it does with an input is in `src/form.rs`.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| grantor_fuzz::form::run(data));
