//! Things that a test needs of the machine, and how often it is made. What is missing is said loudly, and fails under
//! `GRANTOR_TEST_REQUIRE_ALL=1`, which `tests/run` sets.

use std::path::PathBuf;

/// Says that a test was skipped, and fails it where everything is required.
#[track_caller]
pub fn missing(what: &str) {
    assert!(std::env::var_os("GRANTOR_TEST_REQUIRE_ALL").is_none(), "missing on this machine: {what}");
    eprintln!("SKIPPED: missing on this machine: {what}");
}

/// A program on the search path.
pub fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).chain(["/usr/sbin".into()]).map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// How often something is tried: more often where this variable says so. What is no number is no wish for the short form.
pub fn times(variable: &str, in_the_suite: u64) -> u64 {
    std::env::var(variable)
        .map_or(in_the_suite, |text| text.parse().unwrap_or_else(|_| panic!("{variable} is no number: {text}")))
}
