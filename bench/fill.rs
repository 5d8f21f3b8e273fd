//! Fills a database with as many users, API keys, token families, clients and audit events as are asked for, and prints
//! a few of the credentials as JSON.
//!
//! Every row is one that the server could have made: digests under the installation's own keys, identifiers in the order
//! of time, audit events in the sealed chain. So what is printed really authenticates, and `grantor audit verify` holds.
//! The rows are written past the store, in statements of many rows, since a million verbs would take an hour. One file of
//! more than 250 lines: a function for each table, and nothing between them that another program could share.

// A program for the terminal, that ends where it cannot go on.
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::expect_used)]

use std::collections::BTreeMap;
use std::fmt::Write;
use std::process::ExitCode;
use std::time::Instant;

use diesel::connection::SimpleConnection;
use diesel::sql_types::{BigInt, Text};
use diesel::{Connection, QueryableByName, RunQueryDsl, sql_query};
use grantor::app::{self, Surroundings};
use grantor::config::{self, LoadOptions};
use grantor::credentials::API_KEY_DIGEST_PURPOSE;
use grantor::crypto::digest::DigestKey;
use grantor::crypto::password::PasswordInput;
use grantor::crypto::token_format::{API_KEY_PREFIX, CLIENT_SECRET_PREFIX, GENERATED_PASSWORD_PREFIX, derive};
use grantor::login::GENERATED_DIGEST_PURPOSE;
use grantor::model::family::Family;
use grantor::model::scope::ScopeSet;
use grantor::model::time::Timestamp;
use grantor::oauth::Context;
use grantor::oauth::client_authentication::SECRET_DIGEST_PURPOSE;
use grantor::oauth::tokens::refresh_token::RefreshToken;
use grantor::store::{Db, Store, StoreError};

const USAGE: &str = "\
fill [--users N] [--keys N] [--families N] [--clients N] [--events N] [--samples 1000]

  Fills the database that GRANTOR__DATABASE__URL names, once, after 'grantor init'; no server may run on it meanwhile.
  Every tenth user is a person with the password in the answer, the others are API users. Keys and families belong to
  the users in turn. Every tenth client waits for a scope. One row in ten thousand lies in a second organization, of which
  'root' is an administrator, where there is such a user. On PostgreSQL the URL's user must be one who may CHECKPOINT.";

/// The password of every person that is made.
const PASSWORD: &str = "a long passphrase of the benchmark 7421";

/// Rows of one statement, and statements of one transaction: the more, the less often a page of a random index is written.
const ROWS: usize = 500;
const STATEMENTS: usize = 2000;

/// A year in microseconds: what is made lives that long.
const YEAR: i64 = 365 * 86_400 * 1_000_000;

#[derive(Clone, Copy)]
enum Kind {
    User = 1,
    Key,
    Family,
    Secret,
    Request,
}

/// What a row needs to know of the installation.
struct Installation {
    digest: DigestKey,
    refresh: DigestKey,
    now: i64,
    change: i64,
    organizations: [String; 2],
    api_user: String,
    password_hash: String,
}

#[derive(QueryableByName)]
struct Word {
    #[diesel(sql_type = Text)]
    word: String,
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

impl Installation {
    fn read(context: &Context, db: &mut Db) -> Result<Self, StoreError> {
        let now = context.clock.now().micros();
        let word = |db: &mut Db, text: &str| Ok::<_, StoreError>(sql_query(text).get_result::<Word>(db)?.word);
        let default = word(db, "SELECT id AS word FROM organizations ORDER BY number LIMIT 1")?;
        let api_user = word(db, "SELECT id AS word FROM roles WHERE name = 'api user' AND organization_id IS NULL")?;
        sql_query("UPDATE instance SET changes = changes + 1").execute(db)?;
        let change = sql_query("SELECT changes AS number FROM instance").get_result::<Number>(db)?.number;
        let second = uuid(now, Kind::User, usize::MAX >> 32);
        db.batch_execute(&format!(
            "INSERT INTO organizations (id, number, slug, name, status, epoch, change, created_at) \
             SELECT '{second}', MAX(number) + 1, 'filled', 'Filled', 'active', 0, {change}, {now} FROM organizations; \
             INSERT INTO scopes (name, description, requires_approval, audience, built_in, change, created_at) \
             VALUES ('filled:read', 'reads', 0, NULL, 0, {change}, {now}), \
                    ('filled:write', 'writes', 1, NULL, 0, {change}, {now}); \
             INSERT INTO memberships (user_id, organization_id, created_at, kind, programmatic) \
             SELECT id, '{second}', {now}, kind, programmatic FROM users WHERE username = 'root'; \
             INSERT INTO user_roles (user_id, organization_id, role_id) SELECT u.id, '{second}', r.id FROM users u, roles r \
             WHERE u.username = 'root' AND r.name = 'administrator' AND r.organization_id IS NULL;"
        ))?;
        let input = PasswordInput::parse(PASSWORD).expect("a password");
        Ok(Self {
            digest: context.data_keys.digest.clone(),
            refresh: context.data_keys.refresh.clone(),
            now,
            change,
            organizations: [default, second],
            api_user,
            password_hash: context.login.hasher().hash(&input).expect("a hash"),
        })
    }

    /// One in ten thousand lies in the second organization, so that a list of it must find few among many.
    fn organization(&self, index: usize) -> &str {
        &self.organizations[usize::from(index % 10_000 == 9_999)]
    }

    fn user_id(&self, index: usize) -> String {
        uuid(self.now, Kind::User, index)
    }

    /// The secret of a kind and number: the same one each time, so that none has to be kept.
    fn secret(&self, prefix: &str, index: usize) -> String {
        let bits = self.digest.mac(&[b"bench/fill", prefix.as_bytes(), &index.to_be_bytes()]);
        derive(prefix, &bits).into_exposed()
    }

    fn digest_of(&self, purpose: &str, prefix: &str, index: usize) -> String {
        self.digest.digest(purpose, self.secret(prefix, index).as_bytes()).to_text()
    }

    fn family(&self, index: usize, users: usize) -> Family {
        let at = Timestamp::from_micros(self.now);
        let end = Timestamp::from_micros(self.now + YEAR);
        Family {
            id: uuid(self.now, Kind::Family, index),
            client_id: client_id(0),
            user_id: self.user_id(index % users),
            scope: ScopeSet::default(),
            audience: Vec::new(),
            salt: format!("salt-{index}"),
            generation: 1,
            auth_time: at,
            rotated_at: at,
            idle_expires_at: end,
            absolute_expires_at: end,
            revoked_at: None,
        }
    }
}

/// A `UUIDv7`, one of each kind a millisecond, a while ago.
fn uuid(now: i64, kind: Kind, index: usize) -> String {
    let index = index as u64;
    let millis = u64::try_from(now / 1000).unwrap_or_default().saturating_sub(10_000_000) + index % (1 << 40);
    let mut rest = [0; 10];
    rest[1] = kind as u8;
    rest[2..].copy_from_slice(&index.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes());
    uuid::Builder::from_unix_timestamp_millis(millis, &rest).into_uuid().to_string()
}

fn client_id(index: usize) -> String {
    format!("cl_9{index:011}")
}

/// Writes `count` rows of a table. `row` appends the values of one, in parentheses.
fn rows(db: &mut Db, into: &str, count: usize, row: impl Fn(&mut String, usize)) -> Result<(), StoreError> {
    let started = Instant::now();
    let mut next = 0;
    while next < count {
        db.transaction(|db| -> Result<(), StoreError> {
            for _ in 0..STATEMENTS {
                let end = count.min(next + ROWS);
                if next == end {
                    break;
                }
                let mut statement = format!("INSERT INTO {into} VALUES ");
                for index in next..end {
                    row(&mut statement, index);
                    statement.push(if index + 1 == end { ';' } else { ',' });
                }
                db.batch_execute(&statement)?;
                next = end;
            }
            Ok(())
        })?;
    }
    let table = into.split(' ').next().unwrap_or_default();
    eprintln!("{count:>9} {table:20} {:6.1} s", started.elapsed().as_secs_f64());
    Ok(())
}

/// Texts hold nothing that would have to be escaped, and writing to a string does not fail.
macro_rules! put {
    ($into:expr, $($values:tt)*) => {{ let _ = write!($into, $($values)*); }};
}

fn users(db: &mut Db, all: &Installation, count: usize) -> Result<(), StoreError> {
    let Installation { now, change, api_user, password_hash, .. } = all;
    rows(
        db,
        "users (id, organization_id, kind, programmatic, username, name, description, first_name, last_name, email, \
         email_key, administration, access_console, access_api, status, password_kind, password_hash, \
         password_changed_at, epoch, epoch_raised_at, change, created_at)",
        count,
        |out, index| {
            let (id, organization) = (all.user_id(index), all.organization(index));
            let programmatic = u8::from(index % 1000 == 5);
            if index % 10 == 0 {
                put!(out, "('{id}','{organization}','person',0,'person-{index}','Person {index}','','First','Last',");
                put!(
                    out,
                    "'p{index}@filled.example','p{index}@filled.example','basic',1,1,'active','human','{password_hash}',"
                );
            } else {
                let digest = all.digest_of(GENERATED_DIGEST_PURPOSE, GENERATED_PASSWORD_PREFIX, index);
                put!(
                    out,
                    "('{id}','{organization}','api_user',{programmatic},'program-{index}','Program {index}','','','',"
                );
                put!(out, "NULL,NULL,'basic',0,1,'active','generated','{digest}',");
            }
            put!(out, "{now},0,0,{change},{now})");
        },
    )?;
    rows(db, "memberships (user_id, organization_id, created_at, kind, programmatic)", count, |out, index| {
        let (kind, programmatic) = (if index % 10 == 0 { "person" } else { "api_user" }, u8::from(index % 1000 == 5));
        put!(out, "('{}','{}',{now},'{kind}',{programmatic})", all.user_id(index), all.organization(index));
    })?;
    rows(db, "user_roles (user_id, organization_id, role_id)", count, |out, index| {
        put!(out, "('{}','{}','{api_user}')", all.user_id(index), all.organization(index));
    })
}

fn keys(db: &mut Db, all: &Installation, count: usize, users: usize) -> Result<(), StoreError> {
    let Installation { now, change, .. } = all;
    rows(
        db,
        "api_keys (id, prefix, digest, name, user_id, organization_id, networks, reveal, status, change, created_at)",
        count,
        |out, index| {
            let (id, user) = (uuid(*now, Kind::Key, index), index % users);
            let digest = all.digest_of(API_KEY_DIGEST_PURPOSE, API_KEY_PREFIX, index);
            put!(out, "('{id}','gr_ak_filled','{digest}','key {index}','{}',", all.user_id(user));
            put!(out, "'{}','','once','active',{change},{now})", all.organization(user));
        },
    )
}

fn families(db: &mut Db, all: &Installation, count: usize, users: usize) -> Result<(), StoreError> {
    rows(
        db,
        "families (id, client_id, user_id, scope, audience, salt, generation, auth_time, rotated_at, idle_expires_at, \
         absolute_expires_at, lives_until)",
        count,
        |out, index| {
            let family = all.family(index, users);
            let (now, end) = (family.rotated_at.micros(), family.absolute_expires_at.micros());
            put!(out, "('{}','{}','{}','','',", family.id, family.client_id, family.user_id);
            put!(out, "'{}',{},{now},{now},{end},{end},{end})", family.salt, family.generation);
        },
    )
}

fn clients(db: &mut Db, all: &Installation, count: usize) -> Result<(), StoreError> {
    let Installation { now, change, .. } = all;
    rows(
        db,
        "clients (client_id, organization_id, label, description, kind, mode, may_introspect, status, epoch, change, \
         created_at)",
        count,
        |out, index| {
            put!(out, "('{}','{}','filled {index}','',", client_id(index), all.organization(index));
            put!(out, "'confidential','live',{},'active',0,{change},{now})", u8::from(index == 0));
        },
    )?;
    rows(db, "client_grant_types (client_id, grant_type)", count, |out, index| {
        put!(out, "('{}','client_credentials')", client_id(index));
        if index == 0 {
            put!(out, ",('{0}','password'),('{0}','refresh_token')", client_id(index));
        }
    })?;
    rows(db, "client_scopes (client_id, scope, status)", count, |out, index| {
        put!(out, "('{}','filled:read','approved')", client_id(index));
    })?;
    rows(db, "client_secrets (id, client_id, digest, label, created_at)", count, |out, index| {
        let digest = all.digest_of(SECRET_DIGEST_PURPOSE, CLIENT_SECRET_PREFIX, index);
        put!(out, "('{}','{}','{digest}','',{now})", uuid(*now, Kind::Secret, index), client_id(index));
    })?;
    rows(
        db,
        "scope_requests (id, client_id, organization_id, scope, justification, status, requested_by, requested_at)",
        count / 10,
        |out, index| {
            let client = index * 10;
            put!(
                out,
                "('{}','{}','{}',",
                uuid(*now, Kind::Request, index),
                client_id(client),
                all.organization(client)
            );
            put!(out, "'filled:write','because','pending','filled',{now})");
        },
    )
}

fn events(db: &mut Db, all: &Installation, count: usize) -> Result<(), StoreError> {
    let actions = ["user.created", "client.created", "api_key.created", "client.updated", "user.disabled"];
    rows(
        db,
        "audit_events (occurred_at, actor_kind, actor_id, action, target_kind, target_id, organization_id, ip, \
         request_id, result, details)",
        count,
        |out, index| {
            let at = all.now - i64::try_from(count - index).unwrap_or_default() * 1000;
            let action = actions[index % actions.len()];
            let target = action.split('.').next().unwrap_or_default();
            put!(out, "({at},'user','{}','{action}','{target}',", all.user_id(index % 1000));
            put!(out, "'{}','{}','127.0.0.1',", all.user_id(index), all.organization(index));
            put!(out, "'filled-{index}','ok','filled')");
        },
    )
}

/// Members spread over all that were made.
fn spread(samples: usize, count: usize) -> impl Iterator<Item = usize> {
    let samples = samples.min(count);
    (0..samples).map(move |sample| sample * (count / samples))
}

fn sample(all: &Installation, wanted: &Wanted) -> serde_json::Value {
    let Wanted { samples, .. } = *wanted;
    let secret = |prefix, index| all.secret(prefix, index);
    let api_users: Vec<usize> =
        spread(samples, wanted.users).map(|user| user + 1).filter(|user| user % 10 != 0).collect();
    let refresh = |index| {
        RefreshToken::derive(&all.family(index, wanted.users), 1, &all.refresh).expect("a token").into_exposed()
    };
    serde_json::json!({
        "api_keys": spread(samples, wanted.keys).map(|key| secret(API_KEY_PREFIX, key)).collect::<Vec<_>>(),
        "clients": spread(samples, wanted.clients)
            .map(|client| format!("{}:{}", client_id(client), secret(CLIENT_SECRET_PREFIX, client))).collect::<Vec<_>>(),
        "api_users": api_users.into_iter().filter(|user| *user < wanted.users)
            .map(|user| [format!("program-{user}"), secret(GENERATED_PASSWORD_PREFIX, user)]).collect::<Vec<_>>(),
        "people": spread(samples, wanted.users / 10).map(|person| format!("person-{}", person * 10)).collect::<Vec<_>>(),
        "password": PASSWORD,
        // Client 0 is theirs.
        "refresh_tokens": spread(samples, wanted.families).map(refresh).collect::<Vec<_>>(),
        "organizations": all.organizations,
    })
}

struct Wanted {
    users: usize,
    keys: usize,
    families: usize,
    clients: usize,
    events: usize,
    samples: usize,
}

impl Wanted {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut given: BTreeMap<String, usize> = BTreeMap::new();
        while let Some(name) = arguments.next() {
            let value = arguments.next().and_then(|value| value.parse().ok());
            given.insert(name.clone(), value.ok_or_else(|| format!("{name} wants a number"))?);
        }
        let mut one = |name: &str, default: usize| given.remove(name).unwrap_or(default);
        let wanted = Self {
            users: one("--users", 0),
            keys: one("--keys", 0),
            families: one("--families", 0),
            clients: one("--clients", 0),
            events: one("--events", 0),
            samples: one("--samples", 1000).max(1),
        };
        match given.keys().next() {
            Some(unknown) => Err(format!("unknown option {unknown}")),
            None if wanted.users == 0 && wanted.keys + wanted.families > 0 => {
                Err("keys and families are of users: --users".to_owned())
            }
            None => Ok(wanted),
        }
    }
}

/// Whoever fills an empty database may lose it with the power; the settings are this connection's alone.
fn hurry(db: &mut Db) -> Result<(), StoreError> {
    let settings = match db {
        Db::Sqlite(_) => "PRAGMA synchronous = OFF; PRAGMA cache_size = -500000;",
        Db::Postgres(_) => "SET synchronous_commit = off;",
    };
    Ok(db.batch_execute(settings)?)
}

/// What PostgreSQL does by itself within minutes; SQLite gets nothing that the server does not give it.
fn settle(db: &mut Db) -> Result<(), StoreError> {
    // One by one: PostgreSQL takes several as one transaction, in which VACUUM refuses.
    let statements: &[&str] = match db {
        Db::Sqlite(_) => &["PRAGMA wal_checkpoint(TRUNCATE);"],
        Db::Postgres(_) => &["VACUUM ANALYZE;", "CHECKPOINT;"],
    };
    for statement in statements {
        db.batch_execute(statement)?;
    }
    Ok(())
}

async fn fill(wanted: &Wanted) -> Result<serde_json::Value, Box<dyn std::error::Error>> {
    let options = LoadOptions { environment: config::process_environment(), ..LoadOptions::default() };
    let config = config::load(&options)?;
    let surroundings = Surroundings::system();
    let opened = Box::pin(app::open(&config, "http://127.0.0.1:8080", "root", &surroundings)).await?;
    let context = opened.context;
    let mut db = Store::connect(&config.database)?;
    hurry(&mut db)?;
    let all = Installation::read(&context, &mut db)?;
    users(&mut db, &all, wanted.users)?;
    keys(&mut db, &all, wanted.keys, wanted.users)?;
    clients(&mut db, &all, wanted.clients)?;
    families(&mut db, &all, wanted.families, wanted.users)?;
    events(&mut db, &all, wanted.events)?;
    let started = Instant::now();
    let sealed = grantor::audit::seal(&context.store, &context.data_keys.audit).await?;
    eprintln!("{sealed:>9} {:20} {:6.1} s", "events sealed", started.elapsed().as_secs_f64());
    settle(&mut db)?;
    Ok(sample(&all, wanted))
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench").peekable();
    if arguments.peek().is_none_or(|first| first == "--help") {
        // Also what a plain `cargo bench` comes to.
        println!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    let wanted = match Wanted::parse(arguments) {
        Ok(wanted) => wanted,
        Err(failure) => {
            eprintln!("{failure}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    match runtime.block_on(fill(&wanted)) {
        Ok(answer) => {
            println!("{answer}");
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}
