//! `grantor doctor`: looks for what would keep the server from working, and says what to do.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use serde::Serialize;

use crate::admin::setup;
use crate::cli::session::{Session, block_on, no_installation};
use crate::cli::{Failure, output};
use crate::config::{Config, DatabaseUrl};
use crate::model::client::{Client, ClientStatus};
use crate::model::signing_key::KeyState;
use crate::store::{Store, clients, instance, migrations, signing_keys, sweeper};

/// How long whoever has a port may take to say that it is a grantor.
const PATIENCE: Duration = Duration::from_secs(2);

#[derive(Serialize)]
struct Finding {
    check: &'static str,
    ok: bool,
    detail: String,
}

/// Every check runs, whatever the others found.
pub(super) fn run(session: &Session) -> Result<(), Failure> {
    let config = session.config()?;
    let mut findings =
        vec![Finding { check: "configuration", ok: true, detail: config.environment.as_str().to_owned() }];
    findings.push(issuer(&config));
    findings.extend(ports(&config));
    findings.extend(database(&config));
    let bad = findings.iter().filter(|finding| !finding.ok).count();
    if session.json {
        output::json(&findings)?;
    } else {
        for finding in &findings {
            output::line(&format!(
                "{}  {}: {}",
                if finding.ok { "ok  " } else { "BAD " },
                finding.check,
                finding.detail
            ));
        }
    }
    match bad {
        0 => Ok(()),
        1 => Err(Failure::Refused("1 check failed".to_owned())),
        many => Err(Failure::Refused(format!("{many} checks failed"))),
    }
}

fn issuer(config: &Config) -> Finding {
    let issuer = config.issuer.with_address(config.server.address);
    let plain = issuer.starts_with("http://");
    let detail = if plain {
        format!("{issuer} (plain HTTP: for this machine alone, or behind a proxy with TLS)")
    } else {
        issuer
    };
    Finding { check: "issuer", ok: true, detail }
}

fn ports(config: &Config) -> Vec<Finding> {
    [("server.address", config.server.address), ("server.private_address", config.server.private_address)]
        .into_iter()
        .map(|(check, address)| match TcpListener::bind(address) {
            Ok(_) => Finding { check, ok: true, detail: format!("{address} is free") },
            // A running server has its own ports: no fault.
            Err(cause) if cause.kind() == std::io::ErrorKind::AddrInUse => {
                let ok = is_grantor(address);
                let by = if ok {
                    "in use by a running grantor"
                } else {
                    "taken by another program: stop it, or set another address"
                };
                Finding { check, ok, detail: format!("{address} is {by}") }
            }
            Err(cause) => Finding { check, ok: false, detail: format!("{address}: {cause}") },
        })
        .collect()
}

/// Whether a grantor answers there, as it does on both of its listeners.
fn is_grantor(mut address: SocketAddr) -> bool {
    if address.ip().is_unspecified() {
        address.set_ip(if address.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() });
    }
    let ask = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        write!(stream, "GET /health/live HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
        let mut answer = Vec::new();
        stream.take(4096).read_to_end(&mut answer)?;
        Ok(String::from_utf8_lossy(&answer).to_lowercase())
    };
    ask().is_ok_and(|answer| {
        answer.starts_with("http/1.1 200")
            && answer.contains("\r\nx-request-id:")
            && answer.ends_with(r#"{"status":"live"}"#)
    })
}

fn database(config: &Config) -> Vec<Finding> {
    let mut findings = Vec::new();
    let tls = match &config.database.url {
        DatabaseUrl::Sqlite(_) => "embedded",
        DatabaseUrl::Postgres(_) if cfg!(feature = "postgres-tls") => "this build speaks TLS to PostgreSQL",
        DatabaseUrl::Postgres(_) => "this build speaks no TLS to PostgreSQL (cargo feature postgres-tls)",
    };
    let found = Store::look(&config.database).and_then(|found| match found {
        Some(_) => Store::connect(&config.database).map(Some),
        None => Ok(None),
    });
    let mut db = match found {
        Ok(Some(db)) => db,
        Ok(None) => return vec![Finding { check: "installation", ok: false, detail: no_installation(config) }],
        Err(error) => return vec![Finding { check: "database", ok: false, detail: error.to_string() }],
    };
    findings.push(Finding {
        check: "database",
        ok: true,
        detail: format!("{} ({tls})", config.database.url.redacted()),
    });
    let schema = migrations::state(&mut db).and_then(|state| state.refuse_newer().map(|()| state));
    match schema {
        Ok(state) if state.pending.is_empty() => {
            findings.push(Finding { check: "schema", ok: true, detail: "current".to_owned() });
        }
        Ok(state) => {
            let detail =
                format!("{} pending: the next start applies them, or 'grantor migrate run'", state.pending.join(", "));
            findings.push(Finding { check: "schema", ok: true, detail });
            return findings;
        }
        Err(error) => {
            findings.push(Finding { check: "schema", ok: false, detail: error.to_string() });
            return findings;
        }
    }
    drop(db);
    findings.extend(installation(config));
    findings
}

fn installation(config: &Config) -> Vec<Finding> {
    let client_id = config.credentials.programmatic_client_id.clone();
    let read = block_on(async {
        let store = Store::open(&config.database)?;
        let found = store.read(instance::find).await?;
        let keys = store.read(signing_keys::list).await?;
        let client = store.read(move |db| clients::by_id(db, &client_id)).await?;
        let swept = store.read(sweeper::last_round).await?;
        Ok((found, keys, client, swept))
    });
    let (found, keys, client, swept) = match read {
        Ok(read) => read,
        Err(error) => return vec![Finding { check: "installation", ok: false, detail: error.to_string() }],
    };
    let Some(found) = found else {
        return vec![Finding { check: "installation", ok: false, detail: no_installation(config) }];
    };
    let matched = setup::match_master_key(&config.security, &found);
    let is_matched = matched.is_ok();
    let (ok, detail) = match matched {
        Ok(fingerprint) => (true, format!("fingerprint {fingerprint}")),
        Err(error) => (false, error.to_string()),
    };
    let mut findings = vec![Finding { check: "master key", ok, detail }];
    // Without the master key nothing signs, whatever the keys' rows say.
    if is_matched {
        let now = crate::clock::Clock::System.now();
        let signing = keys.iter().filter(|key| key.times.state_at(now) == KeyState::Signing).count();
        let detail = format!("{signing} of {} sign now", keys.len());
        findings.push(Finding { check: "signing keys", ok: signing > 0, detail });
    }
    findings.push(programmatic_client(config, client.as_ref()));
    let detail = swept.map_or_else(
        || "no round yet: a running server sweeps every minute".to_owned(),
        |last| format!("last round at {}, {} rows dropped", last.finished_at.rfc3339(), last.dropped),
    );
    // Where none runs, nobody was to sweep.
    let now = crate::clock::Clock::System.now();
    let is_recent = swept.is_none_or(|last| now < last.finished_at.plus_seconds(86_400));
    let ok = is_recent || !is_grantor(config.server.address);
    findings.push(Finding { check: "sweeper", ok, detail });
    findings
}

/// Every set of credentials works through the one client.
fn programmatic_client(config: &Config, found: Option<&Client>) -> Finding {
    let (check, id) = ("credentials.programmatic_client_id", &config.credentials.programmatic_client_id);
    match found.filter(|client| client.client_id == *id) {
        Some(client) if client.status == ClientStatus::Active => Finding { check, ok: true, detail: id.clone() },
        Some(client) => {
            let detail =
                format!("{id} is {}, and no credentials work: 'grantor client enable {id}' ends that", client.status);
            Finding { check, ok: false, detail }
        }
        None => {
            let detail = format!(
                "there is no client {id}, or it was deleted, and no credentials work: make another ('grantor client create \
                 --label NAME --client-id ID --public --grant-type password --grant-type refresh_token --scope openid') \
                 and let {check} name it"
            );
            Finding { check, ok: false, detail }
        }
    }
}
