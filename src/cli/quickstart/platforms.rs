//! The lines that each platform's own document leads to, with what was made filled in. Every one can be pasted.

use crate::admin::api_keys::{self, NewApiKey};
use crate::admin::clients::NewClient;
use crate::admin::credentials;
use crate::admin::roles::{self, RoleRequest};
use crate::admin::users::UserRequest;
use crate::cli::Failure;
use crate::cli::quickstart::made::{Made, Path, Workshop};
use crate::crypto::secret::SecretString;
use crate::developer::call::Site;
use crate::model::role::API_ACCESS;

/// What takes the token out of an answer.
const TOKEN: &str = r#"sed 's/.*"access_token":"\([^"]*\)".*/\1/'"#;

fn owned<const N: usize>(words: [&str; N]) -> Vec<String> {
    words.map(str::to_owned).to_vec()
}

fn site(workshop: &Workshop<'_>) -> Site {
    Site::new(&workshop.context.settings.issuer, &workshop.config.http.token_path)
}

/// A generated username and password, as `curl` sends them through the public client.
async fn machine(workshop: &Workshop<'_>) -> Result<(Made, String), Failure> {
    let programmatic = &workshop.config.credentials.programmatic_client_id;
    let made = credentials::create(workshop.context, &workshop.by, "quickstart", "", &[]).await?;
    let password = made.user.password.map(SecretString::into_exposed).unwrap_or_default();
    let user = Made { name: made.user.username, secret: password };
    let lines = format!(
        "curl -u '{programmatic}:' -d grant_type=password -d scope=openid \\\n    \
         --data-urlencode 'username={}' \\\n    \
         --data-urlencode 'password={}' \\\n    {}",
        user.name, user.secret, made.token_endpoint
    );
    Ok((user, lines))
}

/// All three grants, and the API.
pub(super) async fn neutral(workshop: &Workshop<'_>) -> Result<Path, Failure> {
    let (user, machine) = machine(workshop).await?;
    let application = NewClient {
        label: "Quickstart application".to_owned(),
        grant_types: owned(["password", "refresh_token", "client_credentials"]),
        scopes: owned(["openid", "profile", "email"]),
        may_introspect: true,
        ..NewClient::default()
    };
    let application = workshop.client(application).await?;
    let refresh_token = workshop.refresh_token(&application, &user).await?;
    let Made { name: client_id, secret } = application;
    let issuer = &workshop.context.settings.issuer;
    let endpoint = format!("{issuer}/oauth/token");
    let client = format!("curl -u {client_id}:{secret}");
    let lines = format!(
        r#"Application     {client_id}   secret {secret}   (shown only now)

A username and password for a token, through the public client:

  {machine}

The application for itself:

  {client} -d grant_type=client_credentials {endpoint}

A refresh token for a new access token and its successor (each works once; a repeat within `refresh.reuse_window` gets the same):

  {client} -d grant_type=refresh_token -d refresh_token={refresh_token} {endpoint}

A token opens the API:

  curl -H "Authorization: Bearer $({client} -s -d grant_type=client_credentials {endpoint} | {TOKEN})" {issuer}/api/v1/me
"#
    );
    let made = vec![
        ("client_id", client_id),
        ("client_secret", secret),
        ("programmatic_client_id", workshop.config.credentials.programmatic_client_id.clone()),
        ("username", user.name),
        ("password", user.secret),
        ("refresh_token", refresh_token),
    ];
    Ok(Path { lines, made })
}

/// New credentials, and what Swagger UI's Authorize box sends with them.
pub(super) async fn biotz(workshop: &Workshop<'_>) -> Result<Path, Failure> {
    let (user, machine) = machine(workshop).await?;
    let me = site(workshop).me_url();
    let one_line = machine.replace(" \\\n    ", " ").replacen("curl ", "curl -s ", 1);
    let lines = format!(
        r#"Credentials     quickstart   username {}
                password {}   (shown only now)

The credentials for tokens: the client's secret stays empty, `openid` is ticked:

  {machine}

A token opens the API:

  curl -H "Authorization: Bearer $({one_line} | {TOKEN})" {me}
"#,
        user.name, user.secret
    );
    let made = vec![
        ("programmatic_client_id", workshop.config.credentials.programmatic_client_id.clone()),
        ("username", user.name),
        ("password", user.secret),
    ];
    Ok(Path { lines, made })
}

/// An approved application.
pub(super) async fn buymed(workshop: &Workshop<'_>) -> Result<Path, Failure> {
    let application = NewClient {
        label: "Quickstart application".to_owned(),
        grant_types: owned(["client_credentials"]),
        scopes: owned(["profile"]),
        ..NewClient::default()
    };
    let Made { name, secret } = workshop.client(application).await?;
    let Site { token_url, .. } = site(workshop);
    let me = site(workshop).me_url();
    let lines = format!(
        r"Application     Client ID {name}   Client Secret {secret}   (shown only now)

Id and secret as headers of each request:

  curl -H 'Client-ID: {name}' -H 'Client-Secret: {secret}' {me}

Or for a token, which APIs check without asking:

  curl -u {name}:{secret} -d grant_type=client_credentials {token_url}
"
    );
    let made = vec![("client_id", name), ("client_secret", secret)];
    Ok(Path { lines, made })
}

/// A dedicated API user, an API key of theirs, and the two ids that are always visible.
pub(super) async fn kizen(workshop: &Workshop<'_>) -> Result<Path, Failure> {
    let user = UserRequest { username: "integration".to_owned(), ..UserRequest::default() };
    let user = workshop.api_user(user).await?;
    let new = NewApiKey {
        user: Some(user.name.clone()),
        name: Some("quickstart".to_owned()),
        organization: None,
        scopes: None,
        expires_at: None,
        networks: Vec::new(),
        reveal: workshop.context.credentials.reveal.api_key,
    };
    let made = api_keys::create(workshop.context, &workshop.by, &new).await?;
    let me = site(workshop).me_url();
    let (user_id, business_id) = (made.key.user_id, made.key.organization_id);
    let (username, key) = (user.name, made.secret.into_exposed());
    let lines = format!(
        r"API user        {username}
API Key         {key}
User ID         {user_id}
Business ID     {business_id}

The three with each request:

  curl -H 'X-API-Key: {key}' -H 'X-User-ID: {user_id}' -H 'X-Business-ID: {business_id}' {me}

The key alone, which knows the other two:

  curl -H 'X-API-Key: {key}' {me}

"
    );
    let made = vec![("username", username), ("api_key", key), ("user_id", user_id), ("business_id", business_id)];
    Ok(Path { lines, made })
}

/// An API user with a role, and an API connection.
pub(super) async fn akeneo(workshop: &Workshop<'_>) -> Result<Path, Failure> {
    let role = "My API user role";
    let request = RoleRequest { name: role.to_owned(), permissions: owned([API_ACCESS]), ..RoleRequest::default() };
    roles::create(workshop.context, &workshop.by, None, &request).await?;
    let user = UserRequest { username: "myAPIuser".to_owned(), roles: owned([role]), ..UserRequest::default() };
    let user = workshop.api_user(user).await?;
    let connection = NewClient {
        label: "My very first API connection".to_owned(),
        grant_types: owned(["password", "refresh_token"]),
        ..NewClient::default()
    };
    let connection = workshop.client(connection).await?;
    let refresh_token = workshop.refresh_token(&connection, &user).await?;
    let Made { name: username, secret: password } = user;
    let Made { name: client_id, secret } = connection;
    let Site { token_url, .. } = site(workshop);
    let me = site(workshop).me_url();
    let client = format!("-u {client_id}:{secret} -H 'Content-Type: application/json'");
    let login = format!(r#"'{{"grant_type":"password","username":"{username}","password":"{password}"}}'"#);
    let refresh = format!(r#"'{{"grant_type":"refresh_token","refresh_token":"{refresh_token}"}}'"#);
    let lines = format!(
        r#"API user        {username}   password {password}   (shown only now)
API connection  client id {client_id}   secret {secret}   (shown only now)

Username and password for tokens:

  curl {client} \
    -d {login} \
    {token_url}

A refresh token for a new pair (each works once; a repeat within `refresh.reuse_window` gets the same):

  curl {client} \
    -d {refresh} \
    {token_url}

A token opens the API:

  curl -H "Authorization: Bearer $(curl -s {client} -d {login} {token_url} | {TOKEN})" {me}
"#
    );
    let made = vec![
        ("username", username),
        ("password", password),
        ("client_id", client_id),
        ("client_secret", secret),
        ("refresh_token", refresh_token),
    ];
    Ok(Path { lines, made })
}

/// A user whose only access method is the API, and the client that follows HTTP Basic.
pub(super) async fn bandwidth(workshop: &Workshop<'_>) -> Result<Path, Failure> {
    let user = UserRequest {
        username: "jdoe".to_owned(),
        email: Some("jdoe@example.com".to_owned()),
        name: "Jay Doe".to_owned(),
        access: owned(["api"]),
        ..UserRequest::default()
    };
    let user = workshop.api_user(user).await?;
    let successor = NewClient {
        label: "jdoe, without HTTP Basic".to_owned(),
        grant_types: owned(["client_credentials"]),
        scopes: owned(["profile"]),
        ..NewClient::default()
    };
    let client = workshop.client(successor).await?;
    let Site { token_url, .. } = site(workshop);
    let me = site(workshop).me_url();
    let lines = format!(
        r#"API user        {}   password {}   (shown only now)
Application     {}   secret {}   (shown only now)

Username and password with each request (HTTP Basic):

  curl -u {}:{} {me}

The same by OAuth 2.0, which is to follow HTTP Basic:

  curl -H "Authorization: Bearer $(curl -s -u {}:{} -d grant_type=client_credentials {token_url} | {TOKEN})" {me}
"#,
        user.name, user.secret, client.name, client.secret, user.name, user.secret, client.name, client.secret
    );
    let made = vec![
        ("username", user.name),
        ("password", user.secret),
        ("client_id", client.name),
        ("client_secret", client.secret),
    ];
    Ok(Path { lines, made })
}
