//! Reports: what nobody uses, and who still uses what should come to an end.

use std::fmt::Write;

use serde::Serialize;

use crate::admin::{AdminError, Authority};
use crate::model::grant_type::GrantType;
use crate::model::role::AUDIT_READ;
use crate::model::scope::BUILT_IN;
use crate::model::time::Timestamp;
use crate::model::usage::{BASIC, CredentialKind, UsageDetail};
use crate::oauth::Context;
use crate::store::idle::{self, Unused};
use crate::store::{Db, StoreError, clients, usage, users};

/// Days without use that make something idle, unless others are asked for.
pub const IDLE_DAYS: i64 = 90;

/// Something that was not used.
#[derive(Debug, Clone, Serialize)]
pub struct IdleRow {
    /// `client`, `client_secret`, `user` or `scope`.
    pub kind: &'static str,
    /// The id; a secret's and a scope's is that of their client.
    pub id: String,
    /// The client's label, or the username.
    pub name: String,
    /// The secret's id, or the scope.
    pub part: Option<String>,
    /// When it was made; for a scope its client.
    pub created_at: Timestamp,
    /// The last use that is known.
    pub last_used_at: Option<Timestamp>,
    /// What ends it, where a command does.
    pub command: Option<String>,
}

/// Somebody who uses what should come to an end.
#[derive(Debug, Clone, Serialize)]
pub struct UserRow {
    /// `client` or `user`.
    pub kind: CredentialKind,
    /// The id.
    pub id: String,
    /// The label, or the username.
    pub name: String,
    /// How often in the time that was asked for.
    pub count: i64,
    /// The beginning of the hour of the last time.
    pub last_hour: Timestamp,
    /// What makes a client with the same reach, for client credentials.
    pub command: String,
}

/// Active clients, API users and secrets that were made and last used before that many days.
///
/// # Errors
/// [`AdminError::Forbidden`] without the permission to see usage.
pub async fn idle(context: &Context, by: &Authority, days: i64) -> Result<Vec<IdleRow>, AdminError> {
    by.require(AUDIT_READ)?;
    let now = context.clock.now();
    let before = since(context, days);
    let read = move |db: &mut Db| {
        Ok((idle::clients(db, before)?, idle::secrets(db, before, now)?, idle::api_users(db, before)?))
    };
    let (clients, secrets, users) = context.store.read(read).await?;
    let mut rows = rows("client", clients, by, |one| Some(format!("grantor client disable {}", quoted(&one.id))));
    rows.extend(self::rows("client_secret", secrets, by, |_| None));
    rows.extend(self::rows("user", users, by, |one| Some(format!("grantor user disable {}", quoted(&one.name)))));
    Ok(rows)
}

/// Scopes that clients are approved for and were not given within that many days.
///
/// # Errors
/// [`AdminError::Forbidden`] without the permission to see usage.
pub async fn unused_scopes(context: &Context, by: &Authority, days: i64) -> Result<Vec<IdleRow>, AdminError> {
    by.require(AUDIT_READ)?;
    let before = since(context, days);
    let found = context.store.read(move |db| idle::scopes(db, before)).await?;
    Ok(rows("scope", found, by, |_| None))
}

/// Clients and users with whom the password grant was used within that many days.
///
/// # Errors
/// [`AdminError::Forbidden`] without the permission to see usage.
pub async fn password_grant(context: &Context, by: &Authority, days: i64) -> Result<Vec<UserRow>, AdminError> {
    still_used(context, by, UsageDetail::Grant, GrantType::Password.as_str(), days).await
}

/// Users who sent their username and password in HTTP Basic within that many days.
///
/// # Errors
/// [`AdminError::Forbidden`] without the permission to see usage.
pub async fn basic(context: &Context, by: &Authority, days: i64) -> Result<Vec<UserRow>, AdminError> {
    still_used(context, by, UsageDetail::Method, BASIC, days).await
}

fn since(context: &Context, days: i64) -> Timestamp {
    context.clock.now().plus_seconds(days.saturating_mul(-86_400))
}

fn rows(
    kind: &'static str,
    found: Vec<Unused>,
    by: &Authority,
    command: impl Fn(&Unused) -> Option<String>,
) -> Vec<IdleRow> {
    let own = found.into_iter().filter(|one| by.sees(&one.organization_id));
    own.map(|one| IdleRow {
        kind,
        command: command(&one),
        id: one.id,
        name: one.name,
        part: one.part,
        created_at: one.created_at,
        last_used_at: one.last_used_at,
    })
    .collect()
}

async fn still_used(
    context: &Context,
    by: &Authority,
    detail: UsageDetail,
    name: &'static str,
    days: i64,
) -> Result<Vec<UserRow>, AdminError> {
    by.require(AUDIT_READ)?;
    let since = since(context, days);
    let snapshot = context.registry.snapshot().as_ref().clone();
    let scopes_of_roles = move |role_ids: &[String]| {
        let mut scopes: Vec<String> = role_ids
            .iter()
            .filter_map(|id| snapshot.role(id))
            .flat_map(|role| role.permissions.iter())
            .filter(|permission| snapshot.scope(permission).is_some() && !BUILT_IN.contains(&permission.as_str()))
            .cloned()
            .collect();
        scopes.sort_unstable();
        scopes.dedup();
        scopes
    };
    let read = move |db: &mut Db| -> Result<Vec<(String, UserRow)>, StoreError> {
        let mut found = Vec::new();
        for (id, count, last_hour) in usage::who(db, CredentialKind::Client, detail, name, since)? {
            let Some(client) = clients::find(db, &id)?.filter(|client| client.client_id == id) else { continue };
            let scopes: Vec<String> =
                client.scopes.iter().filter(|scope| !BUILT_IN.contains(scope)).map(str::to_owned).collect();
            let command = successor(&client.label, &client.organization_id, &scopes, &client.audiences);
            let kind = CredentialKind::Client;
            found.push((client.organization_id, UserRow { kind, id, name: client.label, count, last_hour, command }));
        }
        for (id, count, last_hour) in usage::who(db, CredentialKind::User, detail, name, since)? {
            let Some(user) = users::by_id(db, &id)? else { continue };
            let name = user.username.as_str().to_owned();
            let command = successor(&name, &user.organization_id, &scopes_of_roles(&user.role_ids), &[]);
            let kind = CredentialKind::User;
            found.push((user.organization_id, UserRow { kind, id, name, count, last_hour, command }));
        }
        Ok(found)
    };
    let found = context.store.read(read).await?;
    Ok(found.into_iter().filter(|(organization, _)| by.sees(organization)).map(|(_, row)| row).collect())
}

/// The command that makes a client for client credentials with the same reach.
fn successor(name: &str, organization_id: &str, scopes: &[String], audiences: &[String]) -> String {
    let mut command = format!(
        "grantor client create --label {} --grant-type client_credentials --organization {organization_id}",
        quoted(&format!("{name} (client credentials)"))
    );
    for (option, values) in [("--scope", scopes), ("--audience", audiences)] {
        for value in values {
            // To write to a string cannot fail.
            let _ = write!(command, " {option} {}", quoted(value));
        }
    }
    command
}

/// A word for a POSIX shell.
fn quoted(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b':' | b'/' | b'@');
    if !text.is_empty() && text.bytes().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_end_its_word_in_the_command() {
        assert_eq!(quoted("plain-1.x"), "plain-1.x");
        assert_eq!(quoted("it's; rm -rf"), r"'it'\''s; rm -rf'");
        assert_eq!(quoted(""), "''");
    }
}
