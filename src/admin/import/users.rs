//! The verb: everything is checked before anything is written; what is there already is left alone.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Serialize;

use crate::admin::import::document::{self, Format};
use crate::admin::import::keycloak;
use crate::admin::import::problem::{Problem, refusal};
use crate::admin::import::record::{self, Record};
use crate::admin::{AdminError, Authority, organizations};
use crate::crypto::identifier::uuid_v7;
use crate::model::audit::AuditEvent;
use crate::model::role::{API_USER, Role, USERS_MANAGE};
use crate::model::time::Timestamp;
use crate::model::user::{Administration, PasswordKind, UserKind, UserStatus};
use crate::oauth::Context;
use crate::store::imported_users::{self, Taken};
use crate::store::users::NewUser;
use crate::store::{audit, roles};

/// Users in one transaction: it must end within the deadline of the database, while others wait for it.
const BATCH: usize = 100;

/// What an import did, or would do.
#[derive(Debug, Serialize)]
pub struct Imported {
    /// `lines`, `array` or `keycloak`.
    pub format: &'static str,
    /// Users that were made.
    pub imported: usize,
    /// Those of them who have no password yet.
    pub without_password: usize,
    /// Records that were left out.
    pub skipped: Vec<Skipped>,
    /// Roles of the other program that are not here; nobody was given them.
    pub roles_left_out: BTreeSet<String>,
}

/// A record that was left out.
#[derive(Debug, Serialize)]
pub struct Skipped {
    /// Its line.
    pub line: usize,
    /// Its username, where it has one.
    pub username: String,
    /// Why.
    pub reason: &'static str,
}

const THERE_ALREADY: &str = "the username is there already";

/// Imports the users of a file, or with `dry_run` only says what it would do.
///
/// # Errors
/// [`AdminError::Refused`] names lines and fields; then nothing was written.
pub async fn import(context: &Context, by: &Authority, file: &[u8], dry_run: bool) -> Result<Imported, AdminError> {
    by.require(USERS_MANAGE)?;
    let (mut done, records) = read(file)?;
    let taken = context.store.read(imported_users::taken).await?;
    let records = unless_taken(records, &taken, &mut done.skipped)?;
    let prepared = prepare(context, by, records, &mut done.roles_left_out).await?;
    done.without_password = prepared.iter().filter(|(_, user)| user.password.is_none()).count();
    if dry_run {
        done.imported = prepared.len();
        return Ok(done);
    }
    for batch in prepared.chunks(BATCH) {
        let written = write(context, by, batch.to_vec()).await.map_err(|error| match error {
            AdminError::Refused(why) | AdminError::Unavailable(why) => AdminError::Unavailable(format!(
                "{} users were imported, then: {why}; the same import again goes on where this one ended",
                done.imported
            )),
            other => other,
        })?;
        done.imported += written;
    }
    Ok(done)
}

fn read(file: &[u8]) -> Result<(Imported, Vec<Record>), AdminError> {
    let text = std::str::from_utf8(file).map_err(|error| {
        let line = file[..error.valid_up_to()].split(|byte| *byte == b'\n').count();
        refusal(vec![Problem::new(line, "file", "is not UTF-8")])
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (format, located) = document::read(text).map_err(|problem| refusal(vec![problem]))?;
    let (mut records, mut skipped, mut problems) = (Vec::new(), Vec::new(), Vec::new());
    for one in located {
        let read = match format {
            Format::Keycloak => keycloak::read(one.line, one.json),
            Format::Lines | Format::Array => record::read(one.line, one.json).map(Some),
        };
        match read {
            Ok(Some(record)) => records.push(record),
            Ok(None) => {
                let reason = "it is the account of a client";
                skipped.push(Skipped { line: one.line, username: String::new(), reason });
            }
            Err(wrong) => problems.extend(wrong),
        }
    }
    let mut lines: HashMap<String, usize> = HashMap::new();
    for record in &records {
        if let Some(first) = lines.insert(record.username.as_str().to_owned(), record.line) {
            problems.push(Problem::new(record.line, "username", format_args!("is that of line {first} already")));
        }
    }
    if !problems.is_empty() {
        return Err(refusal(problems));
    }
    let format = format.as_str();
    Ok((Imported { format, imported: 0, without_password: 0, skipped, roles_left_out: BTreeSet::new() }, records))
}

/// Leaves out whoever is there; an e-mail address belongs to one user alone.
fn unless_taken(records: Vec<Record>, taken: &Taken, skipped: &mut Vec<Skipped>) -> Result<Vec<Record>, AdminError> {
    let (there, new): (Vec<Record>, Vec<Record>) =
        records.into_iter().partition(|record| taken.usernames.contains(record.username.as_str()));
    skipped.extend(there.into_iter().map(|record| Skipped {
        line: record.line,
        username: record.username.as_str().to_owned(),
        reason: THERE_ALREADY,
    }));
    let (mut problems, mut lines) = (Vec::new(), HashMap::new());
    for record in &new {
        let Some(email) = record.email.as_ref().map(|email| email.to_lowercase()) else { continue };
        if taken.emails.contains(&email) {
            problems.push(Problem::new(record.line, "email", "is another user's already"));
        } else if let Some(first) = lines.insert(email, record.line) {
            problems.push(Problem::new(record.line, "email", format_args!("is that of line {first} already")));
        }
    }
    if problems.is_empty() { Ok(new) } else { Err(refusal(problems)) }
}

/// An organization of the file, with the roles that its users may have.
struct Place {
    organization_id: String,
    roles: Vec<Role>,
}

async fn prepare(
    context: &Context,
    by: &Authority,
    records: Vec<Record>,
    left_out: &mut BTreeSet<String>,
) -> Result<Vec<(&'static str, NewUser)>, AdminError> {
    let mut places: BTreeMap<Option<String>, Option<Place>> = BTreeMap::new();
    for key in records.iter().map(|record| &record.organization) {
        if !places.contains_key(key) {
            places.insert(key.clone(), place(context, by, key.as_deref()).await?);
        }
    }
    let now = context.clock.now();
    let (mut prepared, mut problems) = (Vec::with_capacity(records.len()), Vec::new());
    for record in records {
        let Some(Some(place)) = places.get(&record.organization) else {
            problems.push(Problem::new(record.line, "organization", "is not here"));
            continue;
        };
        match role_ids(&record, place, left_out) {
            Ok(roles) => {
                by.may_grant(roles.iter().flat_map(|role| &role.permissions))?;
                let role_ids = roles.into_iter().map(|role| role.id.clone()).collect();
                prepared.push(user(context, record, place, role_ids, now)?);
            }
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() { Ok(prepared) } else { Err(refusal(problems)) }
}

async fn place(context: &Context, by: &Authority, key: Option<&str>) -> Result<Option<Place>, AdminError> {
    let found = match organizations::reached(context, by, key).await {
        Ok(organization) => organization,
        Err(AdminError::NotFound { .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    let id = found.id.clone();
    let roles = context.store.read(move |db| roles::list(db, &id)).await?;
    Ok(Some(Place { organization_id: found.id, roles }))
}

/// A name of another program's must not make anybody an administrator here: it stands for the organization's own
/// roles alone.
fn role_ids<'a>(record: &Record, place: &'a Place, left_out: &mut BTreeSet<String>) -> Result<Vec<&'a Role>, Problem> {
    let own = |name: &str| place.roles.iter().find(|role| role.organization_id.is_some() && role.name == name);
    let built_in = |name: &str| place.roles.iter().find(|role| role.organization_id.is_none() && role.name == name);
    let mut found = Vec::new();
    for name in &record.roles {
        match own(name).or_else(|| built_in(name).filter(|_| !record.foreign_roles)) {
            Some(role) => found.push(role),
            None if record.foreign_roles => {
                left_out.insert(name.clone());
            }
            None => {
                let shown: String = name.chars().take(60).collect();
                return Err(Problem::new(record.line, "roles", format_args!("there is no role `{shown}`")));
            }
        }
    }
    if found.is_empty() {
        found.extend(built_in(API_USER));
    }
    Ok(found)
}

fn user(
    context: &Context,
    record: Record,
    place: &Place,
    role_ids: Vec<String>,
    now: Timestamp,
) -> Result<(&'static str, NewUser), AdminError> {
    let algorithm = record.hash.as_ref().map_or("none", crate::crypto::imported_hash::ImportedHash::algorithm);
    let hash = record.hash.as_ref().map(|hash| context.login.hasher().import(hash, &context.random)).transpose()?;
    let status = match (record.disabled, &hash) {
        (true, _) => UserStatus::Disabled,
        (false, Some(_)) => UserStatus::Active,
        (false, None) => UserStatus::Invited,
    };
    let new = NewUser {
        id: uuid_v7(now, &context.random),
        organization_id: place.organization_id.clone(),
        kind: record.kind,
        programmatic: false,
        username: record.username,
        name: format!("{} {}", record.first_name, record.last_name).trim().to_owned(),
        description: String::new(),
        first_name: record.first_name,
        last_name: record.last_name,
        email: record.email,
        phone: None,
        administration: Administration::Basic,
        access_console: record.kind == UserKind::Person,
        access_api: true,
        status,
        password: hash.map(|hash| (PasswordKind::Human, hash)),
        role_ids,
    };
    Ok((algorithm, new))
}

async fn write(context: &Context, by: &Authority, batch: Vec<(&'static str, NewUser)>) -> Result<usize, AdminError> {
    let (actor, now) = (by.actor.clone(), context.clock.now());
    let write = move |db: &mut crate::store::Db| {
        let mut written = 0;
        for (algorithm, user) in &batch {
            if imported_users::create_unless_there(db, user, now)? {
                let event = AuditEvent {
                    action: "user.imported",
                    target_kind: "user",
                    target_id: user.id.clone(),
                    organization_id: Some(user.organization_id.clone()),
                    details: format!("kind={} password_hash={algorithm}", user.kind),
                };
                audit::record(db, &actor, &event, now)?;
                written += 1;
            }
        }
        Ok(written)
    };
    Ok(context.change(write).await?)
}
