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

# More cases for the machines of `tests/suite/properties`
long-properties:
    GRANTOR_TEST_CASES=5000 cargo test --test suite properties -- --nocapture

# A minute of every fuzz target (fuzz/README.md says what it needs)
fuzz-smoke: (fuzz-each "-max_total_time=60")

# Ten million inputs or half an hour of every fuzz target
fuzz: (fuzz-each "-runs=10000000 -max_total_time=1800")

[private]
fuzz-each LIMITS:
    for target in $(cargo +nightly fuzz list); do \
        mkdir -p "fuzz/found/$target" && \
        cargo +nightly fuzz run --sanitizer none "$target" "fuzz/found/$target" "fuzz/corpus/$target" -- {{ LIMITS }} -max_len=1024 -print_final_stats=1 || exit 1; \
    done

# Licences, banned crates and foreign sources
deny:
    tests/tool cargo-deny 0.20.2 --no-default-features
    cargo fetch --locked
    target/tools/bin/cargo-deny --offline --locked check bans licenses sources

# Where the advisories of RustSec lie, as a copy of their repository
advisory-db := "../shared/advisory-db"

# Known vulnerabilities, by the advisories as they lie on this machine
audit:
    tests/tool cargo-audit 0.22.2 --no-default-features
    target/tools/bin/cargo-audit audit --no-fetch --stale --db {{ advisory-db }}
    target/tools/bin/cargo-audit audit --no-fetch --stale --db {{ advisory-db }} --file fuzz/Cargo.lock

# What docker-compose.yml needs: passwords, master key, certificate
compose-prepare:
    examples/compose/prepare
