//! The calls that a developer's program makes with its credentials: for a token, where it needs one, and then to the API.

use crate::config::TokenPath;
use crate::model::client::{AuthenticationMethod, Client, ClientKind};

crate::words! {
    /// The shapes that credentials have.
    Shape {
        /// A client for itself: a token by RFC 6749 section 4.4.
        ClientCredentials = "client_credentials",
        /// A user's name and password, through a client: a token by RFC 6749 section 4.3.
        Password = "password",
        /// A user's name and password in each request, by RFC 7617.
        Basic = "basic",
        /// A client's id and secret in each request.
        ClientHeaders = "client_headers",
        /// An API key in each request, with the user and the business that it belongs to.
        ApiKey = "api_key",
    }
}

/// The variable that holds a client secret where a program does not name it.
pub const CLIENT_SECRET: Value = Value::Variable("GRANTOR_CLIENT_SECRET");
/// The variable that holds a username.
pub const USERNAME: Value = Value::Variable("GRANTOR_USERNAME");
/// The variable that holds a password.
pub const PASSWORD: Value = Value::Variable("GRANTOR_PASSWORD");
/// The variable that holds an API key.
pub const API_KEY: Value = Value::Variable("GRANTOR_API_KEY");

/// A value in a program. It can be a secret, so it cannot be printed.
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    /// Written down in the program.
    Known(String),
    /// In the environment variable of this name.
    Variable(&'static str),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Known(text.to_owned())
    }
}

/// The server that is called.
#[derive(Debug, Clone)]
pub struct Site {
    /// The base of every URL.
    pub issuer: String,
    /// The token endpoint, at the path that this platform's developers know.
    pub token_url: String,
    /// Whether they send it JSON rather than a form.
    pub token_json: bool,
}

impl Site {
    /// The server of an issuer. Of the further token paths the first that is one path counts.
    #[must_use]
    pub fn new(issuer: &str, further: &[TokenPath]) -> Self {
        let known = further.iter().find(|one| !one.path.contains('{'));
        Self {
            issuer: issuer.to_owned(),
            token_url: format!("{issuer}{}", known.map_or("/oauth/token", |one| &one.path)),
            token_json: known.is_some_and(|one| one.errors == crate::config::ErrorShape::Akeneo),
        }
    }

    /// The address that answers who the caller is.
    #[must_use]
    pub fn me_url(&self) -> String {
        format!("{}/api/v1/me", self.issuer)
    }
}

/// How a client proves who it is.
#[derive(Clone)]
pub struct ClientAccess {
    /// The client id.
    pub id: String,
    /// The secret; none for a public client.
    pub secret: Option<Value>,
    /// Whether it goes in the body, because the registration pins that.
    pub in_body: bool,
}

impl ClientAccess {
    /// How a registered client does; `secret` is its secret where that is known.
    #[must_use]
    pub fn of(client: &Client, secret: Value) -> Self {
        Self {
            id: client.client_id.clone(),
            secret: (client.kind == ClientKind::Confidential).then_some(secret),
            in_body: client.authentication_method == Some(AuthenticationMethod::ClientSecretPost),
        }
    }

    /// Name and password for HTTP Basic; none where the credentials go in the body.
    #[must_use]
    pub fn basic(&self) -> Option<(Value, Value)> {
        // RFC 6749 section 2.3.1: both are form-urlencoded first. A secret has no character that needs it.
        let id = url::form_urlencoded::byte_serialize(self.id.as_bytes()).collect::<String>();
        (!self.in_body).then(|| (Value::Known(id), self.secret.clone().unwrap_or(Value::Known(String::new()))))
    }

    /// The members of the body that authenticate it; none where HTTP Basic does.
    #[must_use]
    pub fn body(&self) -> Vec<(&'static str, Value)> {
        if !self.in_body {
            return Vec::new();
        }
        let secret = self.secret.clone().map(|secret| ("client_secret", secret));
        [("client_id", Value::Known(self.id.clone()))].into_iter().chain(secret).collect()
    }
}

/// The request for a token.
#[derive(Clone)]
pub struct TokenCall {
    /// The token endpoint.
    pub url: String,
    /// HTTP Basic.
    pub basic: Option<(Value, Value)>,
    /// The form.
    pub form: Vec<(&'static str, Value)>,
}

/// The calls of one program.
#[derive(Clone)]
pub struct Call {
    /// For a token, which is then sent to the API; none where the credentials themselves are.
    pub token: Option<TokenCall>,
    /// The address of the API.
    pub url: String,
    /// HTTP Basic, where the API takes the credentials so.
    pub basic: Option<(Value, Value)>,
    /// Headers with credentials.
    pub headers: Vec<(&'static str, Value)>,
}

impl Call {
    fn direct(site: &Site, basic: Option<(Value, Value)>, headers: Vec<(&'static str, Value)>) -> Self {
        Self { token: None, url: site.me_url(), basic, headers }
    }

    fn with_token(site: &Site, client: &ClientAccess, grant: &[(&'static str, Value)]) -> Self {
        let form = grant.iter().cloned().chain(client.body()).collect();
        let token = TokenCall { url: site.token_url.clone(), basic: client.basic(), form };
        Self { token: Some(token), ..Self::direct(site, None, Vec::new()) }
    }

    /// A client for itself.
    #[must_use]
    pub fn client_credentials(site: &Site, client: &ClientAccess) -> Self {
        Self::with_token(site, client, &[("grant_type", "client_credentials".into())])
    }

    /// A user through a client, which is public if it has no secret.
    #[must_use]
    pub fn password(site: &Site, client: &ClientAccess, username: Value, password: Value) -> Self {
        let grant = [("grant_type", "password".into()), ("username", username), ("password", password)];
        Self::with_token(site, client, &grant)
    }

    /// A user's name and password in each request.
    #[must_use]
    pub fn basic(site: &Site, username: Value, password: Value) -> Self {
        Self::direct(site, Some((username, password)), Vec::new())
    }

    /// A client's id and secret in each request.
    #[must_use]
    pub fn client_headers(site: &Site, client: &ClientAccess) -> Self {
        let secret = client.secret.clone().map(|secret| ("Client-Secret", secret));
        let headers = [("Client-ID", Value::Known(client.id.clone()))].into_iter().chain(secret);
        Self::direct(site, None, headers.collect())
    }

    /// An API key in each request.
    #[must_use]
    pub fn api_key(site: &Site, api_key: Value, user_id: &str, business_id: &str) -> Self {
        let headers = [("X-API-Key", api_key), ("X-User-ID", user_id.into()), ("X-Business-ID", business_id.into())];
        Self::direct(site, None, headers.into())
    }

    /// Every value in it.
    pub fn values(&self) -> impl Iterator<Item = &Value> {
        let token = self.token.iter().flat_map(|token| {
            let basic = token.basic.iter().flat_map(|(name, secret)| [name, secret]);
            basic.chain(token.form.iter().map(|(_, value)| value))
        });
        let api = self.basic.iter().flat_map(|(name, secret)| [name, secret]);
        token.chain(api).chain(self.headers.iter().map(|(_, value)| value))
    }

    /// Whether HTTP Basic is used in it anywhere.
    #[must_use]
    pub fn uses_basic(&self) -> bool {
        self.basic.is_some() || self.token.as_ref().is_some_and(|token| token.basic.is_some())
    }
}
