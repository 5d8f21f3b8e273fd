//! `grantor user …`

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::admin::users::{self, UserRequest};
use crate::admin::{Authority, links};
use crate::admin::{memberships, passwords, profiles};
use crate::cli::session::{Session, everything, read_password};
use crate::cli::user_import::Import;
use crate::cli::{Failure, access, output};
use crate::model::user::{User, UserStatus};
use crate::store::recipients::Recipient;
use crate::store::user_profiles::{UserChange, UserFilter};

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Make a user; without a password of yours one is generated and shown this once
    Create(Box<Create>),
    /// Bring users of another program, with the hashes of their passwords
    Import(Import),
    /// All users, or those of one organization
    List {
        /// The organization by id, number or slug
        #[arg(long, value_name = "ORGANIZATION")]
        organization: Option<String>,
    },
    /// One user
    Show(Which),
    /// Refuse them everywhere from now on
    Disable(Which),
    /// Let them in again
    Enable(Which),
    /// Lift a lock after too many failed sign-ins
    Unlock(Which),
    /// Remove them for ever
    Delete {
        #[command(flatten)]
        which: Which,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// A program in a language of yours that sends their name and password with each request
    Snippet(access::UserSnippet),
    /// Set a password; ends their tokens
    SetPassword {
        #[command(flatten)]
        which: Which,
        /// Read it from standard input
        #[arg(long)]
        password_stdin: bool,
    },
    /// Give them a generated password, shown this once; ends their tokens
    RotatePassword {
        #[command(flatten)]
        which: Which,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Send them their username, and a link that verifies their e-mail address
    Invite(Which),
    /// Send them a link that sets a password
    SendReset(Which),
    /// Give them a role
    GrantRole {
        #[command(flatten)]
        which: Which,
        /// The role by name or id
        role: String,
        /// In this organization by id, number or slug; makes them a member of it
        #[arg(long, value_name = "ORGANIZATION")]
        organization: Option<String>,
    },
    /// Take a role away
    RevokeRole {
        #[command(flatten)]
        which: Which,
        /// The role by name or id
        role: String,
        /// In this organization by id, number or slug
        #[arg(long, value_name = "ORGANIZATION")]
        organization: Option<String>,
    },
    /// End their membership of an organization, with their roles in it
    Leave {
        #[command(flatten)]
        which: Which,
        /// The organization by id, number or slug
        organization: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Change profile, administration level or access; the username stays for ever
    Update(Box<Update>),
}

#[derive(Debug, Args)]
pub(super) struct Which {
    /// Username or id
    #[arg(value_name = "USER")]
    key: String,
}

#[derive(Debug, Args)]
pub(super) struct Create {
    /// The username; it can never be changed
    #[arg(long)]
    username: String,
    /// person or `api_user`
    #[arg(long)]
    kind: Option<String>,
    /// E-mail address
    #[arg(long)]
    email: Option<String>,
    /// Display name
    #[arg(long, default_value = "")]
    name: String,
    /// Given name
    #[arg(long, default_value = "")]
    first_name: String,
    /// Family name
    #[arg(long, default_value = "")]
    last_name: String,
    /// Telephone number
    #[arg(long)]
    phone: Option<String>,
    /// console, api or both, separated by a comma
    #[arg(long, value_delimiter = ',')]
    access: Vec<String>,
    /// admin or basic
    #[arg(long)]
    administration: Option<String>,
    /// A role by name or id; repeat it for several
    #[arg(long = "role", value_name = "ROLE")]
    roles: Vec<String>,
    /// Their organization by id, number or slug
    #[arg(long, value_name = "ORGANIZATION")]
    organization: Option<String>,
    /// Read the password from standard input
    #[arg(long)]
    password_stdin: bool,
}

impl Verb {
    pub(super) fn run(self, session: &Session) -> Result<(), Failure> {
        match self {
            Self::Create(create) => create.run(session),
            Self::Import(import) => import.run(session),
            Self::List { organization } => list(session, organization.as_deref()),
            Self::Show(which) => show(session, &which),
            Self::Disable(which) => set_status(session, &which, UserStatus::Disabled),
            Self::Enable(which) => set_status(session, &which, UserStatus::Active),
            Self::Unlock(which) => {
                let user = session.run(async |desk| Ok(users::unlock(&desk.context, &desk.by, &which.key).await?))?;
                say(session, &user, &format!("{} is {}", user.username, user.status))
            }
            Self::Delete { which, yes } => {
                output::confirm(&format!("Delete the user {} and end their tokens?", which.key), yes)?;
                set_status(session, &which, UserStatus::Deleted)
            }
            Self::Snippet(snippet) => snippet.run(session),
            Self::SetPassword { which, password_stdin } => set_password(session, &which, password_stdin),
            Self::RotatePassword { which, yes } => {
                output::confirm(&format!("End the password and the tokens of {} at once?", which.key), yes)?;
                rotate_password(session, &which)
            }
            Self::Invite(which) => {
                let by = Authority::operator();
                let user = session.run(async |desk| Ok(links::invite(&desk.context, &by, &which.key).await?))?;
                written(session, &user)
            }
            Self::SendReset(which) => {
                let by = Authority::operator();
                let user = session.run(async |desk| Ok(links::send_reset(&desk.context, &by, &which.key).await?))?;
                written(session, &user)
            }
            Self::GrantRole { which, role, organization } => {
                let user = session.run(async |desk| {
                    Ok(memberships::grant_role(&desk.context, &desk.by, &which.key, organization.as_deref(), &role)
                        .await?)
                })?;
                say(session, &user, &format!("{} has the role {role}", user.username))
            }
            Self::RevokeRole { which, role, organization } => {
                let user = session.run(async |desk| {
                    let organization = organization.as_deref();
                    Ok(memberships::revoke_role(&desk.context, &desk.by, &which.key, organization, &role).await?)
                })?;
                say(session, &user, &format!("{} no longer has the role {role}", user.username))
            }
            Self::Leave { which, organization, yes } => {
                output::confirm(&format!("End the membership of {} in {organization}?", which.key), yes)?;
                let user = session.run(async |desk| {
                    Ok(memberships::end(&desk.context, &desk.by, &which.key, &organization).await?)
                })?;
                say(session, &user, &format!("{} is no longer in {organization}", user.username))
            }
            Self::Update(update) => update.run(session),
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct Update {
    #[command(flatten)]
    which: Which,
    /// Display name
    #[arg(long)]
    name: Option<String>,
    /// Given name
    #[arg(long)]
    first_name: Option<String>,
    /// Family name
    #[arg(long)]
    last_name: Option<String>,
    /// E-mail address; an empty one takes it away
    #[arg(long)]
    email: Option<String>,
    /// Telephone number; an empty one takes it away
    #[arg(long)]
    phone: Option<String>,
    /// What they are for
    #[arg(long)]
    description: Option<String>,
    /// admin or basic
    #[arg(long)]
    administration: Option<String>,
    /// console, api or both, separated by a comma
    #[arg(long, value_delimiter = ',')]
    access: Vec<String>,
}

impl Update {
    fn run(self, session: &Session) -> Result<(), Failure> {
        let or_none = |text: Option<String>| text.map(|text| Some(text).filter(|text| !text.is_empty()));
        let access = if self.access.is_empty() { None } else { Some(users::access_of(&self.access)?) };
        let administration = self.administration.as_deref().map(str::parse).transpose();
        let change = UserChange {
            name: self.name,
            description: self.description,
            first_name: self.first_name,
            last_name: self.last_name,
            email: or_none(self.email),
            phone: or_none(self.phone),
            administration: administration.map_err(crate::admin::AdminError::from)?,
            access,
        };
        let user = session.run(async |desk| {
            profiles::update(&desk.context, &desk.by, &self.which.key, &change).await?;
            Ok(users::find(&desk.context, &desk.by, &self.which.key).await?)
        })?;
        say(session, &user, &format!("{} is changed", user.username))
    }
}

impl Create {
    fn run(self, session: &Session) -> Result<(), Failure> {
        let password = if self.password_stdin {
            Some(read_password(true, &format!("Password of {}", self.username))?)
        } else {
            None
        };
        let request = UserRequest {
            username: self.username,
            kind: self.kind,
            email: self.email,
            organization: self.organization,
            access: self.access,
            administration: self.administration,
            roles: self.roles,
            password,
            name: self.name,
            first_name: self.first_name,
            last_name: self.last_name,
            phone: self.phone,
            ..UserRequest::default()
        };
        let made = session.run_or_init(async |desk| Ok(users::create(&desk.context, &desk.by, &request).await?))?;
        for warning in &made.warnings {
            output::note(warning);
        }
        let password = made.password.map(crate::crypto::secret::SecretString::into_exposed);
        if session.json {
            let mut answer =
                json!({ "id": made.id, "username": made.username, "kind": made.kind, "status": made.status });
            if let Some(password) = password {
                answer["password"] = password.into();
            }
            return output::json(&answer);
        }
        output::line(&format!("id: {}", made.id));
        output::line(&format!("username: {}", made.username));
        if let Some(password) = password {
            output::line(&format!("password: {password}   (shown only now)"));
        }
        Ok(())
    }
}

fn as_json(user: &User) -> Value {
    json!({
        "id": user.id,
        "username": user.username,
        "kind": user.kind,
        "status": user.status,
        "name": user.name,
        "email": user.email,
        "organization_id": user.organization_id,
        "access": access(user),
        "role_ids": user.role_ids,
    })
}

fn access(user: &User) -> Vec<&'static str> {
    [("console", user.access_console), ("api", user.access_api)]
        .into_iter()
        .filter_map(|(word, has)| has.then_some(word))
        .collect()
}

fn say(session: &Session, user: &User, sentence: &str) -> Result<(), Failure> {
    if session.json {
        return output::json(&as_json(user));
    }
    output::line(sentence);
    Ok(())
}

/// Says that a message is in the outbox.
fn written(session: &Session, user: &Recipient) -> Result<(), Failure> {
    let email = user.email.as_deref().unwrap_or_default();
    if session.json {
        return output::json(&json!({ "id": user.id, "username": user.username, "email": email }));
    }
    output::line(&format!("a message to {email} is in the outbox: 'grantor mail list' shows whether it is sent"));
    Ok(())
}

fn list(session: &Session, organization: Option<&str>) -> Result<(), Failure> {
    let all = session.run(async |desk| {
        let filter = UserFilter { organization_id: desk.organization(organization).await?, ..UserFilter::default() };
        let page = async |after: &str, limit| users::page(&desk.context, &desk.by, filter.clone(), after, limit).await;
        everything(page, |user| &user.id).await
    })?;
    if session.json {
        let all: Vec<Value> = all
            .iter()
            .map(|user| json!({ "id": user.id, "username": user.username, "kind": user.kind, "status": user.status }))
            .collect();
        return output::json(&all);
    }
    let rows: Vec<Vec<String>> = all
        .into_iter()
        .map(|user| vec![user.username, user.kind.to_string(), user.status.to_string(), user.id])
        .collect();
    output::table(&["USERNAME", "KIND", "STATUS", "ID"], &rows);
    Ok(())
}

fn show(session: &Session, which: &Which) -> Result<(), Failure> {
    let user = session.run(async |desk| Ok(users::find(&desk.context, &desk.by, &which.key).await?))?;
    let lines = [
        format!("id: {}", user.id),
        format!("username: {}", user.username),
        format!("kind: {}", user.kind),
        format!("status: {}", user.status),
        format!("access: {}", access(&user).join(",")),
        format!("e-mail: {}", user.email.as_deref().unwrap_or("none")),
    ];
    say(session, &user, &lines.join("\n"))
}

fn set_status(session: &Session, which: &Which, status: UserStatus) -> Result<(), Failure> {
    let user = session.run(async |desk| Ok(users::set_status(&desk.context, &desk.by, &which.key, status).await?))?;
    say(session, &user, &format!("{} is {}", user.username, user.status))
}

fn set_password(session: &Session, which: &Which, from_stdin: bool) -> Result<(), Failure> {
    let password = read_password(from_stdin, &format!("New password of {}", which.key))?;
    let user = session.run(async |desk| Ok(passwords::set(&desk.context, &desk.by, &which.key, &password).await?))?;
    say(session, &user, &format!("{} has a new password; their tokens are dead", user.username))
}

fn rotate_password(session: &Session, which: &Which) -> Result<(), Failure> {
    let (user, password) =
        session.run(async |desk| Ok(passwords::rotate(&desk.context, &desk.by, &which.key).await?))?;
    if session.json {
        return output::json(&json!({ "username": user.username, "password": password.into_exposed() }));
    }
    output::line(&format!("username: {}", user.username));
    output::line(&format!("password: {}   (shown only now)", password.into_exposed()));
    Ok(())
}
