//! `grantor quickstart`: from an empty folder to a first token.

use serde::Serialize;

use crate::admin::clients::{self, NewClient};
use crate::admin::setup::ADMIN_USERNAME;
use crate::admin::{credentials, users};
use crate::app::{self, StartError};
use crate::cli::session::Session;
use crate::cli::{Failure, output};
use crate::config::Config;
use crate::crypto::secret::SecretString;
use crate::login::Network;
use crate::model::audit::Actor;
use crate::oauth::Context;
use crate::oauth::client_authentication::read;
use crate::oauth::grants::{TokenRequest, exchange};
use crate::oauth::parameters::{MediaType, Parameters};
use crate::telemetry;

/// What the quickstart made; shown this once.
#[derive(Serialize)]
struct Made {
    admin_username: &'static str,
    admin_password: String,
    client_id: String,
    client_secret: String,
    programmatic_client_id: String,
    username: String,
    password: String,
    refresh_token: String,
}

pub(super) fn run(session: &Session) -> Result<(), Failure> {
    let config = session.config()?;
    let as_json = session.json;
    telemetry::start(config.log.format, "warn").map_err(|cause| Failure::Refused(cause.to_string()))?;
    // The ports are bound before anything is made or printed: what is shown once is shown by a server that runs.
    let made_for = config.clone();
    let printed = async move |app: &app::App| -> Result<(), StartError> {
        let made = if app.is_new() { Some(set_up(&made_for, app.context()).await) } else { None };
        let refused = |failure: Failure| StartError::Setting(failure.to_string());
        let made = made.transpose().map_err(refused)?;
        if as_json {
            return print_json(made.as_ref(), &app.context().settings.issuer).map_err(refused);
        }
        match made {
            Some(made) => output::line(&lines(&made, &app.context().settings.issuer)),
            None => output::line(
                "It is set up already: nothing was made. \
                 'grantor client create --help' makes another client, 'grantor credentials create --help' other credentials.",
            ),
        }
        output::line(&format!("Serving on http://{} until Ctrl-C.", app.address()?));
        Ok(())
    };
    Ok(app::serve(config, printed)?)
}

/// One object, also where nothing was made.
fn print_json(made: Option<&Made>, issuer: &str) -> Result<(), Failure> {
    #[derive(Serialize)]
    struct Answer<'a> {
        is_new: bool,
        issuer: &'a str,
        token_endpoint: String,
        #[serde(flatten)]
        made: Option<&'a Made>,
    }
    output::json(&Answer { is_new: made.is_some(), issuer, token_endpoint: token_endpoint(issuer), made })
}

fn token_endpoint(issuer: &str) -> String {
    format!("{issuer}/oauth/token")
}

async fn set_up(config: &Config, context: &Context) -> Result<Made, Failure> {
    let actor = Actor::command_line();
    let (_, admin_password) = users::rotate_password(context, &actor, ADMIN_USERNAME).await?;
    let programmatic = &config.credentials.programmatic_client_id;
    let machine = credentials::create(context, &actor, programmatic, "quickstart", "", &[]).await?;
    let prefixes = clients::Prefixes {
        client_id: config.credentials.client_id_prefix.clone(),
        client_secret: config.credentials.client_secret_prefix.clone(),
    };
    let application = NewClient {
        label: "Quickstart application".to_owned(),
        grant_types: ["password", "refresh_token", "client_credentials"].map(str::to_owned).to_vec(),
        scopes: ["openid", "profile", "email"].map(str::to_owned).to_vec(),
        may_introspect: true,
        ..NewClient::default()
    };
    let application = clients::create(context, &actor, &prefixes, &application).await?;
    let client_secret = application.secret.map(SecretString::into_exposed).unwrap_or_default();
    let client_id = application.client.client_id;
    let username = machine.user.username;
    let password = machine.user.password.map(SecretString::into_exposed).unwrap_or_default();
    Ok(Made {
        admin_username: ADMIN_USERNAME,
        admin_password: admin_password.into_exposed(),
        refresh_token: first_refresh_token(context, &client_id, &client_secret, &username, &password).await?,
        client_id,
        client_secret,
        programmatic_client_id: programmatic.clone(),
        username,
        password,
    })
}

/// What is made, and what to paste.
fn lines(made: &Made, issuer: &str) -> String {
    let Made { admin_username, admin_password, client_id, client_secret, username, password, refresh_token, .. } = made;
    let (programmatic, endpoint) = (&made.programmatic_client_id, token_endpoint(issuer));
    let client = format!("curl -u {client_id}:{client_secret}");
    format!(
        r#"Grantor is ready. Everything is in ./data; keep data/master.key safe, the database is useless without it.

Administrator   {admin_username}   password {admin_password}   (shown only now)
Application     {client_id}   secret {client_secret}   (shown only now)

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
    )
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
    Ok(tokens.refresh_token.map(SecretString::into_exposed).unwrap_or_default())
}
