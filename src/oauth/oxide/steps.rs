//! The drivers: each steps a machine and answers its questions with a registrar's answers.
//!
//! A driver takes any `Registrar`, so that a test can put one in that says yes to everything and see that nothing
//! else refuses.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use oxide_auth::code_grant::client_credentials::{self, ClientCredentials};
use oxide_auth::code_grant::error::AccessTokenErrorType;
use oxide_auth::code_grant::refresh::{self, Refresh};
use oxide_auth::primitives::grant::{Extensions, Grant};
use oxide_auth::primitives::registrar::{BoundClient, ClientUrl, PreGrant, Registrar, RegistrarError};

use crate::model::family::Family;
use crate::model::scope::ScopeSet;
use crate::oauth::error::ProtocolError;
use crate::oauth::oxide::password::{Input as PasswordInput, Output as PasswordOutput, Password};
use crate::oauth::oxide::registrar::to_oxide;
use crate::oauth::oxide::request::GrantRequest;

/// What a machine has settled.
#[derive(Debug)]
pub struct Negotiated {
    /// The scope that it arrived at.
    pub scope: ScopeSet,
}

/// Asks the registrar, and turns its no into the reason that it kept.
fn ask<T>(answer: Result<T, RegistrarError>, refusal: &dyn Fn() -> ProtocolError) -> Result<T, ProtocolError> {
    answer.map_err(|_| refusal())
}

fn bind(registrar: &dyn Registrar, client: &str) -> Result<BoundClient<'static>, RegistrarError> {
    let url = ClientUrl { client_id: Cow::Owned(client.to_owned()), redirect_uri: None };
    let bound = registrar.bound_redirect(url)?;
    Ok(BoundClient {
        client_id: Cow::Owned(bound.client_id.into_owned()),
        redirect_uri: Cow::Owned(bound.redirect_uri.into_owned()),
    })
}

fn borrowed<'a>(bound: &'a BoundClient<'_>) -> BoundClient<'a> {
    BoundClient { client_id: Cow::Borrowed(&bound.client_id), redirect_uri: Cow::Borrowed(&bound.redirect_uri) }
}

fn settled(granted: &PreGrant) -> Negotiated {
    Negotiated { scope: granted.scope.iter().collect() }
}

/// RFC 6749 §4.4.
///
/// # Errors
/// What the registrar refuses, by `refusal`.
pub fn client_credentials(
    request: &GrantRequest<'_>,
    registrar: &dyn Registrar,
    refusal: &dyn Fn() -> ProtocolError,
) -> Result<Negotiated, ProtocolError> {
    use client_credentials::{Input, Output};
    let mut machine = ClientCredentials::new(request);
    let mut input = Input::None;
    loop {
        input = match machine.advance(input) {
            Output::Authenticate { client, passdata } => {
                ask(registrar.check(client, Some(passdata)), refusal)?;
                Input::Authenticated
            }
            Output::Binding { client_id } => Input::Bound { bound_client: ask(bind(registrar, client_id), refusal)? },
            Output::Extend => Input::Extended { extensions: Extensions::new() },
            Output::Negotiate { bound_client, scope } => {
                Input::Negotiated { pre_grant: ask(registrar.negotiate(borrowed(bound_client), scope), refusal)? }
            }
            Output::Ok { pre_grant, .. } => return Ok(settled(pre_grant)),
            // Our door has refused before what the machine would refuse here.
            Output::Err(_) => return Err(ProtocolError::defect().because("the machine refused what the door let in")),
        };
    }
}

/// RFC 6749 §4.3; `sign_in` authenticates the resource owner when the machine asks for it.
///
/// # Errors
/// What the registrar refuses, by `refusal`, and what `sign_in` answers.
pub async fn password_sign_in<T>(
    request: &GrantRequest<'_>,
    registrar: &dyn Registrar,
    refusal: &dyn Fn() -> ProtocolError,
    sign_in: impl AsyncFnOnce() -> Result<T, ProtocolError>,
) -> Result<(Negotiated, T), ProtocolError> {
    let scope = request.scope.as_ref().map(to_oxide).transpose()?;
    let presented = request.presented;
    let secret = presented.secret.expose().as_bytes().to_vec();
    let mut machine = Password::new(presented.client_id.clone(), secret, scope);
    let mut input = PasswordInput::None;
    loop {
        input = match machine.advance(input) {
            PasswordOutput::Authenticate { client, secret } => {
                ask(registrar.check(client, Some(secret)), refusal)?;
                PasswordInput::Authenticated
            }
            PasswordOutput::Bind { client } => PasswordInput::Bound(ask(bind(registrar, client), refusal)?),
            PasswordOutput::Negotiate { bound, scope } => {
                PasswordInput::Negotiated(ask(registrar.negotiate(borrowed(bound), scope), refusal)?)
            }
            PasswordOutput::AuthenticateOwner => break,
            PasswordOutput::Granted(_) | PasswordOutput::OutOfOrder => {
                return Err(ProtocolError::defect().because("the password machine is out of order"));
            }
        };
    }
    let owner = sign_in().await?;
    match machine.advance(PasswordInput::OwnerAuthenticated) {
        PasswordOutput::Granted(granted) => Ok((settled(granted), owner)),
        _ => Err(ProtocolError::defect().because("the password machine is out of order")),
    }
}

/// RFC 6749 §6; `recover` looks the presented token up. The machine sees to it that the token was issued to this
/// client and that the scope is not wider than what was granted first.
///
/// # Errors
/// What the registrar refuses, by `refusal`; `invalid_grant` and `invalid_scope` of the machine; what `recover`
/// answers.
pub async fn refresh<T>(
    request: &GrantRequest<'_>,
    registrar: &dyn Registrar,
    refusal: &dyn Fn() -> ProtocolError,
    recover: impl AsyncFnOnce(&str) -> Result<Option<T>, ProtocolError>,
    family_of: impl Fn(&T) -> &Family,
) -> Result<(Negotiated, T), ProtocolError> {
    use refresh::{Input, Output};
    let mut machine = Refresh::new(request);
    let token = match machine.advance(Input::None) {
        Output::Unauthenticated { client, pass } => {
            ask(registrar.check(client, pass), refusal)?;
            match machine.advance(Input::Authenticated { scope: scope_text(request) }) {
                Output::RecoverRefresh { token } => token.to_owned(),
                other => return Err(refused(&other)),
            }
        }
        other => return Err(refused(&other)),
    };
    let recovered = recover(&token).await?;
    let grant = recovered.as_ref().map(|found| grant_of(family_of(found))).transpose()?.map(Box::new);
    match (machine.advance(Input::Recovered { scope: scope_text(request), grant }), recovered) {
        (Output::Refresh { grant, .. }, Some(recovered)) => {
            Ok((Negotiated { scope: grant.scope.iter().collect() }, recovered))
        }
        (other, _) => Err(refused(&other)),
    }
}

fn scope_text<'a>(request: &GrantRequest<'a>) -> Option<Cow<'a, str>> {
    request.scope.as_ref().map(|scope| Cow::Owned(scope.to_string()))
}

/// The family as the grant that the machine compares with.
fn grant_of(family: &Family) -> Result<Grant, ProtocolError> {
    let redirect_uri = "urn:ietf:wg:oauth:2.0:oob".parse().map_err(|cause| ProtocolError::defect().because(cause))?;
    Ok(Grant {
        owner_id: family.user_id.clone(),
        client_id: family.client_id.clone(),
        scope: to_oxide(&family.scope)?,
        redirect_uri,
        // Expiry is asked of our own clock, in `recover`; the machine would ask the system's.
        until: DateTime::<Utc>::MAX_UTC,
        extensions: Extensions::new(),
    })
}

/// The machine's own refusals, in our words.
fn refused(output: &refresh::Output<'_>) -> ProtocolError {
    let refresh::Output::Err(error) = output else {
        return ProtocolError::defect().because("the refresh machine is out of order");
    };
    match error.clone().description().map(oxide_auth::code_grant::error::AccessTokenError::kind) {
        // RFC 6749 §6: MUST NOT include any scope not originally granted by the resource owner.
        Some(AccessTokenErrorType::InvalidScope) => {
            ProtocolError::invalid_scope("the scope goes beyond what was granted first")
        }
        Some(AccessTokenErrorType::InvalidGrant) => {
            ProtocolError::refused_refresh().because("unknown, or issued to another client")
        }
        Some(AccessTokenErrorType::InvalidRequest) => {
            ProtocolError::invalid_request("the parameter refresh_token is missing")
        }
        other => ProtocolError::defect().because(format!("{other:?}")),
    }
}
