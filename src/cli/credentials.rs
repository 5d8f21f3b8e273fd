//! `grantor credentials …`

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::{Value, json};

use crate::admin::credentials::{self, MadeCredentials};
use crate::admin::users;
use crate::cli::session::{Session, everything};
use crate::cli::{Failure, output};
use crate::store::user_profiles::UserFilter;

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Make a username and a password for a program; the password is shown this once
    Create {
        /// What people call them
        #[arg(long)]
        name: String,
        /// What they are for
        #[arg(long, default_value = "")]
        description: String,
        /// A role by name or id; repeat it for several
        #[arg(long = "role", value_name = "ROLE")]
        roles: Vec<String>,
        /// Write them to a new file (.json or .env) that only you can read, instead of the terminal
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// All of them, or those of one organization, without the passwords
    List {
        /// The organization by id, number or slug
        #[arg(long, value_name = "ORGANIZATION")]
        organization: Option<String>,
    },
    /// Delete one by name, username or id; its tokens are dead at once
    Delete {
        /// Name, username or id
        key: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

impl Verb {
    pub(super) fn run(self, session: &Session) -> Result<(), Failure> {
        match self {
            Self::Create { name, description, roles, output } => {
                // Before anything is made: what cannot be written down is not made.
                let file = output.map(|path| NewFile::create(&path)).transpose()?;
                let made = session.run_or_init(async |desk| {
                    Ok(credentials::create(&desk.context, &desk.by, &name, &description, &roles).await?)
                });
                match file {
                    Some(file) => file.write(session, made),
                    None => print(session, &made?),
                }
            }
            Self::List { organization } => list(session, organization.as_deref()),
            Self::Delete { key, yes } => {
                output::confirm(&format!("Delete the credentials {key} and end their tokens?"), yes)?;
                session.run(async |desk| Ok(credentials::delete(&desk.context, &desk.by, &key).await?))?;
                if session.json {
                    output::json(&json!({ "deleted": key }))
                } else {
                    output::line("deleted");
                    Ok(())
                }
            }
        }
    }
}

fn fields(made: &MadeCredentials) -> [(&'static str, &str); 6] {
    [
        ("id", &made.user.id),
        ("username", &made.user.username),
        ("password", made.user.password.as_ref().map_or("", |password| password.expose())),
        ("client_id", &made.client_id),
        ("token_endpoint", &made.token_endpoint),
        ("scope", &made.scope),
    ]
}

fn as_json(made: &MadeCredentials) -> Value {
    Value::Object(fields(made).into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect())
}

fn print(session: &Session, made: &MadeCredentials) -> Result<(), Failure> {
    if session.json {
        return output::json(&as_json(made));
    }
    for (name, value) in fields(made) {
        output::line(&format!("{name}: {value}"));
    }
    output::note("The password is shown only now.");
    Ok(())
}

/// A file for one set of credentials, made before they are.
struct NewFile {
    path: PathBuf,
    opened: std::fs::File,
    is_json: bool,
}

impl NewFile {
    fn create(path: &Path) -> Result<Self, Failure> {
        let is_json = match path.extension().and_then(std::ffi::OsStr::to_str) {
            Some("json") => true,
            Some("env") => false,
            _ => return Err(Failure::Usage("--output takes a name that ends in .json or .env".to_owned())),
        };
        let opened = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        let opened = opened.map_err(|cause| {
            let path = path.display();
            Failure::Refused(match cause.kind() {
                std::io::ErrorKind::AlreadyExists => {
                    format!("{path} exists already and is not overwritten: choose another name; nothing was made")
                }
                _ => format!("{path} cannot be written ({cause}); nothing was made"),
            })
        })?;
        Ok(Self { path: path.to_owned(), opened, is_json })
    }

    fn write(mut self, session: &Session, made: Result<MadeCredentials, Failure>) -> Result<(), Failure> {
        let made = made.inspect_err(|_| {
            // It is empty, and ours.
            let _ = std::fs::remove_file(&self.path);
        })?;
        let text = if self.is_json {
            serde_json::to_string_pretty(&as_json(&made)).unwrap_or_default() + "\n"
        } else {
            crate::developer::env_file(&fields(&made))
        };
        self.opened.write_all(text.as_bytes()).and_then(|()| self.opened.sync_all()).map_err(|cause| {
            Failure::Refused(format!(
                "{} cannot be written ({cause}); the credentials {} were made: delete them with 'grantor credentials delete'",
                self.path.display(),
                made.user.id
            ))
        })?;
        if session.json {
            let mut answer = as_json(&made);
            if let Some(members) = answer.as_object_mut() {
                members.remove("password");
                members.insert("output".to_owned(), self.path.display().to_string().into());
            }
            return output::json(&answer);
        }
        output::note(&format!("written to {}", self.path.display()));
        Ok(())
    }
}

fn list(session: &Session, organization: Option<&str>) -> Result<(), Failure> {
    let all = session.run(async |desk| {
        let filter = UserFilter {
            organization_id: desk.organization(organization).await?,
            programmatic: Some(true),
            ..UserFilter::default()
        };
        let page = async |after: &str, limit| users::page(&desk.context, &desk.by, filter.clone(), after, limit).await;
        everything(page, |set| &set.id).await
    })?;
    if session.json {
        let all: Vec<Value> = all
            .iter()
            .map(|set| {
                json!({ "id": set.id, "name": set.name, "description": set.description, "username": set.username, "status": set.status })
            })
            .collect();
        return output::json(&all);
    }
    let rows: Vec<Vec<String>> =
        all.into_iter().map(|set| vec![set.name, set.username, set.status.to_string(), set.id]).collect();
    output::table(&["NAME", "USERNAME", "STATUS", "ID"], &rows);
    Ok(())
}
