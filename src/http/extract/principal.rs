//! Who a request comes from, by whatever credential it brings.

use actix_web::HttpRequest;

use crate::admin::Authority;
use crate::credentials::{Asked, Header, Principal, present};
use crate::crypto::secret::SecretString;
use crate::http::extract::{RequestId, address_of};
use crate::http::state::State;
use crate::oauth::ProtocolError;

/// Authenticates a request.
///
/// # Errors
/// 401, 403, 429, 503.
pub async fn principal_of(request: &HttpRequest, state: &State, asked: &Asked) -> Result<Principal, ProtocolError> {
    let presented = present(|name| header(request, name))?;
    state.credentials().authenticate(&presented, asked, address_of(request, state)).await
}

/// Authenticates a request to Grantor's own API, for which a JWT must be meant.
///
/// # Errors
/// As [`principal_of`].
pub async fn caller_of(request: &HttpRequest, state: &State) -> Result<Principal, ProtocolError> {
    let audience = Some(state.context().settings.issuer.clone());
    principal_of(request, state, &Asked { organization: None, audience }).await
}

/// On whose authority a request to Grantor's own API asks for a verb.
#[must_use]
pub fn authority_of(principal: &Principal, request: &HttpRequest, state: &State) -> Authority {
    let actor = principal.actor(address_of(request, state).to_string(), RequestId::of(request).0.to_string());
    let organization = principal.organization.id.clone();
    let user_id = principal.user_id().map(str::to_owned);
    Authority::in_organization(actor, organization, user_id, principal.permissions.clone())
}

fn header(request: &HttpRequest, name: &'static str) -> Header {
    let mut lines = request.headers().get_all(name);
    match (lines.next(), lines.next()) {
        (None, _) => Header::Absent,
        (Some(only), None) => only.to_str().map_or(Header::Unreadable, |text| Header::Once(SecretString::from(text))),
        (Some(_), Some(_)) => Header::Unreadable,
    }
}
