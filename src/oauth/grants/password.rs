//! RFC 6749 §4.3: a username and a password for tokens. Offered for machines, per client; see `docs/security.md`.

use crate::login::{Door, Face};
use crate::model::client::ClientKind;
use crate::model::grant_type::GrantType;
use crate::oauth::context::Context;
use crate::oauth::error::ProtocolError;
use crate::oauth::grants::TokenRequest;
use crate::oauth::oxide::{self, Answers, GrantRequest};
use crate::oauth::tokens::family::NewFamily;
use crate::oauth::tokens::gate::{Asked, AuthorizedGrant};
use crate::oauth::tokens::issue::{Tokens, issue};

pub(super) async fn sign_in(
    context: &Context,
    request: &TokenRequest,
    grant_request: &GrantRequest<'_>,
) -> Result<Tokens, ProtocolError> {
    let answers = Answers::new(context, grant_request);
    let username = request.parameters.required("username");
    // An empty password is a wrong one, not a missing parameter: it costs what every wrong one costs.
    let password = request
        .parameters
        .raw("password")
        .ok_or_else(|| ProtocolError::invalid_request("the parameter password is missing"));
    let (negotiated, signed_in) = oxide::password_sign_in(grant_request, &answers, &|| answers.refusal(), async || {
        let client = answers.client()?;
        let confidential = client.kind == ClientKind::Confidential;
        let door = Door {
            client_id: Some(client.client_id.clone()),
            chosen_passwords: confidential,
            people: confidential && context.settings.people_passwords,
            face: Face::Api,
        };
        let signed_in = context.login.sign_in(&door, username?, password?, request.network).await;
        signed_in.map_err(|error| ProtocolError::of_sign_in(&error, ProtocolError::refused_sign_in()))
    })
    .await?;

    let now = context.clock.now();
    let client = answers.client()?;
    let asked = Asked { scope: &negotiated.scope, resources: &grant_request.resources };
    let mut grant = AuthorizedGrant::for_sign_in(context, &client, &signed_in, &asked, now).await?;
    if !client.may_use(GrantType::RefreshToken) {
        // No family, so the session ends with the access token; `sid` names none.
        return issue(context, &grant);
    }
    let family = NewFamily::plan(context, &grant, &grant_request.resources, now)?;
    grant = grant.starting_family(family.family.id.clone());
    let tokens = issue(context, &grant)?;
    let refresh_token = family.start(context, &grant, now).await?;
    Ok(tokens.with_refresh_token(refresh_token))
}
