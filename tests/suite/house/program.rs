//! What is in the program, and what is not.

/// `.cargo/config.toml` leaves it out; without that a start takes five times as long, and nothing else tells.
#[test]
fn the_program_has_no_jitter_to_measure_for_entropy() {
    let program = std::fs::read(env!("CARGO_BIN_EXE_grantor")).expect("the program");
    // Each name in its table ends with a NUL.
    let names = || program.split(|byte| *byte == 0);
    assert!(names().any(|name| name.ends_with(b"_RAND_bytes")), "the names of aws-lc's functions are in the program");
    assert!(
        !names().any(|name| name.ends_with(b"jent_entropy_collector_alloc")),
        "aws-lc was built with jitter entropy"
    );
}
