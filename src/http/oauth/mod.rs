//! The protocol's endpoints, one file each.

pub mod introspect;
pub mod jwks;
pub mod metadata;
pub mod revoke;
pub mod token;
pub mod userinfo;

use actix_web::{HttpRequest, web};

use crate::http::extract::{present_client, read_parameters};
use crate::http::state::State;
use crate::oauth::ProtocolError;
use crate::oauth::client_authentication::{AuthenticatedClient, authenticate};
use crate::oauth::parameters::Parameters;

/// A node that cannot tell what was revoked answers for nothing.
///
/// # Errors
/// 503.
pub(super) fn must_be_fresh(state: &State) -> Result<(), ProtocolError> {
    if state.context().registry.is_fresh() {
        Ok(())
    } else {
        Err(ProtocolError::unavailable(2).because("the database has not answered for two seconds"))
    }
}

/// The parameters of a request whose client is authenticated.
async fn authenticated(
    request: &HttpRequest,
    payload: web::Payload,
    state: &State,
) -> Result<(AuthenticatedClient, Parameters), ProtocolError> {
    let parameters = read_parameters(request, payload, state).await?;
    must_be_fresh(state)?;
    let presented = present_client(request, &parameters)?;
    Ok((authenticate(state.context(), &presented)?, parameters))
}
