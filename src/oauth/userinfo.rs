//! The `UserInfo` endpoint (OpenID Connect Core §5.3).

use serde::Serialize;

use crate::model::scope::{EMAIL, OPENID, PROFILE, ScopeSet};
use crate::model::user::{User, UserStatus};
use crate::oauth::context::Context;
use crate::oauth::error::ProtocolError;
use crate::oauth::tokens::verifier::{self, Verified};
use crate::store::users;

/// The claims of a user that the token's scope opens.
#[derive(Debug, Serialize)]
pub struct UserInfo {
    sub: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    given_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    family_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    preferred_username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
}

/// The claims about the user behind a token.
///
/// # Errors
/// 401 `invalid_token`; 403 `insufficient_scope` without `openid`, which a client's own token never has.
pub async fn userinfo(context: &Context, token: &str) -> Result<UserInfo, ProtocolError> {
    let verified = bearer(context, token)?;
    let claims = &verified.claims;
    let scope = ScopeSet::parse(&claims.scope).map_err(|_| ProtocolError::invalid_token())?;
    if !scope.contains(OPENID) || claims.sub == claims.client_id {
        return Err(ProtocolError::insufficient_scope("the token lacks the scope openid"));
    }
    let user = live_user(context, &verified).await?;
    let filled = |text: String| Some(text).filter(|text| !text.is_empty());
    let profile = scope.contains(PROFILE);
    Ok(UserInfo {
        sub: user.id,
        name: filled(user.name).filter(|_| profile),
        given_name: filled(user.first_name).filter(|_| profile),
        family_name: filled(user.last_name).filter(|_| profile),
        preferred_username: Some(user.username).filter(|_| profile),
        email: user.email.filter(|_| scope.contains(EMAIL)),
    })
}

fn bearer(context: &Context, token: &str) -> Result<std::sync::Arc<Verified>, ProtocolError> {
    verifier::verify(context, token).map_err(|why| ProtocolError::invalid_token().because(why))
}

async fn live_user(context: &Context, verified: &Verified) -> Result<User, ProtocolError> {
    let id = verified.claims.sub.clone();
    let user = context.store.read(move |db| users::by_id(db, &id)).await?;
    user.filter(|user| user.access_api && matches!(user.status, UserStatus::Active | UserStatus::Locked))
        .ok_or_else(|| ProtocolError::invalid_token().because("the user is gone, disabled or without API access"))
}
