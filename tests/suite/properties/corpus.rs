//! The kept corpus of the fuzz targets, through the same functions that cargo-fuzz calls.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

#[path = "../../../fuzz/src/lib.rs"]
mod targets;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz")
}

/// The names in a folder of `fuzz/`, without their endings.
fn names(path: &str) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder().join(path)).unwrap();
    let stem = |path: PathBuf| path.file_stem().unwrap().to_str().unwrap().to_owned();
    entries.map(|entry| stem(entry.unwrap().path())).collect()
}

#[test]
fn every_kept_input_of_a_fuzz_target_does_what_it_must() {
    let mut failed = Vec::new();
    for (name, run) in targets::TARGETS {
        let mut inputs = 0;
        for entry in std::fs::read_dir(folder().join("corpus").join(name)).unwrap() {
            let path = entry.unwrap().path();
            let input = std::fs::read(&path).unwrap();
            if catch_unwind(AssertUnwindSafe(|| run(&input))).is_err() {
                failed.push(path);
            }
            inputs += 1;
        }
        assert!(inputs > 5, "{name}: {inputs} inputs are kept");
    }
    assert_eq!(failed, Vec::<PathBuf>::new());
}

#[test]
fn every_fuzz_target_is_built_and_has_a_corpus() {
    let targets: BTreeSet<String> = targets::TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names("fuzz_targets"), targets);
    assert_eq!(names("corpus"), targets);
    let manifest = std::fs::read_to_string(folder().join("Cargo.toml")).unwrap();
    let built: toml::Table = manifest.parse().unwrap();
    let built = built["bin"].as_array().unwrap().iter().map(|bin| bin["name"].as_str().unwrap().to_owned());
    assert_eq!(built.collect::<BTreeSet<_>>(), targets);
}
