//! `grantor user …`

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::admin::users::{self, UserRequest};
use crate::cli::session::{Session, read_password};
use crate::cli::{Failure, output};
use crate::model::user::{User, UserStatus};

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Make a user; without a password of yours one is generated and shown this once
    Create(Box<Create>),
    /// All users
    List,
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
    /// Give them a role
    GrantRole {
        #[command(flatten)]
        which: Which,
        /// The role by name or id
        role: String,
    },
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
            Self::List => list(session),
            Self::Show(which) => show(session, &which),
            Self::Disable(which) => set_status(session, &which, UserStatus::Disabled),
            Self::Enable(which) => set_status(session, &which, UserStatus::Active),
            Self::Unlock(which) => {
                let user =
                    session.run(async |desk| Ok(users::unlock(&desk.context, &desk.actor, &which.key).await?))?;
                say(session, &user, &format!("{} is {}", user.username, user.status))
            }
            Self::Delete { which, yes } => {
                output::confirm(&format!("Delete the user {} and end their tokens?", which.key), yes)?;
                set_status(session, &which, UserStatus::Deleted)
            }
            Self::SetPassword { which, password_stdin } => set_password(session, &which, password_stdin),
            Self::RotatePassword { which, yes } => {
                output::confirm(&format!("End the password and the tokens of {} at once?", which.key), yes)?;
                rotate_password(session, &which)
            }
            Self::GrantRole { which, role } => {
                let user = session
                    .run(async |desk| Ok(users::grant_role(&desk.context, &desk.actor, &which.key, &role).await?))?;
                say(session, &user, &format!("{} has the role {role}", user.username))
            }
        }
    }
}

impl Create {
    fn run(self, session: &Session) -> Result<(), Failure> {
        let password = if self.password_stdin {
            Some(read_password(true, &format!("Password of {}", self.username))?)
        } else {
            None
        };
        let mut request = UserRequest {
            username: self.username,
            kind: self.kind,
            email: self.email,
            organization: self.organization,
            access: self.access,
            administration: self.administration,
            roles: self.roles,
            password,
            name: self.name,
            ..UserRequest::default()
        };
        let made = session.run_or_init(async |desk| {
            request.min_length = desk.config.passwords.min_length;
            Ok(users::create(&desk.context, &desk.actor, &request).await?)
        })?;
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

fn list(session: &Session) -> Result<(), Failure> {
    let all = session.run(async |desk| Ok(users::list(&desk.context, None, false).await?))?;
    if session.json {
        let all: Vec<Value> = all
            .iter()
            .map(|user| json!({ "id": user.id, "username": user.username, "kind": user.kind, "status": user.status }))
            .collect();
        return output::json(&all);
    }
    let rows: Vec<Vec<String>> =
        all.into_iter().map(|user| vec![user.username, user.kind, user.status, user.id]).collect();
    output::table(&["USERNAME", "KIND", "STATUS", "ID"], &rows);
    Ok(())
}

fn show(session: &Session, which: &Which) -> Result<(), Failure> {
    let user = session.run(async |desk| Ok(users::find(&desk.context, &which.key).await?))?;
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
    let user =
        session.run(async |desk| Ok(users::set_status(&desk.context, &desk.actor, &which.key, status).await?))?;
    say(session, &user, &format!("{} is {}", user.username, user.status))
}

fn set_password(session: &Session, which: &Which, from_stdin: bool) -> Result<(), Failure> {
    let password = read_password(from_stdin, &format!("New password of {}", which.key))?;
    let user = session.run(async |desk| {
        let length = desk.config.passwords.min_length;
        Ok(users::set_password(&desk.context, &desk.actor, &which.key, &password, length).await?)
    })?;
    say(session, &user, &format!("{} has a new password; their tokens are dead", user.username))
}

fn rotate_password(session: &Session, which: &Which) -> Result<(), Failure> {
    let (user, password) =
        session.run(async |desk| Ok(users::rotate_password(&desk.context, &desk.actor, &which.key).await?))?;
    if session.json {
        return output::json(&json!({ "username": user.username, "password": password.into_exposed() }));
    }
    output::line(&format!("username: {}", user.username));
    output::line(&format!("password: {}   (shown only now)", password.into_exposed()));
    Ok(())
}
