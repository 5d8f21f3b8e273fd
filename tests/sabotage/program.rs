//! The program with its defects (`grantor::sabotage`), for the tests of faults alone.

use std::process::ExitCode;

fn main() -> ExitCode {
    grantor::cli::run()
}
