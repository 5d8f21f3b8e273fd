//! Sets of credentials: a generated username and password for a program, used through the one public client.

use crate::admin::users::{self, MadeUser, UserRequest};
use crate::admin::{AdminError, Authority, clients};
use crate::model::role::CREDENTIALS_MANAGE;
use crate::model::scope::OPENID;
use crate::model::user::UserStatus;
use crate::oauth::Context;
use crate::store::credential_sets;
use crate::store::user_profiles::{self, UserFilter, UserProfile};
use crate::store::{Db, audit};

pub use crate::store::credential_sets::SetOrder;

/// A set of credentials, with the password that is shown this once.
#[derive(Debug, Clone)]
pub struct MadeCredentials {
    /// The user behind them.
    pub user: MadeUser,
    /// The public client that they are used through.
    pub client_id: String,
    /// Where.
    pub token_endpoint: String,
    /// What to ask for.
    pub scope: String,
}

/// Makes a set of credentials.
///
/// # Errors
/// [`AdminError::Refused`] if the name is missing.
pub async fn create(
    context: &Context,
    by: &Authority,
    name: &str,
    description: &str,
    roles: &[String],
) -> Result<MadeCredentials, AdminError> {
    by.require(CREDENTIALS_MANAGE)?;
    let name = name.trim();
    if name.is_empty() || name.len() > 255 || name.chars().any(char::is_control) {
        return Err(AdminError::invalid("name", "is needed: 1 to 255 bytes on one line"));
    }
    // The client must be there, or the credentials would open nothing.
    let programmatic_client_id = context.credentials.programmatic_client_id.as_str();
    clients::find(context, &Authority::operator(), programmatic_client_id).await?;
    let host = url::Url::parse(&context.settings.issuer)
        .ok()
        .and_then(|issuer| issuer.host_str().map(str::to_owned))
        .unwrap_or_else(|| "localhost".to_owned());
    let unique = crate::crypto::identifier::uuid_v7(context.clock.now(), &context.random);
    let request = UserRequest {
        username: format!("{unique}@programmatic-users.{host}").replace(':', "."),
        kind: Some("api_user".to_owned()),
        name: name.to_owned(),
        description: description.to_owned(),
        roles: roles.to_vec(),
        programmatic: true,
        ..UserRequest::default()
    };
    Ok(MadeCredentials {
        user: users::create(context, by, &request).await?,
        client_id: programmatic_client_id.to_owned(),
        token_endpoint: format!("{}/oauth/token", context.settings.issuer),
        scope: OPENID.to_owned(),
    })
}

/// The sets of credentials that `by` sees, after one id, in the order in which they were made.
///
/// # Errors
/// [`AdminError::Forbidden`].
pub async fn page(context: &Context, by: &Authority, after: &str, limit: i64) -> Result<Vec<UserProfile>, AdminError> {
    let filter = UserFilter { programmatic: Some(true), ..UserFilter::default() };
    users::page(context, by, filter, after, limit).await
}

/// The sets with a text in name, description or username, in an order, after a mark of that order.
///
/// # Errors
/// [`AdminError::Forbidden`].
pub async fn search(
    context: &Context,
    by: &Authority,
    text: &str,
    order: SetOrder,
    after: &str,
    limit: i64,
) -> Result<Vec<UserProfile>, AdminError> {
    by.require(CREDENTIALS_MANAGE)?;
    let (organization, text, after) = (by.organization().map(str::to_owned), text.to_owned(), after.to_owned());
    let read = move |db: &mut Db| credential_sets::page(db, organization.as_deref(), &text, order, &after, limit);
    Ok(context.store.read(read).await?)
}

/// Whether who asks made this set; the audit log is what remembers it.
///
/// # Errors
/// [`AdminError::Unavailable`].
pub async fn is_own(context: &Context, by: &Authority, set: &UserProfile) -> Result<bool, AdminError> {
    let (Some(user), id) = (by.user_id().map(str::to_owned), set.id.clone()) else { return Ok(false) };
    let events = context.store.read(move |db| audit::about(db, "user", &id)).await?;
    Ok(events.first().is_some_and(|event| event.action == "user.created" && event.actor_id == user))
}

/// One by its id, its username, or a name that it alone has.
///
/// # Errors
/// [`AdminError::NotFound`]; [`AdminError::Refused`] if several have the name.
pub async fn find(context: &Context, by: &Authority, key: &str) -> Result<UserProfile, AdminError> {
    by.require(CREDENTIALS_MANAGE)?;
    if let Ok(user) = users::find(context, by, key).await {
        let profile = users::profile(context, &user).await?;
        if profile.programmatic {
            return Ok(profile);
        }
    }
    let organization_id = by.organization().map(str::to_owned);
    let name = key.to_owned();
    let named = context
        .store
        .read(move |db| user_profiles::programmatic_by_name(db, organization_id.as_deref(), &name))
        .await?;
    match <[UserProfile; 1]>::try_from(named) {
        Ok([only]) => Ok(only),
        Err(none) if none.is_empty() => Err(AdminError::not_found("credentials", key)),
        Err(several) => Err(AdminError::Refused(format!(
            "{} sets have the name `{key}`: name one by its id or username",
            several.len()
        ))),
    }
}

/// Deletes a set of credentials: its grant and its tokens are dead at once.
///
/// # Errors
/// [`AdminError::NotFound`].
pub async fn delete(context: &Context, by: &Authority, key: &str) -> Result<(), AdminError> {
    let found = find(context, by, key).await?;
    users::set_status(context, by, &found.id, UserStatus::Deleted).await?;
    Ok(())
}
