//! `grantor api-key …`

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::admin::api_keys::{self, MadeApiKey, NewApiKey};
use crate::admin::{Authority, users};
use crate::cli::session::{Session, everything, parse_seconds};
use crate::cli::{Failure, output};
use crate::model::api_key::{ApiKey, ApiKeyStatus};
use crate::model::reveal::RevealPolicy;
use crate::model::user::UserStatus;

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Make an API key for a user; it is shown now, and again only with --reveal always
    Create(Create),
    /// All API keys, or those of one user
    List {
        /// Username or id
        #[arg(long, value_name = "USER")]
        user: Option<String>,
    },
    /// Show one again that was made with --reveal always
    Reveal(Which),
    /// Refuse it from now on
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
}

#[derive(Debug, Args)]
pub(super) struct Which {
    /// Id, shown prefix or name; never the key itself
    #[arg(value_name = "API-KEY")]
    key: String,
}

#[derive(Debug, Args)]
pub(super) struct Create {
    /// In whose name it acts, by username or id
    #[arg(long, value_name = "USER")]
    user: String,
    /// What people call it
    #[arg(long)]
    name: Option<String>,
    /// In which of the user's organizations, by id, number or slug
    #[arg(long, value_name = "ORGANIZATION")]
    organization: Option<String>,
    /// A scope or permission of the user's that it has at most; repeat it for several
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
    /// How long it works, as 90d
    #[arg(long, value_name = "DURATION", value_parser = parse_seconds)]
    expires_in: Option<i64>,
    /// Where it may be used from, as 192.0.2.0/24; repeat it for several
    #[arg(long = "network", value_name = "CIDR")]
    networks: Vec<String>,
    /// once, or always: it is stored sealed as well and can be shown again; without it, what
    /// `credentials.reveal.api_key` says
    #[arg(long, value_name = "POLICY")]
    reveal: Option<String>,
}

impl Verb {
    pub(super) fn run(self, session: &Session) -> Result<(), Failure> {
        match self {
            Self::Create(create) => create.run(session),
            Self::List { user } => list(session, user.as_deref()),
            Self::Reveal(which) => {
                let made = session
                    .run(async |desk| Ok(api_keys::reveal(&desk.context, &Authority::operator(), &which.key).await?))?;
                print(session, made)
            }
            Self::Disable(which) => set_status(session, &which, ApiKeyStatus::Disabled),
            Self::Enable(which) => set_status(session, &which, ApiKeyStatus::Active),
            Self::Delete { which, yes } => {
                output::confirm(&format!("Delete the API key {}?", which.key), yes)?;
                set_status(session, &which, ApiKeyStatus::Deleted)
            }
        }
    }
}

impl Create {
    fn run(self, session: &Session) -> Result<(), Failure> {
        let reveal: Option<RevealPolicy> = self
            .reveal
            .map(|word| word.parse().map_err(|cause| Failure::Usage(format!("--reveal: {cause}"))))
            .transpose()?;
        let mut new = NewApiKey {
            user: Some(self.user),
            name: self.name,
            organization: self.organization,
            scopes: Some(self.scopes).filter(|scopes| !scopes.is_empty()),
            expires_at: None,
            networks: self.networks,
            reveal: RevealPolicy::Once,
        };
        let (made, user) = session.run_or_init(async |desk| {
            new.reveal = reveal.unwrap_or(desk.context.credentials.reveal.api_key);
            new.expires_at = self.expires_in.map(|seconds| desk.context.clock.now().plus_seconds(seconds));
            let made = api_keys::create(&desk.context, &desk.by, &new).await?;
            let user = users::find(&desk.context, &desk.by, &made.key.user_id).await?;
            Ok((made, user))
        })?;
        print(session, made)?;
        let until = match user.status {
            UserStatus::Active => return Ok(()),
            UserStatus::Invited => "they have set a password",
            _ => "they are active",
        };
        output::note(&format!("{} is {}: the key is refused until {until}.", user.username, user.status));
        Ok(())
    }
}

fn print(session: &Session, made: MadeApiKey) -> Result<(), Failure> {
    let MadeApiKey { key, secret } = made;
    let secret = secret.into_exposed();
    if session.json {
        return output::json(&json!({
            "id": key.id,
            "api_key": secret,
            "user_id": key.user_id,
            "business_id": key.organization_id,
            "prefix": key.prefix,
        }));
    }
    for (name, value) in
        [("id", &key.id), ("api_key", &secret), ("user_id", &key.user_id), ("business_id", &key.organization_id)]
    {
        output::line(&format!("{name}: {value}"));
    }
    if key.reveal == RevealPolicy::Once {
        output::note("The key is shown only now.");
    }
    Ok(())
}

fn as_json(key: &ApiKey) -> Value {
    json!({
        "id": key.id,
        "prefix": key.prefix,
        "name": key.name,
        "user_id": key.user_id,
        "business_id": key.organization_id,
        "scopes": key.scopes.as_ref().map(|scopes| scopes.iter().collect::<Vec<_>>()),
        "networks": key.networks.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "reveal": key.reveal,
        "status": key.status,
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "last_used_at": key.last_used_at,
    })
}

fn list(session: &Session, user: Option<&str>) -> Result<(), Failure> {
    let all = session.run(async |desk| {
        let page = async |after: &str, limit| api_keys::page(&desk.context, &desk.by, user, after, limit).await;
        everything(page, |key| &key.id).await
    })?;
    if session.json {
        return output::json(&all.iter().map(as_json).collect::<Vec<_>>());
    }
    let rows: Vec<Vec<String>> = all
        .into_iter()
        .map(|key| vec![key.name, format!("{}…", key.prefix), key.status.to_string(), key.user_id, key.id])
        .collect();
    output::table(&["NAME", "KEY", "STATUS", "USER", "ID"], &rows);
    Ok(())
}

fn set_status(session: &Session, which: &Which, status: ApiKeyStatus) -> Result<(), Failure> {
    let key = session
        .run(async |desk| Ok(api_keys::set_status(&desk.context, &Authority::operator(), &which.key, status).await?))?;
    if session.json {
        return output::json(&as_json(&key));
    }
    output::line(&format!("{} is {}", key.name, key.status));
    Ok(())
}
