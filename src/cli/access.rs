//! `grantor client snippet`, `grantor client postman`, `grantor user snippet`: what a developer starts from.

use std::io::{BufRead, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value as Json, json};

use crate::admin::{clients, users};
use crate::cli::session::{Desk, Session};
use crate::cli::{Failure, output};
use crate::crypto::secret::SecretString;
use crate::developer::call::{CLIENT_SECRET, Call, ClientAccess, PASSWORD, Shape, Site, USERNAME, Value};
use crate::developer::postman::Workspace;
use crate::developer::snippets::{self, Language};
use crate::model::client::Client;
use crate::model::grant_type::GrantType;

#[derive(Debug, Args)]
pub(super) struct Snippet {
    /// Client id or label
    #[arg(value_name = "CLIENT")]
    key: String,
    /// curl, python, node, java, php or go
    #[arg(long)]
    language: Language,
    /// client_credentials, password or client_headers; what the client may do if none is said
    #[arg(long)]
    shape: Option<Shape>,
    /// The user who signs in through it
    #[arg(long)]
    username: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct UserSnippet {
    /// Username or id
    #[arg(value_name = "USER")]
    key: String,
    /// curl, python, node, java, php or go
    #[arg(long)]
    language: Language,
}

#[derive(Debug, Args)]
pub(super) struct Postman {
    /// Client id or label
    #[arg(value_name = "CLIENT")]
    key: String,
    /// The folder to write the two files into
    #[arg(long, value_name = "FOLDER")]
    output: PathBuf,
    /// The user who signs in through it
    #[arg(long)]
    username: Option<String>,
    /// Read the client secret from the first line of standard input, and the user's password from the second
    #[arg(long)]
    secrets_stdin: bool,
}

fn site(desk: &Desk) -> Site {
    Site::new(&desk.context.settings.issuer, &desk.config.http.token_path)
}

impl Snippet {
    pub(super) fn run(self, session: &Session) -> Result<(), Failure> {
        let call = session.run(async |desk| {
            let client = clients::find(&desk.context, &desk.by, &self.key).await?;
            self.call(&site(&desk), &client)
        })?;
        print(session, self.language, &call)
    }

    fn call(&self, site: &Site, client: &Client) -> Result<Call, Failure> {
        let access = ClientAccess::of(client, CLIENT_SECRET);
        let grants = |shape| match shape {
            Shape::ClientCredentials => client.may_use(GrantType::ClientCredentials),
            Shape::Password => client.may_use(GrantType::Password),
            Shape::ClientHeaders => access.secret.is_some(),
            Shape::Basic | Shape::ApiKey => false,
        };
        let wanted = if self.username.is_some() { Shape::Password } else { Shape::ClientCredentials };
        let shape = match self.shape {
            Some(shape) => Some(shape).filter(|shape| grants(*shape)),
            None => [wanted, Shape::Password, Shape::ClientCredentials].into_iter().find(|shape| grants(*shape)),
        };
        match shape {
            Some(Shape::ClientHeaders) => Ok(Call::client_headers(site, &access)),
            Some(Shape::Password) => {
                let username = self.username.as_deref().map_or(USERNAME, Value::from);
                Ok(Call::password(site, &access, username, PASSWORD))
            }
            Some(_) => Ok(Call::client_credentials(site, &access)),
            None => {
                let how = self.shape.map_or("get a token", Shape::as_str);
                let reason = format!("{} may not do that ({how}): look at its grants", client.client_id);
                Err(Failure::Refused(format!("{reason} with 'grantor client show'")))
            }
        }
    }
}

impl UserSnippet {
    pub(super) fn run(self, session: &Session) -> Result<(), Failure> {
        let call = session.run(async |desk| {
            let user = users::find(&desk.context, &desk.by, &self.key).await?;
            Ok(Call::basic(&site(&desk), Value::Known(user.username), PASSWORD))
        })?;
        print(session, self.language, &call)
    }
}

fn print(session: &Session, language: Language, call: &Call) -> Result<(), Failure> {
    let program = snippets::program(language, call);
    if session.json {
        return output::json(
            &json!({ "language": language, "file": snippets::file_name(language), "program": program }),
        );
    }
    output::line(program.trim_end());
    Ok(())
}

impl Postman {
    pub(super) fn run(self, session: &Session) -> Result<(), Failure> {
        let (client_secret, password) = if self.secrets_stdin { two_lines()? } else { (None, None) };
        let (collection, environment) = session.run(async |desk| {
            let client = clients::find(&desk.context, &desk.by, &self.key).await?;
            let secret = client_secret.map_or(CLIENT_SECRET, |secret| Value::Known(secret.into_exposed()));
            let access = ClientAccess::of(&client, secret);
            let workspace = Workspace {
                name: &client.label,
                site: &site(&desk),
                client: &access,
                grants: &client.grant_types,
                username: self.username.as_deref(),
                password: password.as_ref(),
            };
            Ok((workspace.collection(), workspace.environment()))
        })?;
        std::fs::create_dir_all(&self.output)?;
        let files = [
            (self.output.join("grantor.postman_collection.json"), collection),
            (self.output.join("grantor.postman_environment.json"), environment),
        ];
        for (path, content) in &files {
            write_new(path, content)?;
        }
        let names = files.map(|(path, _)| path.display().to_string());
        if session.json {
            return output::json(&json!({ "collection": names[0], "environment": names[1] }));
        }
        output::line(&format!("written to {} and {}", names[0], names[1]));
        Ok(())
    }
}

/// The first line, and the second; an empty one is none.
fn two_lines() -> Result<(Option<SecretString>, Option<SecretString>), Failure> {
    let mut input = std::io::stdin().lock().take(8192);
    let mut line = || -> Result<Option<SecretString>, Failure> {
        let mut text = String::new();
        input.read_line(&mut text)?;
        let text = SecretString::new(text);
        let trimmed = text.expose().trim_end_matches(['\r', '\n']);
        Ok((!trimmed.is_empty()).then(|| SecretString::from(trimmed)))
    };
    Ok((line()?, line()?))
}

/// Writes a file that is not there yet; only its owner may read it.
fn write_new(path: &Path, content: &Json) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(content).unwrap_or_default() + "\n";
    let opened = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    opened.and_then(|mut file| file.write_all(text.as_bytes())).map_err(|cause| {
        let path = path.display();
        Failure::Refused(match cause.kind() {
            std::io::ErrorKind::AlreadyExists => {
                format!("{path} exists already and is not overwritten: choose another folder")
            }
            _ => format!("{path} cannot be written: {cause}"),
        })
    })
}
