//! PostgreSQL clusters of the tests' own, run by a user that is not root: one that all tests share, with a fresh database for
//! each, and clusters that belong to one test, which may stop, freeze and kill them.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::process::unused_address;

/// The shell that makes a folder for clusters. It stops what runs there and removes it when its standard input closes, which
/// the end of the test process does, however it ends.
const KEEPER: &str = r#"
set -eu
bin=$1
dir=$(mktemp -d /tmp/grantor-test-pg-XXXXXX)
echo "$dir"
cat >/dev/null || true
for data in "$dir"/data-*; do
    postmaster=$(head -n 1 "$data/postmaster.pid" 2>/dev/null) || continue
    # A cluster that was killed has left its number behind, which may be another process's by now.
    [ "$(readlink "/proc/$postmaster/cwd")" = "$data" ] || continue
    # Frozen, it would not hear that it is to stop.
    kill -CONT "$postmaster" || true
    "$bin/pg_ctl" -D "$data" -m immediate stop >/dev/null 2>&1 || true
done
rm -rf "$dir"
"#;

/// How long a cluster may take for what it is told.
const PATIENCE: Duration = Duration::from_secs(20);

/// A folder for clusters, which goes with them at the end.
struct Folder {
    path: PathBuf,
    keeper: Child,
}

impl Folder {
    fn make(bin: &Path) -> Option<Self> {
        let mut keeper = not_as_root("sh");
        // In a group of its own: what ends the tests' group must not end it.
        keeper.args(["-c", KEEPER, "sh"]).arg(bin).process_group(0);
        let mut keeper = keeper.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok()?;
        let mut path = String::new();
        BufReader::new(keeper.stdout.take()?).read_line(&mut path).ok()?;
        Some(Self { path: path.trim_end().into(), keeper })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

/// A cluster that runs until it is stopped, or until the end of the test.
pub struct Cluster {
    folder: Arc<Folder>,
    bin: PathBuf,
    data: PathBuf,
    port: u16,
}

impl Cluster {
    /// A new cluster, with these lines in its configuration; none where there is no PostgreSQL.
    pub fn create(settings: &str) -> Option<Self> {
        let bin = binaries()?;
        let cluster = Self::in_folder(Arc::new(Folder::make(&bin)?), bin, 1);
        // Nothing is lost by a crash of the cluster's processes if the files of `initdb` are not synced, only by the machine's.
        cluster.run("initdb", &["-A", "trust", "-U", "postgres", "--no-sync", "--locale=C.UTF-8"]);
        cluster.configure(settings);
        cluster.start();
        Some(cluster)
    }

    fn in_folder(folder: Arc<Folder>, bin: PathBuf, number: usize) -> Self {
        let data = folder.path.join(format!("data-{number}"));
        Self { folder, bin, data, port: unused_address().port() }
    }

    fn configure(&self, settings: &str) {
        let mut file = std::fs::OpenOptions::new().append(true).open(self.data.join("postgresql.conf")).unwrap();
        let (port, folder) = (self.port, self.folder.path.display());
        let own = format!("port = {port}\nunix_socket_directories = '{folder}'\nlisten_addresses = '127.0.0.1'");
        writeln!(file, "{own}\n{settings}").unwrap();
    }

    /// One of PostgreSQL's programs, with the cluster's folder behind its arguments.
    fn run(&self, program: &str, arguments: &[&str]) {
        done(not_as_root(&self.bin.join(program).display().to_string()).args(arguments).arg("-D").arg(&self.data));
    }

    /// Starts it, and waits until it takes connections.
    pub fn start(&self) {
        let log = self.data.with_extension("log").display().to_string();
        self.run("pg_ctl", &["-w", "start", "-l", &log]);
    }

    /// Stops it as a power cut would, but for the machine's own memory: what was not written is lost, and the next start recovers.
    pub fn stop_at_once(&self) {
        self.run("pg_ctl", &["-w", "-m", "immediate", "stop"]);
    }

    /// Its processes, the postmaster first.
    fn processes(&self) -> Vec<Pid> {
        let file = std::fs::read_to_string(self.data.join("postmaster.pid")).expect("it runs");
        let postmaster = file.lines().next().unwrap();
        let children = std::fs::read_to_string(format!("/proc/{postmaster}/task/{postmaster}/children")).unwrap();
        let pids = std::iter::once(postmaster).chain(children.split_whitespace());
        pids.map(|pid| Pid::from_raw(pid.parse().unwrap()).unwrap()).collect()
    }

    fn signal(&self, signal: Signal) {
        for pid in self.processes() {
            // One that has ended meanwhile needs none.
            let _ = kill_process(pid, signal);
        }
    }

    /// SIGSTOP to all its processes: connections stay open, the system takes new ones, and nothing answers.
    pub fn freeze(&self) {
        // The postmaster first, so that it starts no further process.
        kill_process(self.processes()[0], Signal::STOP).unwrap();
        self.signal(Signal::STOP);
    }

    /// SIGCONT to all its processes.
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    /// `kill -9` of all its processes: its machine is gone.
    pub fn kill(&self) {
        self.freeze();
        self.signal(Signal::KILL);
        let killed = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
            assert!(killed.elapsed() < PATIENCE, "it still takes connections");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Ends every session but the one that ends them.
    pub fn end_sessions(&self) -> usize {
        let ended = self.sql(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
             WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()",
        );
        ended.parse().unwrap()
    }

    /// A second cluster that follows this one; a commit here waits until it is on disk there, too.
    pub fn synchronous_standby(&self) -> Self {
        let standby = Self::in_folder(Arc::clone(&self.folder), self.bin.clone(), 2);
        let from = ["-h", "127.0.0.1", "-p", &self.port.to_string(), "-U", "postgres"];
        standby.run("pg_basebackup", &[&from[..], &["-R", "-X", "stream", "-c", "fast", "--no-sync"]].concat());
        standby.configure("");
        standby.start();
        // After the copy: the standby must not wait for one of its own when it takes over.
        self.sql("ALTER SYSTEM SET synchronous_standby_names = '*'");
        self.sql("SELECT pg_reload_conf()");
        let asked = Instant::now();
        while self.sql("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'") != "1" {
            assert!(asked.elapsed() < PATIENCE, "the standby does not follow");
            std::thread::sleep(Duration::from_millis(50));
        }
        standby
    }

    /// Makes a standby the primary.
    pub fn promote(&self) {
        assert_eq!(self.sql("SELECT pg_promote()"), "t");
    }

    fn sql(&self, statement: &str) -> String {
        let mut psql = Command::new(self.bin.join("psql"));
        // Warnings (of a session that has ended by itself) are no part of the answer.
        psql.env("PGOPTIONS", "-c client_min_messages=error");
        psql.args(["-X", "-q", "-A", "-t", "-h", "127.0.0.1", "-p", &self.port.to_string(), "-U", "postgres"]);
        done(psql.args(["-d", "postgres", "-c", statement])).trim().to_owned()
    }

    /// The URL of a new, empty database.
    pub fn fresh_url(&self) -> String {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let name = format!("grantor_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let mut made = Command::new(self.bin.join("createdb"));
        done(made.args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "-U", "postgres", &name]));
        format!("postgres://postgres@{}/{name}", self.address())
    }

    /// `127.0.0.1:PORT`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }
}

fn binaries() -> Option<PathBuf> {
    let mut found: Vec<PathBuf> =
        std::fs::read_dir("/usr/lib/postgresql").ok()?.flatten().map(|entry| entry.path().join("bin")).collect();
    found.sort();
    found.into_iter().rev().find(|folder| folder.join("initdb").is_file())
}

/// A command that runs as `postgres` where the tests run as root: PostgreSQL refuses to.
fn not_as_root(program: &str) -> Command {
    let mut command = if rustix::process::getuid().is_root() {
        let mut su = Command::new("su");
        su.args(["-s", "/bin/sh", "-c", r#"exec "$@""#, "--", "postgres", "sh", program]);
        su
    } else {
        Command::new(program)
    };
    // The other user may not see the folder of the sources.
    command.current_dir("/tmp").stdin(Stdio::null());
    command
}

/// Runs a command, which must succeed; answers what it printed. Its output is a file: a server that it starts keeps it open.
#[track_caller]
fn done(command: &mut Command) -> String {
    let output = tempfile::NamedTempFile::new().unwrap();
    let written = output.reopen().unwrap();
    let ended = command
        .stdout(written.try_clone().unwrap())
        .stderr(written)
        .status()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = std::fs::read_to_string(output.path()).unwrap();
    assert!(ended.success(), "{command:?}: {said}");
    said
}

/// The URL of a new, empty database of the cluster that all tests share; none where there is no PostgreSQL.
pub fn fresh_postgres_url() -> Option<String> {
    static CLUSTER: OnceLock<Option<Cluster>> = OnceLock::new();
    let settings = "max_connections = 400\nfsync = off\nshared_buffers = 64MB";
    Some(CLUSTER.get_or_init(|| Cluster::create(settings)).as_ref()?.fresh_url())
}
