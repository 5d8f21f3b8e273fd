//! Reports: what nobody uses, and who still uses what should come to an end.

use std::fmt::Write;

use serde::Serialize;

use crate::admin::clients::{self, MadeClient, NewClient};
use crate::admin::{AdminError, Authority, roles};
use crate::model::client::Client;
use crate::model::grant_type::GrantType;
use crate::model::role::AUDIT_READ;
use crate::model::scope::BUILT_IN;
use crate::model::time::Timestamp;
use crate::model::usage::{BASIC, CredentialKind, UsageDetail};
use crate::model::user::{User, UserStatus};
use crate::oauth::Context;
use crate::registry::Snapshot;
use crate::store::idle::{self, Unused};
use crate::store::{Db, StoreError, clients as stored_clients, memberships, organizations, usage, users};

/// Days without use that make something idle, unless others are asked for.
pub const IDLE_DAYS: i64 = 90;

/// Something that was not used.
#[derive(Debug, Clone, Serialize)]
pub struct IdleRow {
    /// `client`, `client_secret`, `user`, `api_key` or `scope`.
    pub kind: &'static str,
    /// The id; a secret's and a scope's is that of their client.
    pub id: String,
    /// The client's label, the username, or the key's name.
    pub name: String,
    /// The secret's id, the scope, or the beginning of the key.
    pub part: Option<String>,
    /// The user that a key is of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
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
    /// The further organizations that a user is in: a client acts in one, and has the roles of none of these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
}

/// Active clients, API users, secrets and API keys that were made and last used before that many days.
///
/// # Errors
/// [`AdminError::Forbidden`] without the permission to see usage.
pub async fn idle(context: &Context, by: &Authority, days: i64) -> Result<Vec<IdleRow>, AdminError> {
    by.require(AUDIT_READ)?;
    let now = context.clock.now();
    let before = since(context, days);
    let read = move |db: &mut Db| {
        let keys = idle::api_keys(db, before, now)?;
        Ok((idle::clients(db, before)?, idle::secrets(db, before, now)?, idle::api_users(db, before)?, keys))
    };
    let (clients, secrets, users, keys) = context.store.read(read).await?;
    let mut rows = rows("client", clients, by, |one| Some(format!("grantor client disable {}", quoted(&one.id))));
    rows.extend(self::rows("client_secret", secrets, by, |_| None));
    rows.extend(self::rows("user", users, by, |one| Some(format!("grantor user disable {}", quoted(&one.name)))));
    rows.extend(self::rows("api_key", keys, by, |one| Some(format!("grantor api-key delete {}", quoted(&one.id)))));
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
        user_id: one.user_id,
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
    let read = move |db: &mut Db| -> Result<Vec<(String, UserRow)>, StoreError> {
        let mut found = Vec::new();
        for (id, count, last_hour) in usage::who(db, CredentialKind::Client, detail, name, since)? {
            let Some(client) = stored_clients::by_id(db, &id)? else { continue };
            let command = Successor::of_client(&snapshot, &client).command();
            let kind = CredentialKind::Client;
            let (name, left_out) = (client.label, Vec::new());
            found.push((client.organization_id, UserRow { kind, id, name, count, last_hour, command, left_out }));
        }
        for (id, count, last_hour) in usage::who(db, CredentialKind::User, detail, name, since)? {
            let Some(user) = users::by_id(db, &id)? else { continue };
            let command = Successor::of_user(&snapshot, &user).command();
            let left_out = elsewhere(db, &user)?;
            let (kind, name) = (CredentialKind::User, user.username);
            found.push((user.organization_id, UserRow { kind, id, name, count, last_hour, command, left_out }));
        }
        Ok(found)
    };
    let found = context.store.read(read).await?;
    Ok(found.into_iter().filter(|(organization, _)| by.sees(organization)).map(|(_, row)| row).collect())
}

/// The names of the organizations that a user is in beside their own.
fn elsewhere(db: &mut Db, user: &User) -> Result<Vec<String>, StoreError> {
    let mut names = Vec::new();
    for place in memberships::of_user(db, &user.id)? {
        if place.organization_id != user.organization_id {
            names.extend(organizations::find(db, &place.organization_id)?.map(|one| one.name));
        }
    }
    Ok(names)
}

/// A client for client credentials that reaches what a client or a user reaches now.
struct Successor {
    label: String,
    organization_id: String,
    scopes: Vec<String>,
    audiences: Vec<String>,
    /// Names of roles.
    roles: Vec<String>,
}

impl Successor {
    fn of_client(snapshot: &Snapshot, client: &Client) -> Self {
        Self {
            label: label(&client.label),
            organization_id: client.organization_id.clone(),
            scopes: client.scopes.iter().filter(|scope| !BUILT_IN.contains(scope)).map(str::to_owned).collect(),
            audiences: client.audiences.clone(),
            roles: names(snapshot, &client.role_ids),
        }
    }

    fn of_user(snapshot: &Snapshot, user: &User) -> Self {
        let permissions = roles::permissions(snapshot, &user.role_ids);
        let is_scope = |name: &String| snapshot.scope(name).is_some() && !BUILT_IN.contains(&name.as_str());
        Self {
            label: label(&user.username),
            organization_id: user.organization_id.clone(),
            scopes: permissions.into_iter().filter(is_scope).collect(),
            audiences: Vec::new(),
            roles: names(snapshot, &user.role_ids),
        }
    }

    /// The command that makes it.
    fn command(&self) -> String {
        let mut command = format!(
            "grantor client create --label {} --grant-type client_credentials --organization {}",
            quoted(&self.label),
            self.organization_id
        );
        for (option, values) in [("--scope", &self.scopes), ("--audience", &self.audiences), ("--role", &self.roles)] {
            for value in values {
                // To write to a string cannot fail.
                let _ = write!(command, " {option} {}", quoted(value));
            }
        }
        command
    }
}

fn label(name: &str) -> String {
    format!("{name} (client credentials)")
}

fn names(snapshot: &Snapshot, role_ids: &[String]) -> Vec<String> {
    role_ids.iter().filter_map(|id| snapshot.role(id)).map(|role| role.name.clone()).collect()
}

/// Makes the client that takes the place of a user's Basic or of the password grant. What is used now goes on working:
/// its programs are moved one by one. The second part names the organizations of a user that it does not act in.
///
/// # Errors
/// [`AdminError::NotFound`]; [`AdminError::Forbidden`] for whoever does not approve applications.
pub async fn succeed(
    context: &Context,
    by: &Authority,
    kind: CredentialKind,
    id: &str,
) -> Result<(MadeClient, Vec<String>), AdminError> {
    if !clients::approves(by) {
        return Err(AdminError::Forbidden(
            "only whoever approves applications makes one in another's place".to_owned(),
        ));
    }
    let snapshot = context.registry.snapshot().as_ref().clone();
    let (successor, left_out) = match kind {
        CredentialKind::Client => (Successor::of_client(&snapshot, &clients::find(context, by, id).await?), Vec::new()),
        CredentialKind::User => {
            let wanted = id.to_owned();
            let read = move |db: &mut Db| match users::by_id(db, &wanted)? {
                Some(user) => Ok(Some((elsewhere(db, &user)?, user))),
                None => Ok(None),
            };
            let found = context.store.read(read).await?;
            let seen = found.filter(|(_, user)| by.sees(&user.organization_id) && user.status != UserStatus::Deleted);
            let (left_out, user) = seen.ok_or_else(|| AdminError::not_found("user", id))?;
            (Successor::of_user(&snapshot, &user), left_out)
        }
        CredentialKind::ClientSecret | CredentialKind::ApiKey => return Err(AdminError::not_found("user", id)),
    };
    let new = NewClient {
        label: successor.label,
        organization: Some(successor.organization_id),
        grant_types: vec![GrantType::ClientCredentials.as_str().to_owned()],
        scopes: successor.scopes,
        audiences: successor.audiences,
        roles: successor.roles,
        ..NewClient::default()
    };
    Ok((clients::create(context, by, &new).await?, left_out))
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
