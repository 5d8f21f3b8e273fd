//! A server in this process: port 0, its own database, its own clock.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread::JoinHandle;

use actix_web::dev::ServerHandle;
use grantor::admin::Authority;
use grantor::app::{App, Surroundings};
use grantor::clock::Clock;
use grantor::config::{self, Config, LoadOptions};
use grantor::crypto::random::Random;
use grantor::oauth::Context;
use tempfile::TempDir;

use super::answer::{Answer, agent, form};
use super::builders::{ClientBuilder, UserBuilder};
use super::postgres::fresh_postgres_url;
use super::requirement::missing;

/// The two databases that everything runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Database {
    Sqlite,
    Postgres,
}

/// A server to be started.
pub struct ServerBuilder {
    database: Database,
    settings: BTreeMap<String, String>,
    file: String,
    clock: Clock,
    folder: Option<Arc<TempDir>>,
    url: Option<String>,
}

impl ServerBuilder {
    /// Sets a key, as `refresh.reuse_window`.
    pub fn set(mut self, key: &str, value: impl ToString) -> Self {
        let name = format!("GRANTOR__{}", key.replace('.', "__").to_uppercase());
        self.settings.insert(name, value.to_string());
        self
    }

    /// Lets its clock start so many seconds away from the machine's.
    pub fn clock_at(self, seconds: i64) -> Self {
        self.clock.advance(seconds);
        self
    }

    /// Lets its clock stand still until it is moved.
    pub fn clock_still(mut self) -> Self {
        self.clock = Clock::still();
        self
    }

    /// Adds lines to the configuration file.
    pub fn file(mut self, text: &str) -> Self {
        self.file.push_str(text);
        self
    }

    pub fn start(self) -> Server {
        let folder = self.folder.unwrap_or_else(|| Arc::new(tempfile::tempdir().expect("a folder")));
        let url = self.url.unwrap_or_else(|| database_url(self.database, &folder));
        let mut settings = self.settings;
        let mut preset = |key: &str, value: String| {
            settings.entry(format!("GRANTOR__{key}")).or_insert(value);
        };
        preset("ENVIRONMENT", "test".into());
        preset("SERVER__ADDRESS", "127.0.0.1:0".into());
        preset("SERVER__PRIVATE_ADDRESS", "127.0.0.1:0".into());
        preset("SERVER__WORKERS", "2".into());
        preset("DATABASE__URL", url.clone());
        preset("SECURITY__MASTER_KEY_FILE", folder.path().join("master.key").display().to_string());
        preset("PASSWORDS__BCRYPT_COST", "4".into());
        let file = folder.path().join("test.toml");
        std::fs::write(&file, &self.file).expect("a configuration file");
        let options = LoadOptions { config_file: Some(file), environment: settings.clone(), ..LoadOptions::default() };
        let config = config::load(&options).expect("a good configuration");
        let running = Running::start(config.clone(), self.clock.clone());
        Server { running, config, settings, file: self.file, database: self.database, url, clock: self.clock, folder }
    }
}

fn database_url(database: Database, folder: &TempDir) -> String {
    match database {
        Database::Sqlite => format!("sqlite://{}", folder.path().join("grantor.db").display()),
        Database::Postgres => fresh_postgres_url().unwrap_or_else(|| {
            // The value stands for a skipped test; under GRANTOR_TEST_REQUIRE_ALL this has failed already.
            missing("PostgreSQL");
            format!("sqlite://{}", folder.path().join("instead.db").display())
        }),
    }
}

struct Running {
    base: String,
    private: String,
    context: Arc<Context>,
    handle: ServerHandle,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    fn start(config: Config, clock: Clock) -> Self {
        let (sender, receiver) = channel();
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let surroundings = Surroundings { clock, random: Random::system() };
                let app = App::build(config, &surroundings).await.expect("the server starts");
                let (address, private) = (app.address().unwrap(), app.private_address().unwrap());
                let context = Arc::clone(app.context());
                app.run_until_stopped(move |handle| {
                    let _ = sender.send((address, private, context, handle));
                })
                .await
                .expect("the server runs");
            });
        });
        let (address, private, context, handle) = receiver.recv().expect("the server started");
        Self {
            base: format!("http://{address}"),
            private: format!("http://{private}"),
            context,
            handle,
            thread: Some(thread),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Without grace: tests do not wait for idle connections.
        std::mem::drop(self.handle.stop(false));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A running server.
pub struct Server {
    running: Running,
    config: Config,
    settings: BTreeMap<String, String>,
    file: String,
    database: Database,
    url: String,
    /// Move it with `clock.advance(seconds)`.
    pub clock: Clock,
    folder: Arc<TempDir>,
}

impl Server {
    pub fn start(database: Database) -> Self {
        Self::with(database).start()
    }

    pub fn with(database: Database) -> ServerBuilder {
        ServerBuilder {
            database,
            settings: BTreeMap::new(),
            file: String::new(),
            clock: Clock::shifted(),
            folder: None,
            url: None,
        }
    }

    /// Another node on the same database, key and clock.
    pub fn second_node(&self) -> Self {
        self.second_node_with(&[])
    }

    /// Another node that has other settings.
    pub fn second_node_with(&self, settings: &[(&str, &str)]) -> Self {
        let mut builder = Self::with(self.database);
        builder.settings.clone_from(&self.settings);
        builder.file.clone_from(&self.file);
        builder.clock = self.clock.clone();
        builder.folder = Some(Arc::clone(&self.folder));
        builder.url = Some(self.url.clone());
        for (key, value) in settings {
            builder = builder.set(key, value);
        }
        // Nodes of one service have one issuer.
        builder.set("issuer", self.base()).start()
    }

    /// Stops it and starts it again on the same data.
    pub fn restart(self) -> Self {
        let builder = ServerBuilder {
            database: self.database,
            settings: self.settings.clone(),
            file: self.file.clone(),
            clock: self.clock.clone(),
            folder: Some(Arc::clone(&self.folder)),
            url: Some(self.url.clone()),
        };
        let issuer = self.base().to_owned();
        drop(self);
        builder.set("issuer", issuer).start()
    }

    /// `http://127.0.0.1:PORT`, which is the issuer too unless it was set.
    pub fn base(&self) -> &str {
        &self.running.base
    }

    pub fn private_base(&self) -> &str {
        &self.running.private
    }

    pub fn context(&self) -> &Arc<Context> {
        &self.running.context
    }

    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Runs a verb of `grantor::admin` (or anything asynchronous) on this server's context.
    pub fn run<T>(&self, verb: impl AsyncFnOnce(&Context, &Authority) -> T) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(verb(self.context(), &Authority::operator()))
    }

    pub fn confidential_client(&self) -> ClientBuilder<'_> {
        ClientBuilder::new(self, false)
    }

    pub fn public_client(&self) -> ClientBuilder<'_> {
        ClientBuilder::new(self, true)
    }

    /// A person with a chosen password.
    pub fn person(&self) -> UserBuilder<'_> {
        UserBuilder::new(self, "person")
    }

    /// An API user with a generated password.
    pub fn api_user(&self) -> UserBuilder<'_> {
        UserBuilder::new(self, "api_user")
    }

    pub fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = agent().get(format!("{}{path}", self.base()));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Answer::of(request.call())
    }

    pub fn get_with_token(&self, path: &str, token: &str) -> Answer {
        self.get(path, &[("Authorization", &format!("Bearer {token}"))])
    }

    /// Posts a form.
    pub fn post(&self, path: &str, pairs: &[(&str, &str)], headers: &[(&str, &str)]) -> Answer {
        self.post_raw(path, "application/x-www-form-urlencoded", form(pairs).as_bytes(), headers)
    }

    /// Posts any bytes.
    pub fn post_raw(&self, path: &str, content_type: &str, body: &[u8], headers: &[(&str, &str)]) -> Answer {
        let mut request = agent().post(format!("{}{path}", self.base()));
        if !content_type.is_empty() {
            request = request.header("Content-Type", content_type);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Answer::of(request.send(body))
    }
}
