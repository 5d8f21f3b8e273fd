//! What `tests/run` installs for these tests: Node and Python packages, outside of the sources.

use std::path::{Path, PathBuf};

use crate::harness::missing;

/// The folder that it installs into.
fn folder() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    std::env::var_os("GRANTOR_TEST_CLIENTS").map_or_else(|| root.join("target/clients"), |named| root.join(named))
}

/// Something in it; none, said loudly, where it is not.
pub fn installed(path: &str) -> Option<PathBuf> {
    let found = folder().join(path);
    if found.exists() {
        return Some(found);
    }
    missing(&format!("target/clients/{path} (tests/run installs it)"));
    None
}

/// A file of the sources.
pub fn source(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A module of the sources, copied beside the Node packages of a folder: that is where Node looks for them.
pub fn beside_packages(module: &str, folder: &str) -> Option<PathBuf> {
    let packages = installed(&format!("{folder}/node_modules"))?;
    let name = Path::new(module).file_name().expect("a file");
    let copy = packages.parent().expect("a folder").join(name);
    // Tests of one file at the same time: each reads a whole copy.
    let written = copy.with_extension(format!("{:?}.new", std::thread::current().id()));
    std::fs::copy(source(module), &written).expect("a copy");
    std::fs::rename(&written, &copy).expect("a copy in its place");
    Some(copy)
}
