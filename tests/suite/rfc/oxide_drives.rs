//! oxide-auth's state machines really drive the grants: where the registrar's answers are bypassed, what it refuses
//! goes through, since nothing else refuses it; and the refresh machine itself sees to it that a token belongs to
//! its client and that a scope is never widened.

use std::borrow::Cow;
use std::cell::Cell;

use grantor::crypto::secret::SecretString;
use grantor::model::client::AuthenticationMethod;
use grantor::model::family::Family;
use grantor::model::grant_type::GrantType;
use grantor::model::scope::ScopeSet;
use grantor::model::time::Timestamp;
use grantor::oauth::client_authentication::PresentedClient;
use grantor::oauth::oxide::{Answers, GrantRequest, client_credentials, password_sign_in, refresh};
use grantor::oauth::parameters::{MediaType, Parameters};
use grantor::oauth::{ErrorCode, ProtocolError};
use oxide_auth::primitives::registrar::{
    BoundClient, ClientUrl, ExactUrl, PreGrant, RegisteredUrl, Registrar, RegistrarError,
};
use oxide_auth::primitives::scope::Scope;
use rstest::rstest;

use crate::harness::{Database, Server, TestClient, form};

/// Says yes to everything.
struct Yes;

impl Registrar for Yes {
    fn bound_redirect<'a>(&self, bound: ClientUrl<'a>) -> Result<BoundClient<'a>, RegistrarError> {
        let url = ExactUrl::new("urn:example:any".to_owned()).unwrap();
        Ok(BoundClient { client_id: bound.client_id, redirect_uri: Cow::Owned(RegisteredUrl::Exact(url)) })
    }

    fn negotiate(&self, bound: BoundClient<'_>, asked: Option<Scope>) -> Result<PreGrant, RegistrarError> {
        Ok(PreGrant {
            client_id: bound.client_id.into_owned(),
            redirect_uri: bound.redirect_uri.into_owned(),
            scope: asked.unwrap_or_else(|| "everything".parse().unwrap()),
        })
    }

    fn check(&self, _: &str, _: Option<&[u8]>) -> Result<(), RegistrarError> {
        Ok(())
    }
}

fn never_asked() -> ProtocolError {
    ProtocolError::defect().because("this registrar refuses nothing")
}

fn parameters(pairs: &[(&str, &str)]) -> Parameters {
    Parameters::parse(MediaType::Form, form(pairs).as_bytes()).unwrap()
}

fn presented(client_id: &str, secret: &str) -> PresentedClient {
    let method = AuthenticationMethod::ClientSecretBasic;
    PresentedClient { client_id: client_id.to_owned(), secret: SecretString::from(secret), method }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// What a registrar must refuse: wrong secret, unknown client, scope beyond approval, a grant that the client lacks.
fn refusals<'a>(client: &TestClient<'a>, lacking: &TestClient<'a>) -> [(PresentedClient, &'static str, ErrorCode); 4] {
    [
        (presented(&client.id, "wrong"), "orders", ErrorCode::InvalidClient),
        (presented("nobody", "wrong"), "orders", ErrorCode::InvalidClient),
        (presented(&client.id, &client.secret), "beyond", ErrorCode::InvalidScope),
        (presented(&lacking.id, &lacking.secret), "orders", ErrorCode::UnauthorizedClient),
    ]
}

#[rstest]
fn what_the_registrar_refuses_of_client_credentials_nothing_else_refuses(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let client = server.confidential_client().grants(["client_credentials"]).scopes(["orders"]).create();
    let lacking = server.confidential_client().grants(["password"]).scopes(["orders"]).create();
    let context = server.context();
    for (presented, scope, error) in refusals(&client, &lacking) {
        let parameters = parameters(&[("scope", scope)]);
        let request = GrantRequest::read(GrantType::ClientCredentials, &parameters, &presented).unwrap();

        let answers = Answers::new(context, &request);
        let refused = client_credentials(&request, &answers, &|| answers.refusal()).unwrap_err();
        assert_eq!(refused.code, error);

        let granted = client_credentials(&request, &Yes, &never_asked).unwrap();
        assert_eq!(granted.scope.to_string(), scope);
    }
    // And the scope is what the registrar answered, not what the request said.
    let (parameters, presented) = (parameters(&[]), presented(&client.id, &client.secret));
    let request = GrantRequest::read(GrantType::ClientCredentials, &parameters, &presented).unwrap();
    assert_eq!(client_credentials(&request, &Yes, &never_asked).unwrap().scope.to_string(), "everything");
}

#[rstest]
fn what_the_registrar_refuses_of_the_password_grant_nothing_else_refuses(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let client = server.confidential_client().grants(["password"]).scopes(["orders"]).create();
    let lacking = server.confidential_client().grants(["client_credentials"]).scopes(["orders"]).create();
    let context = server.context();
    for (presented, scope, error) in refusals(&client, &lacking) {
        let parameters = parameters(&[("scope", scope)]);
        let request = GrantRequest::read(GrantType::Password, &parameters, &presented).unwrap();
        let asked = Cell::new(0);
        let owner = async || {
            asked.set(asked.get() + 1);
            Ok("owner")
        };

        let answers = Answers::new(context, &request);
        let refused = block_on(password_sign_in(&request, &answers, &|| answers.refusal(), owner)).unwrap_err();
        // The resource owner's password is not looked at for who is refused.
        assert_eq!((refused.code, asked.get()), (error, 0));

        let (granted, signed_in) = block_on(password_sign_in(&request, &Yes, &never_asked, owner)).unwrap();
        assert_eq!((granted.scope.to_string().as_str(), signed_in, asked.get()), (scope, "owner", 1));
        // But the owner must be authenticated whatever the registrar says.
        let no = async || Err::<(), _>(ProtocolError::invalid_grant("wrong password"));
        let refused = block_on(password_sign_in(&request, &Yes, &never_asked, no)).unwrap_err();
        assert_eq!(refused.code, ErrorCode::InvalidGrant);
    }
}

#[rstest]
fn what_the_registrar_refuses_of_a_refresh_nothing_else_refuses(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let client = server.confidential_client().grants(["refresh_token"]).create();
    let lacking = server.confidential_client().grants(["password"]).create();
    let context = server.context();
    for (presented, _, error) in refusals(&client, &lacking).into_iter().filter(|(_, scope, _)| *scope == "orders") {
        let parameters = parameters(&[("refresh_token", "a token")]);
        let request = GrantRequest::read(GrantType::RefreshToken, &parameters, &presented).unwrap();
        let recover = async |_: &str| Ok(Some(family(&presented.client_id, "orders")));

        let answers = Answers::new(context, &request);
        let refused = block_on(refresh(&request, &answers, &|| answers.refusal(), recover, |f| f)).unwrap_err();
        assert_eq!(refused.code, error);

        let (granted, _) = block_on(refresh(&request, &Yes, &never_asked, recover, |f| f)).unwrap();
        assert_eq!(granted.scope.to_string(), "orders");
    }
}

fn family(client_id: &str, scope: &str) -> Family {
    let at = Timestamp::from_seconds(0);
    Family {
        id: "0199a0c8-0000-7000-8000-000000000001".to_owned(),
        client_id: client_id.to_owned(),
        user_id: "u".to_owned(),
        scope: ScopeSet::parse(scope).unwrap(),
        audience: Vec::new(),
        salt: "salt".to_owned(),
        generation: 1,
        auth_time: at,
        rotated_at: at,
        idle_expires_at: at,
        absolute_expires_at: at,
        revoked_at: None,
    }
}

/// What the machine says of a refresh by the client `c`, with nothing but the machine to refuse it.
fn machine_alone(pairs: &[(&str, &str)], found: Option<Family>) -> Result<String, ErrorCode> {
    let (parameters, presented) = (parameters(pairs), presented("c", "s"));
    let request = GrantRequest::read(GrantType::RefreshToken, &parameters, &presented).unwrap();
    let recover = async |token: &str| {
        assert_eq!(token, "a token");
        Ok(found)
    };
    let outcome = block_on(refresh(&request, &Yes, &never_asked, recover, |family| family));
    outcome.map(|(granted, _)| granted.scope.to_string()).map_err(|error| error.code)
}

#[test]
fn the_machine_refuses_a_family_of_another_client() {
    let token = [("refresh_token", "a token")];
    assert_eq!(machine_alone(&token, Some(family("c", "a b"))), Ok("a b".to_owned()));
    assert_eq!(machine_alone(&token, Some(family("another", "a b"))), Err(ErrorCode::InvalidGrant));
    assert_eq!(machine_alone(&token, Some(family("C", "a b"))), Err(ErrorCode::InvalidGrant));
    assert_eq!(machine_alone(&token, None), Err(ErrorCode::InvalidGrant));
}

#[test]
fn the_machine_refuses_a_wider_scope() {
    let asked = |scope| machine_alone(&[("refresh_token", "a token"), ("scope", scope)], Some(family("c", "a b")));
    assert_eq!(asked("b"), Ok("b".to_owned()));
    assert_eq!(asked("b a"), Ok("a b".to_owned()));
    assert_eq!(asked("a b c"), Err(ErrorCode::InvalidScope));
    assert_eq!(asked("c"), Err(ErrorCode::InvalidScope));
}

#[test]
fn the_machine_refuses_a_refresh_without_a_token() {
    assert_eq!(machine_alone(&[("scope", "a")], Some(family("c", "a b"))), Err(ErrorCode::InvalidRequest));
    assert_eq!(machine_alone(&[("refresh_token", "")], Some(family("c", "a"))), Err(ErrorCode::InvalidRequest));
}
