//! A JWT: an access token of ours (RFC 6750 §2.1, RFC 9068).

use crate::credentials::Asked;
use crate::credentials::known::Known;
use crate::credentials::principal::{Limit, Principal, Reach};
use crate::credentials::shape::Shape;
use crate::crypto::secret::SecretString;
use crate::login::Face;
use crate::model::scope::ScopeSet;
use crate::model::time::Timestamp;
use crate::model::user::UserStatus;
use crate::oauth::tokens::verifier;
use crate::oauth::{Context, ProtocolError};

pub(super) async fn authenticate(
    context: &Context,
    known: &Known,
    token: &SecretString,
    asked: &Asked,
) -> Result<Principal, ProtocolError> {
    let verified = verifier::verify(context, token.expose()).map_err(refused)?;
    let claims = &verified.claims;
    if asked.audience.as_ref().is_some_and(|audience| !claims.aud.contains(audience)) {
        return Err(refused("the token is for another audience"));
    }
    let scope = ScopeSet::parse(&claims.scope).map_err(refused)?;
    let organization = asked.organization.as_deref();
    let reach = Reach {
        shape: Shape::Jwt,
        face: Face::Api,
        credential_id: claims.jti.clone(),
        expires_at: Some(Timestamp::from_seconds(claims.exp)),
        client_id: Some(claims.client_id.to_string()),
        limit: Limit::Token(&scope),
        despite_lock: true,
        auth_time: claims.auth_time.map(Timestamp::from_seconds),
    };
    if claims.sub == claims.client_id {
        let client = context.registry.snapshot().client(&claims.client_id).cloned();
        let client = client.ok_or_else(|| refused("the client is gone"))?;
        return Principal::of_client(context, &client, scope.clone(), organization, reach);
    }
    let user = known.user(context, &claims.sub).await?.ok_or_else(|| refused("the user is gone"))?;
    // A lock ended the tokens that there were; one that is younger was issued to its owner, from a network of theirs.
    if !user.user.access_api || !matches!(user.user.status, UserStatus::Active | UserStatus::Locked) {
        return Err(refused("the user is disabled or without API access"));
    }
    Principal::of_user(context, &user, organization, reach)
}

fn refused(why: impl std::fmt::Display) -> ProtocolError {
    ProtocolError::invalid_token().at_any_shape().because(why)
}
