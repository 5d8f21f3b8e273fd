//! Sets of credentials: a generated username and password for a program, used through the one public client.

use crate::admin::users::{self, MadeUser, UserRequest};
use crate::admin::{AdminError, clients};
use crate::model::audit::Actor;
use crate::model::scope::OPENID;
use crate::model::user::UserStatus;
use crate::oauth::Context;
use crate::store::users::ListedUser;

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
    actor: &Actor,
    programmatic_client_id: &str,
    name: &str,
    description: &str,
    roles: &[String],
) -> Result<MadeCredentials, AdminError> {
    let name = name.trim();
    if name.is_empty() || name.len() > 255 {
        return Err(AdminError::Refused("credentials need a name of 1 to 255 bytes".to_owned()));
    }
    // The client must be there, or the credentials would open nothing.
    clients::find(context, programmatic_client_id).await?;
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
        user: users::create(context, actor, &request).await?,
        client_id: programmatic_client_id.to_owned(),
        token_endpoint: format!("{}/oauth/token", context.settings.issuer),
        scope: OPENID.to_owned(),
    })
}

/// All sets of credentials of an organization.
///
/// # Errors
/// [`AdminError::NotFound`].
pub async fn list(context: &Context, organization: Option<&str>) -> Result<Vec<ListedUser>, AdminError> {
    users::list(context, organization, true).await
}

/// Deletes a set of credentials: its grant and its tokens are dead at once.
///
/// # Errors
/// [`AdminError::NotFound`].
pub async fn delete(context: &Context, actor: &Actor, key: &str) -> Result<(), AdminError> {
    let known = list(context, None).await?;
    let exact = known.iter().find(|set| set.id == key || set.username == key);
    let named: Vec<&ListedUser> = known.iter().filter(|set| set.name == key).collect();
    let found = match (exact, named.as_slice()) {
        (Some(exact), _) => exact,
        (None, [only]) => only,
        (None, []) => return Err(AdminError::not_found("credentials", key)),
        (None, several) => {
            let count = several.len();
            return Err(AdminError::Refused(format!(
                "{count} sets have the name `{key}`: name one by its id or username"
            )));
        }
    };
    users::set_status(context, actor, &found.id, UserStatus::Deleted).await?;
    Ok(())
}
