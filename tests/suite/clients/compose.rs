//! `docker-compose.yml`, the Dockerfile and the configuration of nginx. No Docker engine is needed: the files are read
//! as data, each service's command and settings run as a process, and nginx runs in front of them.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;
use yaml_rust2::{Yaml, YamlLoader};

use super::installed::source;
use super::nginx;
use super::program::{Running, free_port, output_of};
use crate::harness::{agent, fresh_postgres_url, missing, program};

/// docker-compose.yml, what `prepare` made, and what stands for the rest of the world.
struct Compose {
    services: Yaml,
    secrets: Yaml,
    variables: BTreeMap<String, String>,
    database: String,
    folder: TempDir,
}

impl Compose {
    /// None where something is missing on this machine.
    fn read() -> Option<Self> {
        for needed in ["nginx", "openssl", "curl", "bash"] {
            if program(needed).is_none() {
                missing(needed);
                return None;
            }
        }
        let Some(database) = fresh_postgres_url() else {
            missing("PostgreSQL");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        output_of(Command::new("bash").arg(source("examples/compose/prepare")).arg(folder.path()));
        let variables = fs::read_to_string(folder.path().join(".env")).unwrap();
        let variables = variables.lines().filter_map(|line| line.split_once('='));
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let text = fs::read_to_string(source("docker-compose.yml")).unwrap();
        let document = YamlLoader::load_from_str(&text).unwrap().remove(0);
        let (services, secrets) = (merged(&document["services"]), document["secrets"].clone());
        Some(Self { services, secrets, variables, database, folder })
    }

    /// A text with `${NAME}`, `${NAME:-default}` and `${NAME:?message}` filled in.
    fn filled(&self, text: &str) -> String {
        let mut parts = text.split("${");
        let mut filled = parts.next().unwrap().to_owned();
        for part in parts {
            let (inside, rest) = part.split_once('}').unwrap();
            let (name, otherwise) = inside.split_once(":-").unwrap_or((inside, ""));
            let (name, required) = name.split_once(":?").map_or((name, false), |(name, _)| (name, true));
            let value = self.variables.get(name).map_or(otherwise, String::as_str);
            assert!(!required || !value.is_empty(), "{name} is not in .env");
            filled.push_str(value);
            filled.push_str(rest);
        }
        filled
    }

    fn environment(&self, service: &str) -> BTreeMap<String, String> {
        let list = self.services[service]["environment"].as_hash().unwrap();
        list.iter().map(|(name, value)| (text(name), self.filled(&text(value)))).collect()
    }

    /// A service of ours as a process: the settings as they stand there, but for what only a network of containers has.
    fn grantor(&self, service: &str, port: u16) -> Command {
        let mut settings = self.environment(service);
        let mut exchange = |key: &str, expected: &str, here: &str| {
            let value = settings.get_mut(&format!("GRANTOR__{key}")).unwrap_or_else(|| panic!("{service}: no {key}"));
            assert_eq!(value, expected, "{service}: {key}");
            here.clone_into(value);
        };
        let owner = self.environment("postgres");
        let (user, database) = (&owner["POSTGRES_USER"], &owner["POSTGRES_DB"]);
        let url = format!("postgres://{user}:{}@postgres:5432/{database}", owner["POSTGRES_PASSWORD"]);
        exchange("DATABASE__URL", &url, &self.database);
        exchange("SERVER__ADDRESS", "0.0.0.0:8080", &format!("0.0.0.0:{port}"));
        exchange("SERVER__PRIVATE_ADDRESS", "0.0.0.0:9080", "127.0.0.1:0");
        let proxy = text(&self.services["nginx"]["networks"]["inside"]["ipv4_address"]);
        exchange("HTTP__TRUSTED_PROXIES", &proxy, "127.0.0.1");
        exchange(
            "SECURITY__MASTER_KEY_FILE",
            "/run/secrets/master_key",
            self.secret(service, "master_key").to_str().unwrap(),
        );
        let mut command = Command::new(env!("CARGO_BIN_EXE_grantor"));
        command.env_clear().envs(settings).current_dir(self.folder.path());
        command
    }

    /// The file of a secret, as Docker makes it.
    fn secret(&self, service: &str, name: &str) -> PathBuf {
        let used = self.services[service]["secrets"].as_vec().unwrap();
        let used = used.iter().find(|secret| text(&secret["source"]) == name).expect("the service has the secret");
        let file = self.folder.path().join(name);
        fs::write(&file, &self.variables[&text(&self.secrets[name]["environment"])]).unwrap();
        let mode = u32::from_str_radix(&text(&used["mode"]), 8).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(mode | 0o200)).unwrap();
        file
    }

    fn arguments(&self, service: &str) -> Vec<String> {
        self.services[service]["command"].as_vec().unwrap().iter().map(text).collect()
    }

    fn node(&self, service: &str, port: u16) -> Running {
        let mut node = Running::start(self.grantor(service, port).args(self.arguments(service)));
        node.until("ready", || {
            agent()
                .get(format!("http://127.0.0.1:{port}/health/ready"))
                .call()
                .is_ok_and(|answer| answer.status() == 200)
        });
        node
    }

    /// nginx with its configuration from `examples/compose/`, on loopback.
    fn nginx(&self, port: u16, nodes: [u16; 2]) -> Running {
        let here = self.folder.path().display();
        let mut configuration = fs::read_to_string(source("examples/compose/nginx.conf")).unwrap();
        let exchanges = [
            ("grantor-1:8080", format!("127.0.0.1:{}", nodes[0])),
            ("grantor-2:8080", format!("127.0.0.1:{}", nodes[1])),
            ("listen 443 ", format!("listen 127.0.0.1:{port} ")),
            ("/etc/nginx/tls/", format!("{here}/examples/compose/tls/")),
        ];
        for (from, to) in exchanges {
            assert!(configuration.contains(from), "{from}");
            configuration = configuration.replace(from, &to);
        }
        nginx::start(&configuration, self.folder.path(), port).expect("nginx")
    }
}

impl Drop for Compose {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("nginx: {}", fs::read_to_string(self.folder.path().join("error.log")).unwrap_or_default());
        }
    }
}

/// Services with their `<<` merged in.
fn merged(services: &Yaml) -> Yaml {
    fn resolve(node: &Yaml) -> Yaml {
        let Some(own) = node.as_hash() else { return node.clone() };
        let mut whole = yaml_rust2::yaml::Hash::new();
        if let Some(inherited) = own.get(&Yaml::String("<<".into())) {
            whole.extend(resolve(inherited).into_hash().unwrap());
        }
        let further = own.iter().filter(|(name, _)| name.as_str() != Some("<<"));
        whole.extend(further.map(|(name, value)| (name.clone(), resolve(value))));
        Yaml::Hash(whole)
    }
    resolve(services)
}

fn text(scalar: &Yaml) -> String {
    match scalar {
        Yaml::String(text) | Yaml::Real(text) => text.clone(),
        Yaml::Integer(number) => number.to_string(),
        other => panic!("not a text: {other:?}"),
    }
}

#[test]
fn two_nodes_behind_nginx_give_tokens_also_when_one_is_killed() {
    let Some(compose) = Compose::read() else { return };
    let (port, nodes) = (free_port(), [free_port(), free_port()]);
    for _ in 0..2 {
        output_of(compose.grantor("init", nodes[0]).args(compose.arguments("init")));
    }
    let create = ["client", "create", "--label", "orders", "--grant-type", "client_credentials", "--json"];
    let made: Value = serde_json::from_str(&output_of(compose.grantor("init", nodes[0]).args(create))).unwrap();
    let client = format!("{}:{}", made["client_id"].as_str().unwrap(), made["client_secret"].as_str().unwrap());

    let mut first = compose.node("grantor-1", nodes[0]);
    let mut second = compose.node("grantor-2", nodes[1]);
    let _nginx = compose.nginx(port, nodes);
    let certificate = compose.folder.path().join("examples/compose/tls/server.crt");
    let curl = |path: &str, arguments: &[&str]| -> Value {
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--fail", "--cacert"]).arg(&certificate).args(arguments);
        let answer = output_of(curl.arg(format!("https://localhost:{port}{path}")));
        serde_json::from_str(&answer).unwrap()
    };
    let token = || curl("/oauth/token", &["--user", &client, "--data", "grant_type=client_credentials"]);

    let metadata = curl("/.well-known/openid-configuration", &[]);
    assert_eq!(metadata["issuer"], "https://localhost");
    assert_eq!(metadata["token_endpoint"], "https://localhost/oauth/token");
    for _ in 0..4 {
        let header = format!("Authorization: Bearer {}", token()["access_token"].as_str().unwrap());
        assert_eq!(curl("/api/v1/me", &["--header", &header])["kind"], "client");
    }

    first.kill();
    for _ in 0..4 {
        assert_eq!(token()["token_type"], "Bearer");
    }
    let mut again = compose.node("grantor-1", nodes[0]);
    // nginx leaves a node alone for two seconds after it failed, counted in whole ones.
    std::thread::sleep(std::time::Duration::from_millis(3_200));
    second.kill();
    for _ in 0..4 {
        assert_eq!(token()["token_type"], "Bearer");
    }
    again.kill();
}

/// What the Dockerfile copies into the stage that builds.
fn copied() -> Vec<String> {
    let dockerfile = fs::read_to_string(source("Dockerfile")).unwrap();
    let lines = dockerfile.lines().filter_map(|line| line.strip_prefix("COPY ")).filter(|line| !line.starts_with("--"));
    lines
        .flat_map(|line| {
            let mut names: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
            let target = names.pop().unwrap();
            assert!(target == "./" || names == [target.as_str()], "{line}: files keep their places");
            names
        })
        .collect()
}

fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            copy(&entry.path(), &to.join(entry.file_name()));
        }
    } else {
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(from, to).unwrap();
    }
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let entries: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    let (folders, files): (Vec<_>, Vec<_>) = entries.into_iter().partition(|path| path.is_dir());
    let mut all: Vec<PathBuf> =
        files.into_iter().filter(|path| path.extension().is_some_and(|end| end == "rs")).collect();
    all.extend(folders.iter().flat_map(|folder| rust_files(folder)));
    all
}

#[test]
fn the_dockerfile_copies_all_that_the_build_reads() {
    let folder = tempfile::tempdir().unwrap();
    let ignored = fs::read_to_string(source(".dockerignore")).unwrap();
    for name in copied() {
        assert!(ignored.lines().any(|line| line == format!("!{name}")), ".dockerignore keeps {name} out");
        copy(&source(&name), &folder.path().join(&name));
    }

    // cargo finds every target that Cargo.toml names, and Cargo.lock needs no change: `fetch` looks as `build` does, `metadata` does not.
    // Of this platform alone: nothing may be downloaded for others.
    let platform = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let fetch = ["fetch", "--offline", "--locked", "--target", &platform];
    output_of(Command::new("cargo").args(fetch).current_dir(folder.path()));

    // What the code takes in at compile time is there too.
    for file in rust_files(&folder.path().join("src")) {
        let code = fs::read_to_string(&file).unwrap();
        for (opening, base) in [
            ("include_str!(\"", file.parent().unwrap()),
            ("include_bytes!(\"", file.parent().unwrap()),
            ("embed_migrations!(\"", folder.path()),
        ] {
            for named in code.split(opening).skip(1).filter_map(|rest| rest.split('"').next()) {
                assert!(base.join(named).exists(), "{}: {named} is not copied", file.display());
            }
        }
    }
}
