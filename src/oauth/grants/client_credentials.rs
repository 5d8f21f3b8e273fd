//! RFC 6749 §4.4: a client acts for itself. No database, and no refresh token (§4.4.3).

use crate::oauth::context::Context;
use crate::oauth::error::ProtocolError;
use crate::oauth::oxide::{self, Answers, GrantRequest};
use crate::oauth::tokens::gate::{Asked, AuthorizedGrant};
use crate::oauth::tokens::issue::{Tokens, issue};

pub(super) fn issue_for(context: &Context, request: &GrantRequest<'_>) -> Result<Tokens, ProtocolError> {
    let answers = Answers::new(context, request);
    let negotiated = oxide::client_credentials(request, &answers, &|| answers.refusal())?;
    let asked = Asked { scope: &negotiated.scope, resources: &request.resources };
    issue(context, &AuthorizedGrant::for_client(context, &answers.client()?, &asked)?)
}
