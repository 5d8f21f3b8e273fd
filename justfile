# `just` lists the recipes.

[private]
default:
    @just --list

# Everything, with nothing skipped
test:
    tests/run

# One test, or those whose names hold a word
only NAME:
    cargo test --test suite {{ NAME }}

# A first token on this machine
quickstart:
    cargo run --release -- quickstart

# Grantor beside its peers: figures and ratios (bench/README.md says what it needs)
bench *OPTIONS:
    cargo build --release
    cargo bench --bench load --no-run
    bench/run {{ OPTIONS }}

# The pictures of the documentation, over the data of `quickstart --demo`
pictures:
    GRANTOR_TEST_PICTURES=docs/images cargo test --test suite console::pictures

# The trials of faults in their long forms: about an hour
faults:
    cargo build --locked --features sabotage --bin grantor-sabotage
    cargo build --locked --example resource-server
    GRANTOR_TEST_REQUIRE_ALL=1 GRANTOR_TEST_KILLS=500 cargo test --locked --test suite faults::kill::what_was_answered_before_a_kill_holds_after_it::db_1 -- --nocapture
    GRANTOR_TEST_REQUIRE_ALL=1 GRANTOR_TEST_KILLS=200 cargo test --locked --test suite faults::kill::what_was_answered_before_a_kill_holds_after_it::db_2 -- --nocapture
    GRANTOR_TEST_REQUIRE_ALL=1 GRANTOR_TEST_POWER_CUTS=100 cargo test --locked --test suite faults::power -- --nocapture
    GRANTOR_TEST_REQUIRE_ALL=1 GRANTOR_TEST_OUTAGES=20 cargo test --locked --test suite faults::outages -- --nocapture
    GRANTOR_TEST_REQUIRE_ALL=1 GRANTOR_TEST_ROUNDS=1000 cargo test --locked --test suite faults::races -- --nocapture
    GRANTOR_TEST_REQUIRE_ALL=1 GRANTOR_TEST_SECONDS=600 cargo test --locked --test suite faults::rolling_restart -- --nocapture

# 500 examples of every operation of the API, both databases
long-schema:
    GRANTOR_TEST_EXAMPLES=500 cargo test --test suite schemathesis -- --nocapture

# Licences, known vulnerabilities, banned and foreign crates
deny:
    cargo deny check

# What docker-compose.yml needs: passwords, master key, certificate
compose-prepare:
    examples/compose/prepare
