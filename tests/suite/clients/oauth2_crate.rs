//! The crate `oauth2` against both databases.

use oauth2::basic::{BasicClient, BasicErrorResponseType, BasicTokenType};
use oauth2::{
    AccessToken, AuthType, ClientId, ClientSecret, HttpRequest, HttpResponse, IntrospectionUrl, RequestTokenError,
    ResourceOwnerPassword, ResourceOwnerUsername, RevocationUrl, Scope, StandardRevocableToken,
    TokenIntrospectionResponse, TokenResponse, TokenUrl,
};
use rstest::rstest;

use crate::harness::{Database, Server, agent};

/// The crate insists on https for revocation: this carries what it sends to the plain port of the test's server.
fn carry(mut request: HttpRequest) -> Result<HttpResponse, ureq::Error> {
    let plain = request.uri().to_string().replacen("https://", "http://", 1);
    *request.uri_mut() = plain.parse().expect("a URI");
    let (head, mut body) = agent().run(request)?.into_parts();
    Ok(HttpResponse::from_parts(head, body.read_to_vec()?))
}

#[rstest]
fn the_crate_oauth2_gets_along_with_every_endpoint(
    #[values(Database::Sqlite, Database::Postgres)] database: Database,
    #[values(AuthType::BasicAuth, AuthType::RequestBody)] authentication: AuthType,
) {
    let server = Server::start(database);
    let registered = server
        .confidential_client()
        .grants(["password", "refresh_token", "client_credentials"])
        .scopes(["orders:read", "orders:write"])
        .may_introspect()
        .create();
    let user = server.api_user().permissions(["api:access", "orders:read"]).create();
    let at = |path: &str| format!("{}{path}", server.base().replacen("http://", "https://", 1));
    let client = BasicClient::new(ClientId::new(registered.id.clone()))
        .set_client_secret(ClientSecret::new(registered.secret.clone()))
        .set_auth_type(authentication)
        .set_token_uri(TokenUrl::new(at("/oauth/token")).unwrap())
        .set_introspection_url(IntrospectionUrl::new(at("/oauth/introspect")).unwrap())
        .set_revocation_url(RevocationUrl::new(at("/oauth/revoke")).unwrap());
    let introspect = |token: &AccessToken| client.introspect(token).request(&carry).unwrap();

    // RFC 6749 section 4.4
    let own = client.exchange_client_credentials().add_scope(Scope::new("orders:read".into())).request(&carry).unwrap();
    assert!(own.refresh_token().is_none());
    assert_eq!(own.scopes(), Some(&vec![Scope::new("orders:read".into())]));
    assert_eq!(introspect(own.access_token()).client_id().unwrap().as_str(), registered.id);

    // section 4.3
    let (username, password) =
        (ResourceOwnerUsername::new(user.username.clone()), ResourceOwnerPassword::new(user.password.clone()));
    let tokens = client.exchange_password(&username, &password).request(&carry).unwrap();
    assert_eq!(*tokens.token_type(), BasicTokenType::Bearer);
    assert_eq!(tokens.expires_in().unwrap().as_secs(), 3600);
    let wrong = client.exchange_password(&username, &ResourceOwnerPassword::new("wrong".into())).request(&carry);
    let Err(RequestTokenError::ServerResponse(refusal)) = wrong else { panic!("{wrong:?}") };
    assert_eq!(*refusal.error(), BasicErrorResponseType::InvalidGrant);

    // section 6
    let successor = client.exchange_refresh_token(tokens.refresh_token().unwrap()).request(&carry).unwrap();
    assert_ne!(successor.refresh_token().unwrap().secret(), tokens.refresh_token().unwrap().secret());

    // RFC 7662
    let active = introspect(successor.access_token());
    assert!(active.active());
    assert_eq!(active.sub(), Some(user.id.as_str()));
    assert_eq!(active.scopes(), Some(&vec![Scope::new("orders:read".into())]), "what the user may, no more");

    // RFC 7009
    let family = StandardRevocableToken::RefreshToken(successor.refresh_token().unwrap().clone());
    client.revoke_token(family).unwrap().request(&carry).unwrap();
    assert!(!introspect(successor.access_token()).active());
    let dead = client.exchange_refresh_token(successor.refresh_token().unwrap()).request(&carry);
    let Err(RequestTokenError::ServerResponse(refusal)) = dead else { panic!("{dead:?}") };
    assert_eq!(*refusal.error(), BasicErrorResponseType::InvalidGrant);
    client.revoke_token(StandardRevocableToken::from(own.access_token().clone())).unwrap().request(&carry).unwrap();
    assert!(!introspect(own.access_token()).active());
}
