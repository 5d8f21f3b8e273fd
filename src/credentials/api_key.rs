//! An API key (`X-API-Key`), alone or with its user and organization (`X-User-ID`, `X-Business-ID`).

use std::net::IpAddr;

use uuid::Uuid;

use crate::credentials::Asked;
use crate::credentials::known::Known;
use crate::credentials::principal::{Limit, Principal, Reach};
use crate::credentials::shape::{KeyWithOwner, Shape, refused};
use crate::crypto::token_format::{API_KEY_PREFIX, is_well_formed};
use crate::login::Face;
use crate::model::audit::Refusal;
use crate::model::user::UserStatus;
use crate::oauth::{Context, ProtocolError};

/// What API keys are digested for, so that no digest of another kind of secret is one of theirs.
pub const DIGEST_PURPOSE: &str = "api key";

pub(super) async fn authenticate(
    context: &Context,
    known: &Known,
    given: &KeyWithOwner,
    asked: &Asked,
    address: IpAddr,
) -> Result<Principal, ProtocolError> {
    let text = given.key.expose();
    if !is_well_formed(API_KEY_PREFIX, text) {
        return Err(refused("not an API key: the checksum does not fit"));
    }
    let digest = context.data_keys.digest.digest(DIGEST_PURPOSE, text.as_bytes());
    let key = known.key(context, digest).await?.ok_or_else(|| refused("unknown API key"))?;
    if !key.is_live(context.clock.now()) {
        let refusal = Refusal {
            action: "api_key.refused",
            target_kind: "api_key",
            target_id: key.id.clone(),
            organization_id: Some(key.organization_id.clone()),
            reason: "the API key is disabled, deleted or expired",
        };
        return Err(refused(refusal.reason).about(refusal));
    }
    let user = known.user(context, &key.user_id).await?.ok_or_else(|| refused("the API key's user is gone"))?;
    // As a refresh token: a lock stops what was signed in before.
    if user.user.status != UserStatus::Active || !user.user.access_api {
        return Err(refused("the API key's user is not active or has no API access"));
    }
    if let Some(owner) = &given.owner {
        if owner.user_id.expose() != key.user_id {
            return Err(refused("another user's id"));
        }
        let business = owner.business_id.expose();
        if !names_an_organization(business) {
            return Err(refused("the business id is malformed"));
        }
        let own = context.registry.snapshot().organization(&key.organization_id).cloned();
        // Existing or not: the same answer, so that no key tells which organizations there are.
        if business != key.organization_id && own.is_none_or(|own| own.number.to_string() != business) {
            return Err(ProtocolError::access_denied("the API key is not for this organization"));
        }
    }
    if !key.may_be_used_from(address) {
        return Err(ProtocolError::access_denied("the API key may not be used from this network"));
    }
    let reach = Reach {
        shape: Shape::ApiKey,
        face: Face::Api,
        credential_id: key.id.clone(),
        expires_at: key.expires_at,
        client_id: None,
        limit: key.scopes.as_ref().map_or(Limit::None, Limit::Stated),
        despite_lock: false,
        auth_time: None,
    };
    let principal = Principal::of_user(context, &user, Some(&key.organization_id), reach)?;
    match &asked.organization {
        Some(asked) if principal.organization.id != *asked && principal.organization.number.to_string() != *asked => {
            Err(ProtocolError::access_denied("the API key is not for this organization"))
        }
        _ => Ok(principal),
    }
}

/// An id, or a number of six digits or more.
fn names_an_organization(text: &str) -> bool {
    let is_id = text.len() == 36 && Uuid::try_parse(text).is_ok();
    is_id || (6..=18).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}
