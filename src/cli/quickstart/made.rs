//! What a quickstart makes: clients, users and a first sign-in, each by the verb that every other face calls.

use crate::admin::Authority;
use crate::admin::clients::{self, NewClient};
use crate::admin::users::{self, UserRequest};
use crate::cli::Failure;
use crate::config::Config;
use crate::crypto::secret::SecretString;
use crate::login::Network;
use crate::oauth::Context;
use crate::oauth::client_authentication::read;
use crate::oauth::grants::{TokenRequest, exchange};
use crate::oauth::parameters::{MediaType, Parameters};

/// Where things are made.
pub(super) struct Workshop<'a> {
    pub(super) config: &'a Config,
    pub(super) context: &'a Context,
    pub(super) by: Authority,
}

/// A client or a user, with the secret that is shown once.
pub(super) struct Made {
    /// The client id or the username.
    pub(super) name: String,
    /// The secret or the password.
    pub(super) secret: String,
}

/// What one path of a platform made.
pub(super) struct Path {
    /// What is shown, and can be pasted.
    pub(super) lines: String,
    /// The same for a program: name and value.
    pub(super) made: Vec<(&'static str, String)>,
}

impl Workshop<'_> {
    /// A confidential client.
    pub(super) async fn client(&self, new: NewClient) -> Result<Made, Failure> {
        let made = clients::create(self.context, &self.by, &new).await?;
        let secret = made.secret.map(SecretString::into_exposed).unwrap_or_default();
        Ok(Made { name: made.client.client_id, secret })
    }

    /// An API user with a generated password.
    pub(super) async fn api_user(&self, request: UserRequest) -> Result<Made, Failure> {
        let request = UserRequest { kind: Some("api_user".to_owned()), ..request };
        let made = users::create(self.context, &self.by, &request).await?;
        let secret = made.password.map(SecretString::into_exposed).unwrap_or_default();
        Ok(Made { name: made.username, secret })
    }

    /// Signs a user in once through a client, so that there is a refresh token to paste.
    pub(super) async fn refresh_token(&self, client: &Made, user: &Made) -> Result<String, Failure> {
        let failed = |cause: String| Failure::Refused(format!("the first sign-in failed: {cause}"));
        let form = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "password")
            .append_pair("client_id", &client.name)
            .append_pair("client_secret", &client.secret)
            .append_pair("username", &user.name)
            .append_pair("password", &user.secret)
            .finish();
        let parameters =
            Parameters::parse(MediaType::Form, form.as_bytes()).map_err(|error| failed(error.description.into()))?;
        let presented = read(None, &parameters).map_err(|error| failed(error.description.into()))?;
        let network = Network::of(std::net::Ipv4Addr::LOCALHOST.into());
        let request = TokenRequest { parameters, presented, network, request_id: "quickstart".into() };
        let tokens = exchange(self.context, &request).await.map_err(|error| failed(error.description.into()))?;
        Ok(tokens.refresh_token.map(SecretString::into_exposed).unwrap_or_default())
    }
}
