//! Clients and users of a test's server.

use std::sync::atomic::{AtomicUsize, Ordering};

use grantor::admin::clients::{self, NewClient};
use grantor::admin::roles::{self, RoleRequest};
use grantor::admin::scopes;
use grantor::admin::users::{self, UserRequest};
use grantor::crypto::secret::SecretString;
use grantor::model::scope::CatalogueScope;

use super::answer::{Answer, basic};
use super::server::Server;

static NUMBER: AtomicUsize = AtomicUsize::new(1);

/// A client to be made.
pub struct ClientBuilder<'a> {
    server: &'a Server,
    new: NewClient,
}

impl<'a> ClientBuilder<'a> {
    pub(super) fn new(server: &'a Server, public: bool) -> Self {
        let label = format!("client {}", NUMBER.fetch_add(1, Ordering::Relaxed));
        Self { server, new: NewClient { label, public, ..NewClient::default() } }
    }

    /// `password`, `refresh_token`, `client_credentials`.
    pub fn grants<const N: usize>(mut self, grants: [&str; N]) -> Self {
        self.new.grant_types = grants.map(str::to_owned).to_vec();
        self
    }

    /// Approved scopes; those that are not in the catalogue are added to it.
    pub fn scopes<const N: usize>(mut self, names: [&str; N]) -> Self {
        self.new.scopes = names.map(str::to_owned).to_vec();
        for name in names {
            self.server.run(async |context, by| {
                let known = scopes::list(context).await.unwrap();
                if !known.iter().any(|scope| scope.name == name) {
                    let scope = CatalogueScope {
                        name: name.to_owned(),
                        description: String::new(),
                        requires_approval: false,
                        audience: None,
                    };
                    scopes::create(context, by, scope).await.unwrap();
                }
            });
        }
        self
    }

    pub fn audiences<const N: usize>(mut self, audiences: [&str; N]) -> Self {
        self.new.audiences = audiences.map(str::to_owned).to_vec();
        self
    }

    pub fn may_introspect(mut self) -> Self {
        self.new.may_introspect = true;
        self
    }

    /// Anything else of a new client.
    pub fn change(mut self, change: impl FnOnce(&mut NewClient)) -> Self {
        change(&mut self.new);
        self
    }

    pub fn create(self) -> TestClient<'a> {
        let made =
            self.server.run(async |context, by| clients::create(context, by, &self.new).await.expect("a client"));
        TestClient {
            server: self.server,
            id: made.client.client_id,
            secret: made.secret.map(SecretString::into_exposed).unwrap_or_default(),
        }
    }
}

/// A client of a server; every call authenticates with Basic.
#[derive(Clone)]
pub struct TestClient<'a> {
    pub server: &'a Server,
    pub id: String,
    /// Empty for a public client.
    pub secret: String,
}

impl<'a> TestClient<'a> {
    /// The same client as another node sees it.
    pub fn at<'b>(&self, server: &'b Server) -> TestClient<'b> {
        TestClient { server, id: self.id.clone(), secret: self.secret.clone() }
    }

    pub fn authorization(&self) -> String {
        basic(&self.id, &self.secret)
    }

    pub fn post(&self, path: &str, pairs: &[(&str, &str)]) -> Answer {
        self.server.post(path, pairs, &[("Authorization", &self.authorization())])
    }

    pub fn token(&self, pairs: &[(&str, &str)]) -> Answer {
        self.post("/oauth/token", pairs)
    }

    pub fn password_grant(&self, user: &TestUser) -> Answer {
        self.password_grant_with(user, &[])
    }

    /// With further parameters, as `scope`.
    pub fn password_grant_with(&self, user: &TestUser, further: &[(&str, &str)]) -> Answer {
        let mut pairs = vec![("grant_type", "password"), ("username", &user.username), ("password", &user.password)];
        pairs.extend_from_slice(further);
        self.token(&pairs)
    }

    pub fn refresh(&self, refresh_token: &str) -> Answer {
        self.token(&[("grant_type", "refresh_token"), ("refresh_token", refresh_token)])
    }

    pub fn client_credentials(&self) -> Answer {
        self.token(&[("grant_type", "client_credentials")])
    }

    pub fn introspect(&self, token: &str) -> Answer {
        self.post("/oauth/introspect", &[("token", token)])
    }

    pub fn revoke(&self, token: &str) -> Answer {
        self.post("/oauth/revoke", &[("token", token)])
    }
}

/// A user to be made.
pub struct UserBuilder<'a> {
    server: &'a Server,
    request: UserRequest,
    permissions: Option<Vec<String>>,
}

impl<'a> UserBuilder<'a> {
    pub(super) fn new(server: &'a Server, kind: &str) -> Self {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let password = (kind == "person").then(|| SecretString::from(format!("a fine long passphrase {number}")));
        let request = UserRequest {
            username: format!("user{number}"),
            kind: Some(kind.to_owned()),
            password,
            ..UserRequest::default()
        };
        Self { server, request, permissions: None }
    }

    pub fn username(mut self, username: &str) -> Self {
        self.request.username = username.to_owned();
        self
    }

    /// A chosen password (bcrypt), for an API user too.
    pub fn password(mut self, password: &str) -> Self {
        self.request.password = Some(SecretString::from(password));
        self
    }

    /// A role of their own with these permissions, instead of the built-in `api user`.
    pub fn permissions<const N: usize>(mut self, permissions: [&str; N]) -> Self {
        self.permissions = Some(permissions.map(str::to_owned).to_vec());
        self
    }

    /// Anything else of a new user.
    pub fn change(mut self, change: impl FnOnce(&mut UserRequest)) -> Self {
        change(&mut self.request);
        self
    }

    pub fn create(mut self) -> TestUser {
        if let Some(permissions) = &self.permissions {
            let name = format!("role of {}", self.request.username);
            self.server.run(async |context, by| {
                roles::create(
                    context,
                    by,
                    None,
                    &RoleRequest { name: name.clone(), permissions: permissions.clone(), ..RoleRequest::default() },
                )
                .await
                .expect("a role");
            });
            self.request.roles = vec![name];
        }
        let made =
            self.server.run(async |context, by| users::create(context, by, &self.request).await.expect("a user"));
        let chosen = self.request.password.map(SecretString::into_exposed);
        let generated = made.password.map(SecretString::into_exposed);
        TestUser { id: made.id, username: made.username, password: generated.or(chosen).unwrap_or_default() }
    }
}

/// A user of a server.
#[derive(Debug, Clone)]
pub struct TestUser {
    pub id: String,
    pub username: String,
    pub password: String,
}

impl TestUser {
    /// The same user with another password to try.
    pub fn with_password(&self, password: &str) -> Self {
        Self { password: password.to_owned(), ..self.clone() }
    }
}
