//! Things that a test needs of the machine. What is missing is said loudly, and fails under
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
