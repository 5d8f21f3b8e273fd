//! The real program as a real process: command line and server, killed as needed.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use grantor::admin::Authority;
use grantor::admin::setup::ADMIN_USERNAME;
use grantor::app::{self, Surroundings};
use grantor::config::{self, LoadOptions};
use grantor::oauth::Context;
use grantor::sabotage::Defect;
use serde_json::Value;
use tempfile::TempDir;

use super::answer::{Answer, agent, post_form};
use super::postgres::fresh_postgres_url;
use super::requirement::missing;
use super::server::Database;

/// A data folder, a database and the environment that points at them.
pub struct Installation {
    program: PathBuf,
    folder: TempDir,
    environment: BTreeMap<String, String>,
    port: u16,
    server: Option<Child>,
}

impl Installation {
    pub fn new(database: Database) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let url = match database {
            Database::Sqlite => format!("sqlite://{}", folder.path().join("grantor.db").display()),
            Database::Postgres => fresh_postgres_url().unwrap_or_else(|| {
                missing("PostgreSQL");
                format!("sqlite://{}", folder.path().join("instead.db").display())
            }),
        };
        Self::on(folder, url)
    }

    /// On a database that is there already.
    pub fn on_url(url: &str) -> Self {
        Self::on(tempfile::tempdir().expect("a folder"), url.to_owned())
    }

    fn on(folder: TempDir, url: String) -> Self {
        let program = PathBuf::from(env!("CARGO_BIN_EXE_grantor"));
        let mut installation = Self { program, folder, environment: BTreeMap::new(), port: 0, server: None };
        installation.set("environment", "test");
        installation.set("database.url", url);
        let key = installation.path().join("master.key").display().to_string();
        installation.set("security.master_key_file", key);
        installation.set("passwords.bcrypt_cost", "4");
        installation.take_ports();
        let issuer = installation.base();
        installation.set("issuer", issuer);
        installation
    }

    fn take_ports(&mut self) {
        let [public, private] = [(), ()].map(|()| unused_address());
        self.port = public.port();
        self.set("server.address", public);
        self.set("server.private_address", private);
    }

    /// Another node: the same database, key and issuer, ports of its own.
    pub fn second_node(&self) -> Self {
        let mut node = Self {
            program: self.program.clone(),
            folder: tempfile::tempdir().expect("a folder"),
            environment: self.environment.clone(),
            port: 0,
            server: None,
        };
        node.take_ports();
        node
    }

    /// Sets a key, as `refresh.reuse_window`.
    pub fn set(&mut self, key: &str, value: impl ToString) {
        let name = format!("GRANTOR__{}", key.replace('.', "__").to_uppercase());
        self.environment.insert(name, value.to_string());
    }

    /// Sets an environment variable that is none of Grantor's own.
    pub fn variable(&mut self, name: &str, value: impl ToString) {
        self.environment.insert(name.to_owned(), value.to_string());
    }

    /// Takes such a variable back.
    pub fn forget_variable(&mut self, name: &str) {
        self.environment.remove(name);
    }

    /// From now on this defect is in the program (`grantor::sabotage`).
    pub fn sabotage(&mut self, defect: Defect) {
        self.program = sabotaged_program();
        self.variable("GRANTOR_SABOTAGE", format!("{defect:?}"));
    }

    pub fn unset(&mut self, key: &str) {
        self.environment.remove(&format!("GRANTOR__{}", key.replace('.', "__").to_uppercase()));
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn base(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What the node's page of metrics says of one without labels.
    pub fn metric(&self, name: &str) -> i64 {
        let address = &self.environment["GRANTOR__SERVER__PRIVATE_ADDRESS"];
        let page = Answer::of(agent().get(format!("http://{address}/metrics")).call()).ok().body;
        let value = page.lines().find_map(|line| line.strip_prefix(&format!("grantor_{name} ")));
        value.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("no {name} in\n{page}"))
    }

    pub fn database_url(&self) -> String {
        self.environment["GRANTOR__DATABASE__URL"].clone()
    }

    pub fn log_file(&self) -> PathBuf {
        self.path().join("server.log")
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    /// The program with these arguments, in this installation's folder and environment.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments).current_dir(self.path());
        command.env_clear().envs(&self.environment);
        for kept in ["PATH", "HOME", "LLVM_PROFILE_FILE"] {
            if let Some(value) = std::env::var_os(kept) {
                command.env(kept, value);
            }
        }
        command
    }

    /// Runs a verb of `grantor::admin` in this process, on the installation's database and key.
    pub fn run_verb<T>(&self, verb: impl AsyncFnOnce(&Context, &Authority) -> T) -> T {
        let options = LoadOptions { environment: self.environment.clone(), ..LoadOptions::default() };
        let config = config::load(&options).expect("a good configuration");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let (issuer, surroundings) = (self.base(), Surroundings::system());
            let opened = app::open(&config, &issuer, ADMIN_USERNAME, &surroundings).await;
            let opened = opened.expect("the installation opens");
            verb(&opened.context, &Authority::operator()).await
        })
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.run_with(arguments, "")
    }

    /// Runs a command with something on its standard input.
    pub fn run_with(&self, arguments: &[&str], input: &str) -> Output {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program runs");
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().expect("the program ends")
    }

    /// Runs a command with `--json`, which must succeed.
    #[track_caller]
    pub fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[arguments, &["--json"]].concat());
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).expect("one JSON value")
    }

    /// Starts the server without waiting for it.
    pub fn spawn(&mut self) {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.log_file()).unwrap();
        let child = self
            .command(&["serve"])
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .expect("the server starts");
        self.server = Some(child);
    }

    /// Starts the server and waits until it is ready; answers how long that took.
    pub fn start(&mut self) -> Duration {
        self.spawn();
        self.wait_until_ready()
    }

    /// Waits until a server that was spawned is ready; fails where it ends instead.
    pub fn wait_until_ready(&mut self) -> Duration {
        let started = Instant::now();
        loop {
            assert!(self.has_ended().is_none(), "the server ended: {}", self.log());
            if let Ok(response) = agent().get(format!("{}/health/ready", self.base())).call()
                && response.status() == 200
            {
                return started.elapsed();
            }
            assert!(started.elapsed() < Duration::from_secs(30), "not ready: {}", self.log());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        if let Some(mut server) = self.server.take() {
            let _ = server.kill();
            let _ = server.wait();
        }
    }

    /// SIGTERM, and the exit status.
    pub fn stop(&mut self) -> Option<i32> {
        self.tell_to_stop();
        self.wait()
    }

    /// SIGTERM, without waiting for what comes of it.
    pub fn tell_to_stop(&self) {
        self.signal(rustix::process::Signal::TERM);
    }

    pub fn signal(&self, signal: rustix::process::Signal) {
        rustix::process::kill_process(self.process().expect("a running server"), signal).expect("a signal");
    }

    fn process(&self) -> Option<rustix::process::Pid> {
        rustix::process::Pid::from_raw(i32::try_from(self.pid()?).ok()?)
    }

    /// Whether the server runs no more, though nobody has waited for its end.
    pub fn is_gone(&self) -> bool {
        use rustix::process::{WaitId, WaitIdOptions, waitid};
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        self.process().is_none_or(|process| matches!(waitid(WaitId::Pid(process), options), Ok(Some(_)) | Err(_)))
    }

    /// The exit status, once the server has ended.
    pub fn wait(&mut self) -> Option<i32> {
        self.server.take()?.wait().ok()?.code()
    }

    /// The exit status of a server that has ended by itself.
    pub fn has_ended(&mut self) -> Option<Option<i32>> {
        self.server.as_mut()?.try_wait().unwrap().map(|status| status.code())
    }

    pub fn pid(&self) -> Option<u32> {
        self.server.as_ref().map(Child::id)
    }

    /// Posts a form with Basic authentication.
    pub fn post(&self, path: &str, client: (&str, &str), pairs: &[(&str, &str)]) -> Result<Answer, String> {
        post_form(&format!("{}{path}", self.base()), client, pairs)
    }

    pub fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = agent().get(format!("{}{path}", self.base()));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Answer::of(request.call())
    }
}

/// The program with defects that can be switched on.
#[track_caller]
pub fn sabotaged_program() -> PathBuf {
    let program = Path::new(env!("CARGO_BIN_EXE_grantor")).with_file_name("grantor-sabotage");
    assert!(program.is_file(), "first: cargo build --locked --features sabotage --bin grantor-sabotage");
    program
}

/// An address that no other caller was given. It lies below the ports that the system gives to whoever connects: one of those
/// could be somebody's when a node that was stopped wants its port again.
pub fn unused_address() -> SocketAddr {
    static GIVEN: AtomicU16 = AtomicU16::new(0);
    const PORTS: std::ops::Range<u16> = 12_000..32_000;
    loop {
        // Two runs of the tests at once begin far from each other, though their ids are neighbours.
        let given = u32::from(GIVEN.fetch_add(1, Ordering::Relaxed));
        let number = (std::process::id().wrapping_mul(7919) % 20_000 + given) % u32::from(PORTS.end - PORTS.start);
        let number = u16::try_from(number).unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], PORTS.start + number));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
}

impl Drop for Installation {
    fn drop(&mut self) {
        self.kill();
        // With a failure goes what the server said last.
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<&str> = log.lines().collect();
            eprintln!("the server's log ends so:\n{}", lines[lines.len().saturating_sub(30)..].join("\n"));
        }
    }
}
