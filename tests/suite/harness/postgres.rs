//! A PostgreSQL cluster of the tests' own, run by a user that is not root, and a fresh database for each test.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The shell that runs the cluster stops it and removes its folder when its standard input closes, which the end of
/// the test process does, however it ends.
const SCRIPT: &str = r#"
set -eu
bin=$1; port=$2
dir=$(mktemp -d /tmp/grantor-test-pg-XXXXXX)
cd "$dir"
"$bin/initdb" -D "$dir/data" -A trust -U postgres --no-sync --locale=C.UTF-8 >"$dir/initdb.log" 2>&1
"$bin/pg_ctl" -w -D "$dir/data" -l "$dir/log" -o "-p $port -k $dir -c listen_addresses=127.0.0.1 -c max_connections=400 -c fsync=off -c shared_buffers=64MB" start >/dev/null 2>&1
echo ready
cat >/dev/null || true
"$bin/pg_ctl" -D "$dir/data" -m immediate stop >/dev/null 2>&1 || true
rm -rf "$dir"
"#;

struct Cluster {
    port: u16,
    // Its standard input stays open for as long as the test process lives.
    _keeper: Child,
}

fn binaries() -> Option<PathBuf> {
    let mut found: Vec<PathBuf> =
        std::fs::read_dir("/usr/lib/postgresql").ok()?.flatten().map(|entry| entry.path().join("bin")).collect();
    found.sort();
    found.into_iter().rev().find(|folder| folder.join("initdb").is_file())
}

fn start() -> Option<Cluster> {
    let bin = binaries()?;
    let port = std::net::TcpListener::bind("127.0.0.1:0").ok()?.local_addr().ok()?.port();
    let is_root = Path::new("/root").metadata().is_ok() && rustix::process::getuid().is_root();
    let mut command = if is_root {
        let mut su = Command::new("su");
        su.args(["postgres", "-s", "/bin/sh", "-c", SCRIPT, "sh"]);
        su
    } else {
        let mut sh = Command::new("sh");
        sh.args(["-c", SCRIPT, "sh"]);
        sh
    };
    command.arg(&bin).arg(port.to_string());
    let mut keeper = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok()?;
    let mut said = [0; 6];
    keeper.stdout.take()?.read_exact(&mut said).ok()?;
    Some(Cluster { port, _keeper: keeper })
}

/// The URL of a new, empty database; none where there is no PostgreSQL.
pub fn fresh_postgres_url() -> Option<String> {
    static CLUSTER: OnceLock<Option<Cluster>> = OnceLock::new();
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let port = CLUSTER.get_or_init(start).as_ref()?.port;
    let name = format!("grantor_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    let made = Command::new(binaries()?.join("createdb"))
        .args(["-h", "127.0.0.1", "-p", &port.to_string(), "-U", "postgres", &name])
        .status()
        .ok()?;
    made.success().then(|| format!("postgres://postgres@127.0.0.1:{port}/{name}"))
}
