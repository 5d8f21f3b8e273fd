//! Server metadata (RFC 8414) and OpenID Connect Discovery: what is advertised is accepted, and the other way round.

use serde::Serialize;

use crate::model::client::AuthenticationMethod;
use crate::model::grant_type::GrantType;
use crate::oauth::context::Context;
use crate::oauth::rendered::{Document, Made, Rendered};

/// One document for both addresses. There is no `authorization_endpoint`: the server has none.
#[derive(Debug, Serialize)]
struct Metadata {
    issuer: String,
    token_endpoint: String,
    introspection_endpoint: String,
    revocation_endpoint: String,
    userinfo_endpoint: String,
    jwks_uri: String,
    grant_types_supported: Vec<&'static str>,
    response_types_supported: [&'static str; 0],
    scopes_supported: Vec<String>,
    token_endpoint_auth_methods_supported: Vec<&'static str>,
    introspection_endpoint_auth_methods_supported: Vec<&'static str>,
    revocation_endpoint_auth_methods_supported: Vec<&'static str>,
    subject_types_supported: [&'static str; 1],
    id_token_signing_alg_values_supported: Vec<&'static str>,
    claims_supported: Vec<&'static str>,
    claims_parameter_supported: bool,
    request_parameter_supported: bool,
    request_uri_parameter_supported: bool,
}

/// The metadata at this instant.
#[must_use]
pub fn metadata(context: &Context, rendered: &Rendered) -> Document {
    let (ring, snapshot, now) = (context.ring.load(), context.registry.snapshot(), context.clock.now());
    let signing = ring.algorithms(now).len();
    let made =
        Made { scopes: snapshot.scopes_change, ring: ring.number(), keys: (ring.published(now).count(), signing) };
    // A struct of strings and lists always has a JSON text.
    rendered.document(made, || serde_json::to_string(&of(context)).unwrap_or_default())
}

fn of(context: &Context) -> Metadata {
    let issuer = &context.settings.issuer;
    let at = |path: &str| format!("{issuer}{path}");
    let methods = || AuthenticationMethod::ALL.iter().map(|method| method.as_str());
    let confidential = || methods().filter(|method| *method != AuthenticationMethod::None.as_str()).collect();
    Metadata {
        token_endpoint: at("/oauth/token"),
        introspection_endpoint: at("/oauth/introspect"),
        revocation_endpoint: at("/oauth/revoke"),
        userinfo_endpoint: at("/oauth/userinfo"),
        jwks_uri: at("/.well-known/jwks.json"),
        issuer: issuer.clone(),
        grant_types_supported: context.settings.grants().map(GrantType::as_str).collect(),
        response_types_supported: [],
        scopes_supported: context.registry.snapshot().scope_names(),
        token_endpoint_auth_methods_supported: methods().collect(),
        introspection_endpoint_auth_methods_supported: confidential(),
        revocation_endpoint_auth_methods_supported: methods().collect(),
        subject_types_supported: ["public"],
        id_token_signing_alg_values_supported: context
            .ring
            .load()
            .algorithms(context.clock.now())
            .into_iter()
            .map(crate::model::signing_key::SigningAlgorithm::as_str)
            .collect(),
        claims_supported: vec![
            "iss",
            "sub",
            "aud",
            "exp",
            "iat",
            "auth_time",
            "amr",
            "sid",
            "name",
            "given_name",
            "family_name",
            "preferred_username",
            "email",
        ],
        claims_parameter_supported: false,
        request_parameter_supported: false,
        request_uri_parameter_supported: false,
    }
}
