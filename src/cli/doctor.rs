//! `grantor doctor`: looks for what would keep the server from working, and says what to do.

use std::net::TcpListener;

use serde::Serialize;

use crate::cli::session::{Session, block_on};
use crate::cli::{Failure, output};
use crate::config::{Config, DatabaseUrl};
use crate::crypto::master_key::MasterKey;
use crate::model::signing_key::KeyState;
use crate::store::{Store, instance, migrations, signing_keys};

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
            Err(cause) if cause.kind() == std::io::ErrorKind::AddrInUse => Finding {
                check,
                ok: true,
                detail: format!("{address} is in use (by a running grantor, or by another program)"),
            },
            Err(cause) => Finding { check, ok: false, detail: format!("{address}: {cause}") },
        })
        .collect()
}

fn database(config: &Config) -> Vec<Finding> {
    let mut findings = Vec::new();
    let tls = match &config.database.url {
        DatabaseUrl::Sqlite(_) => "embedded",
        DatabaseUrl::Postgres(_) if cfg!(feature = "postgres-tls") => "this build speaks TLS to PostgreSQL",
        DatabaseUrl::Postgres(_) => "this build speaks no TLS to PostgreSQL (cargo feature postgres-tls)",
    };
    let mut db = match Store::connect(&config.database) {
        Ok(db) => db,
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
    let read = block_on(async {
        let store = Store::open(&config.database)?;
        let found = store.read(instance::find).await?;
        let keys = store.read(signing_keys::list).await?;
        Ok((found, keys))
    });
    let (found, keys) = match read {
        Ok(read) => read,
        Err(error) => return vec![Finding { check: "installation", ok: false, detail: error.to_string() }],
    };
    let Some(found) = found else {
        let detail = "none yet: the first 'grantor serve' or 'grantor init' makes it".to_owned();
        return vec![Finding { check: "installation", ok: true, detail }];
    };
    let now = crate::clock::Clock::System.now();
    let signing = keys.iter().filter(|key| key.times.state_at(now) == KeyState::Signing).count();
    vec![
        master_key(config, &found.master_key_fingerprint),
        Finding { check: "signing keys", ok: signing > 0, detail: format!("{signing} of {} sign now", keys.len()) },
    ]
}

fn master_key(config: &Config, expected: &str) -> Finding {
    let key = match &config.security.master_key {
        Some(text) => MasterKey::from_text(text).map(Some),
        None => MasterKey::read_file(&config.security.master_key_file),
    };
    let (ok, detail) = match key {
        Ok(Some(key)) if key.fingerprint() == expected => (true, format!("fingerprint {expected}")),
        Ok(Some(key)) => {
            (false, format!("fingerprint {}, but the database was made with {expected}", key.fingerprint()))
        }
        Ok(None) => (false, format!("{} is missing", config.security.master_key_file.display())),
        Err(error) => (false, error.to_string()),
    };
    Finding { check: "master key", ok, detail }
}
