//! `grantor quickstart`: from an empty folder to a first token.

use crate::admin::clients::{self, NewClient};
use crate::admin::credentials;
use crate::admin::setup::ADMIN_USERNAME;
use crate::admin::{Authority, passwords};
use crate::app::{self, StartError};
use crate::cli::session::Session;
use crate::cli::{Failure, output};
use crate::config::Config;
use crate::login::Network;
use crate::oauth::Context;
use crate::oauth::client_authentication::read;
use crate::oauth::grants::{TokenRequest, exchange};
use crate::oauth::parameters::{MediaType, Parameters};
use crate::telemetry;

pub(super) fn run(session: &Session) -> Result<(), Failure> {
    let config = session.config()?;
    telemetry::start(config.log.format, "warn").map_err(|cause| Failure::Refused(cause.to_string()))?;
    // The ports are bound before anything is made or printed: what is shown once is shown by a server that runs.
    let made_for = config.clone();
    let printed = async move |app: &app::App| -> Result<(), StartError> {
        let address = app.address()?;
        if app.is_new() {
            let lines = set_up(&made_for, app.context()).await;
            output::line(&lines.map_err(|failure| StartError::Setting(failure.to_string()))?);
        } else {
            output::line(
                "It is set up already: nothing was made. \
                 'grantor client create --help' makes another client, 'grantor credentials create --help' other credentials.",
            );
        }
        output::line(&format!("Serving on http://{address} until Ctrl-C."));
        Ok(())
    };
    Ok(app::serve(config, printed)?)
}

async fn set_up(config: &Config, context: &Context) -> Result<String, Failure> {
    let by = Authority::operator();
    let (_, admin_password) = passwords::rotate(context, &by, ADMIN_USERNAME).await?;
    let programmatic = &config.credentials.programmatic_client_id;
    let machine = credentials::create(context, &by, "quickstart", "", &[]).await?;
    let application = NewClient {
        label: "Quickstart application".to_owned(),
        grant_types: ["password", "refresh_token", "client_credentials"].map(str::to_owned).to_vec(),
        scopes: ["openid", "profile", "email"].map(str::to_owned).to_vec(),
        may_introspect: true,
        ..NewClient::default()
    };
    let application = clients::create(context, &by, &application).await?;
    let secret = application.secret.map(crate::crypto::secret::SecretString::into_exposed).unwrap_or_default();
    let client_id = application.client.client_id;
    let username = machine.user.username;
    let password = machine.user.password.map(crate::crypto::secret::SecretString::into_exposed).unwrap_or_default();
    let refresh_token = first_refresh_token(context, &client_id, &secret, &username, &password).await?;
    let (endpoint, issuer) = (machine.token_endpoint, &context.settings.issuer);
    let admin_password = admin_password.into_exposed();
    let client = format!("curl -u {client_id}:{secret}");
    Ok(format!(
        r#"Grantor is ready. Everything is in ./data; keep data/master.key safe, the database is useless without it.

Administrator   {ADMIN_USERNAME}   password {admin_password}   (shown only now)
Application     {client_id}   secret {secret}   (shown only now)

A username and password for a token, through the public client:

  curl -u '{programmatic}:' -d grant_type=password -d scope=openid \
    --data-urlencode 'username={username}' \
    --data-urlencode 'password={password}' \
    {endpoint}

The application for itself:

  {client} -d grant_type=client_credentials {endpoint}

A refresh token for a new access token and its successor (each works once):

  {client} -d grant_type=refresh_token -d refresh_token={refresh_token} {endpoint}

A token opens the API:

  curl -H "Authorization: Bearer $({client} -s -d grant_type=client_credentials {endpoint} | sed 's/.*"access_token":"\([^"]*\)".*/\1/')" {issuer}/api/v1/me

Where next: {issuer}/.well-known/openid-configuration, 'grantor --help', 'grantor doctor'.
"#
    ))
}

/// Signs the quickstart's user in once through the application, so that there is a refresh token to paste.
async fn first_refresh_token(
    context: &Context,
    client_id: &str,
    secret: &str,
    username: &str,
    password: &str,
) -> Result<String, Failure> {
    let failed = |cause: String| Failure::Refused(format!("the first sign-in failed: {cause}"));
    let form = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", "password")
        .append_pair("client_id", client_id)
        .append_pair("client_secret", secret)
        .append_pair("username", username)
        .append_pair("password", password)
        .finish();
    let parameters =
        Parameters::parse(MediaType::Form, form.as_bytes()).map_err(|error| failed(error.description.into()))?;
    let presented = read(None, &parameters).map_err(|error| failed(error.description.into()))?;
    let network = Network::of(std::net::Ipv4Addr::LOCALHOST.into());
    let request = TokenRequest { parameters, presented, network, request_id: "quickstart".to_owned() };
    let tokens = exchange(context, &request).await.map_err(|error| failed(error.description.into()))?;
    Ok(tokens.refresh_token.map(crate::crypto::secret::SecretString::into_exposed).unwrap_or_default())
}
