//! `grantor client …`

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::admin::client_secrets;
use crate::admin::clients::{self, NewClient};
use crate::cli::session::{Desk, Session, everything, parse_seconds};
use crate::cli::{Failure, access, output};
use crate::model::client::{Client, ClientStatus};
use crate::model::grant_type::GrantType;
use crate::model::time::Timestamp;
use crate::store::clients::ClientFilter;

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Make a client; its secret is shown this once
    Create(Box<Create>),
    /// All clients, or those of one organization
    List {
        /// The organization by id, number or slug
        #[arg(long, value_name = "ORGANIZATION")]
        organization: Option<String>,
    },
    /// One client
    Show(Which),
    /// Let a pending client work
    Approve(Which),
    /// Refuse it everywhere from now on
    Disable(Which),
    /// Let it work again
    Enable(Which),
    /// Refuse it for ever
    Delete {
        #[command(flatten)]
        which: Which,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// A program in a language of yours that gets a token with it
    Snippet(access::Snippet),
    /// A Postman collection and environment with its values
    Postman(access::Postman),
    /// Its secrets, without the secrets themselves
    Secrets(Which),
    /// Give it a new secret; the old ones end at once, or after the overlap
    RotateSecret {
        #[command(flatten)]
        which: Which,
        /// How long the old secrets go on working, as 24h
        #[arg(long, value_parser = parse_seconds)]
        overlap: Option<i64>,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Debug, Args)]
pub(super) struct Which {
    /// Client id or label
    #[arg(value_name = "CLIENT")]
    key: String,
}

#[derive(Debug, Args)]
pub(super) struct Create {
    /// What people call it
    #[arg(long)]
    label: String,
    /// password, `refresh_token` or `client_credentials`; repeat it for several
    #[arg(long = "grant-type", alias = "grant_type", value_name = "GRANT")]
    grant_types: Vec<String>,
    /// A client without a secret
    #[arg(long)]
    public: bool,
    /// live or test: the secret of a test client has another prefix
    #[arg(long, value_name = "MODE")]
    mode: Option<String>,
    /// Choose the id
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,
    /// A scope that it may ask for; repeat it for several
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
    /// A resource server that its tokens are for; repeat it for several
    #[arg(long = "audience", value_name = "AUDIENCE")]
    audiences: Vec<String>,
    /// Pin it to `client_secret_basic`, `client_secret_post` or none
    #[arg(long, value_name = "METHOD")]
    token_endpoint_auth_method: Option<String>,
    /// Let it introspect tokens
    #[arg(long)]
    may_introspect: bool,
    /// Lifetime of its access tokens, in seconds
    #[arg(long, value_name = "SECONDS")]
    access_lifetime: Option<i64>,
    /// How long the last refresh token may be repeated, in seconds
    #[arg(long, value_name = "SECONDS")]
    reuse_window: Option<i64>,
    /// ES256, RS256, PS256 or `EdDSA`
    #[arg(long, value_name = "ALGORITHM")]
    signing_algorithm: Option<String>,
    /// Its organization by id, number or slug
    #[arg(long, value_name = "ORGANIZATION")]
    organization: Option<String>,
    /// What it is for
    #[arg(long, default_value = "")]
    description: String,
    /// A role at Grantor's own API, by name or id; repeat it for several
    #[arg(long = "role", value_name = "ROLE")]
    roles: Vec<String>,
    /// Accepted for commands written for another server, and ignored
    #[arg(long, hide = true)]
    env: Option<String>,
}

impl Verb {
    pub(super) fn run(self, session: &Session) -> Result<(), Failure> {
        match self {
            Self::Create(create) => create.run(session),
            Self::List { organization } => list(session, organization.as_deref()),
            Self::Show(which) => show(session, &which),
            Self::Approve(which) => approve(session, &which),
            Self::Enable(which) => {
                say(session, async |desk| Ok(clients::enable(&desk.context, &desk.by, &which.key).await?))
            }
            Self::Disable(which) => set_status(session, &which, ClientStatus::Disabled),
            Self::Delete { which, yes } => {
                must_not_be_programmatic(session, &which)?;
                output::confirm(&format!("Delete the client {} and end its tokens?", which.key), yes)?;
                set_status(session, &which, ClientStatus::Deleted)
            }
            Self::Snippet(snippet) => snippet.run(session),
            Self::Postman(postman) => postman.run(session),
            Self::Secrets(which) => secrets(session, &which),
            Self::RotateSecret { which, overlap, yes } => {
                if overlap.unwrap_or(0) == 0 {
                    let question =
                        format!("End the secrets and tokens of {} at once (--overlap 24h spares them)?", which.key);
                    output::confirm(&question, yes)?;
                }
                rotate_secret(session, &which, overlap)
            }
        }
    }
}

impl Create {
    fn run(self, session: &Session) -> Result<(), Failure> {
        let new = NewClient {
            label: self.label,
            client_id: self.client_id,
            organization: self.organization,
            grant_types: self.grant_types,
            public: self.public,
            mode: self.mode,
            scopes: self.scopes,
            audiences: self.audiences,
            authentication_method: self.token_endpoint_auth_method,
            may_introspect: self.may_introspect,
            access_lifetime: self.access_lifetime,
            reuse_window: self.reuse_window,
            signing_algorithm: self.signing_algorithm,
            description: self.description,
            roles: self.roles,
            ..NewClient::default()
        };
        let made = session.run_or_init(async |desk| Ok(clients::create(&desk.context, &desk.by, &new).await?))?;
        if session.json {
            let mut answer = as_json(&made.client);
            if let Some(secret) = made.secret {
                answer["client_secret"] = secret.into_exposed().into();
            }
            return output::json(&answer);
        }
        if let Some(note) = missing_grant(&made.client) {
            output::note(note);
        }
        output::line("A new client has been added:");
        output::line(&format!("client_id: {}", made.client.client_id));
        output::line(&format!(
            "secret: {}",
            made.secret.map_or_else(String::new, crate::crypto::secret::SecretString::into_exposed)
        ));
        output::line(&format!("label: {}", made.client.label));
        Ok(())
    }
}

/// What a new client lacks to get tokens. One that introspects needs none.
fn missing_grant(client: &Client) -> Option<&'static str> {
    match client.grant_types.as_slice() {
        [] if client.may_introspect => None,
        [] => Some("It may use no grant yet, so it gets no tokens: make one with --grant-type client_credentials."),
        [GrantType::RefreshToken] => Some(
            "It may only refresh, and nothing gives it the first refresh token: make one with --grant-type password too.",
        ),
        _ => None,
    }
}

fn as_json(client: &Client) -> Value {
    json!({
        "client_id": client.client_id,
        "label": client.label,
        "kind": client.kind,
        "grant_types": client.grant_types,
        "scopes": client.scopes.iter().collect::<Vec<_>>(),
        "audiences": client.audiences,
        "may_introspect": client.may_introspect,
        "status": client.status,
    })
}

fn joined(client: &Client) -> (String, String) {
    let grants: Vec<&str> = client.grant_types.iter().map(|grant| grant.as_str()).collect();
    (grants.join(" "), client.scopes.to_string())
}

fn list(session: &Session, organization: Option<&str>) -> Result<(), Failure> {
    let all = session.run(async |desk| {
        let filter =
            ClientFilter { organization_id: desk.organization(organization).await?, ..ClientFilter::default() };
        let page =
            async |after: &str, limit| clients::page(&desk.context, &desk.by, filter.clone(), after, limit).await;
        everything(page, |client| &client.client_id).await
    })?;
    if session.json {
        return output::json(&all.iter().map(as_json).collect::<Vec<_>>());
    }
    let rows: Vec<Vec<String>> = all
        .iter()
        .map(|client| {
            let (grants, scopes) = joined(client);
            let of = |text: &str| text.to_owned();
            vec![
                of(&client.client_id),
                of(&client.label),
                of(client.kind.as_str()),
                of(client.status.as_str()),
                grants,
                scopes,
            ]
        })
        .collect();
    output::table(&["CLIENT ID", "LABEL", "KIND", "STATUS", "GRANTS", "SCOPES"], &rows);
    Ok(())
}

fn show(session: &Session, which: &Which) -> Result<(), Failure> {
    let client = session.run(async |desk| Ok(clients::find(&desk.context, &desk.by, &which.key).await?))?;
    if session.json {
        return output::json(&as_json(&client));
    }
    let (grants, scopes) = joined(&client);
    for (name, value) in [
        ("client_id", client.client_id.as_str()),
        ("label", &client.label),
        ("kind", client.kind.as_str()),
        ("status", client.status.as_str()),
        ("grant types", &grants),
        ("scopes", &scopes),
        ("audiences", &client.audiences.join(" ")),
        ("may introspect", if client.may_introspect { "yes" } else { "no" }),
        ("secrets", &client.secrets.len().to_string()),
    ] {
        output::line(&format!("{name}: {value}"));
    }
    Ok(())
}

fn set_status(session: &Session, which: &Which, status: ClientStatus) -> Result<(), Failure> {
    say(session, async |desk| Ok(clients::set_status(&desk.context, &desk.by, &which.key, status).await?))
}

/// Every set of credentials works through the one client: without it they all are dead for ever.
fn must_not_be_programmatic(session: &Session, which: &Which) -> Result<(), Failure> {
    session.run(async |desk| {
        let client_id = clients::find(&desk.context, &desk.by, &which.key).await?.client_id;
        if client_id == desk.config.credentials.programmatic_client_id {
            return Err(Failure::Refused(format!(
                "{client_id} is the client of all credentials (credentials.programmatic_client_id) and is not deleted: \
                 'grantor client disable {client_id}' stops it, and can be undone"
            )));
        }
        Ok(())
    })
}

fn say(session: &Session, verb: impl AsyncFnOnce(Desk) -> Result<Client, Failure>) -> Result<(), Failure> {
    let client = session.run(verb)?;
    if session.json {
        return output::json(&as_json(&client));
    }
    output::line(&format!("{} is {}", client.client_id, client.status));
    Ok(())
}

fn approve(session: &Session, which: &Which) -> Result<(), Failure> {
    let approved = session.run(async |desk| Ok(clients::approve(&desk.context, &desk.by, &which.key).await?))?;
    if session.json {
        let mut answer = as_json(&approved.client);
        if let Some(secret) = approved.secret {
            answer["client_secret"] = secret.into_exposed().into();
        }
        return output::json(&answer);
    }
    output::line(&format!("{} is {}", approved.client.client_id, approved.client.status));
    if let Some(secret) = approved.secret {
        output::line(&format!("secret: {}   (shown only now)", secret.into_exposed()));
    }
    Ok(())
}

fn secrets(session: &Session, which: &Which) -> Result<(), Failure> {
    let secrets = session.run(async |desk| Ok(client_secrets::list(&desk.context, &desk.by, &which.key).await?))?;
    if session.json {
        let secrets: Vec<Value> = secrets
            .iter()
            .map(|secret| {
                json!({
                    "id": secret.id,
                    "label": secret.label,
                    "created_at": Timestamp::from_micros(secret.created_at),
                    "expires_at": secret.expires_at.map(Timestamp::from_micros),
                })
            })
            .collect();
        return output::json(&secrets);
    }
    let rows: Vec<Vec<String>> = secrets
        .into_iter()
        .map(|secret| {
            let instant = |micros| Timestamp::from_micros(micros).rfc3339();
            let ends = secret.expires_at.map_or_else(|| "never".to_owned(), instant);
            vec![secret.id, secret.label, instant(secret.created_at), ends]
        })
        .collect();
    output::table(&["SECRET", "LABEL", "CREATED", "EXPIRES"], &rows);
    Ok(())
}

fn rotate_secret(session: &Session, which: &Which, overlap: Option<i64>) -> Result<(), Failure> {
    let rotated =
        session.run(async |desk| Ok(client_secrets::rotate(&desk.context, &desk.by, &which.key, overlap).await?))?;
    if session.json {
        let mut answer = json!({
            "client_id": rotated.client.client_id,
            "client_secret": rotated.secret.into_exposed(),
            "secret_id": rotated.secret_id,
        });
        if let Some(end) = rotated.previous_expires_at {
            answer["previous_expires_at"] = end.rfc3339().into();
        }
        return output::json(&answer);
    }
    output::line(&format!("client_id: {}", rotated.client.client_id));
    output::line(&format!("secret: {}", rotated.secret.into_exposed()));
    match rotated.previous_expires_at {
        Some(end) => output::line(&format!("the old secrets work until {}", end.rfc3339())),
        None => output::line("the old secrets and the client's tokens are dead"),
    }
    Ok(())
}
