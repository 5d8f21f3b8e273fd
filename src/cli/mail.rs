//! `grantor mail …`: the outbox.

use clap::Subcommand;
use serde_json::{Value, json};

use crate::admin::{Authority, mail};
use crate::cli::session::Session;
use crate::cli::{Failure, output};
use crate::crypto::secret::SecretString;
use crate::model::mail::OutboxMessage;

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// The newest messages: sent, waiting and failed
    List,
    /// One message as it is sent, with the link in it
    Show {
        /// The message's id
        id: String,
    },
}

impl Verb {
    pub(super) fn run(self, session: &Session) -> Result<(), Failure> {
        match self {
            Self::List => list(session),
            Self::Show { id } => show(session, &id),
        }
    }
}

fn as_json(message: &OutboxMessage) -> Value {
    json!({
        "id": message.id,
        "kind": message.kind,
        "recipient": message.recipient,
        "user_id": message.user_id,
        "status": message.status,
        "attempts": message.attempts,
        "next_attempt_at": message.next_attempt_at,
        "last_error": message.last_error,
        "created_at": message.created_at,
        "sent_at": message.sent_at,
    })
}

fn list(session: &Session) -> Result<(), Failure> {
    let all = session.run(async |desk| Ok(mail::list(&desk.context, &Authority::operator()).await?))?;
    if session.json {
        return output::json(&all.iter().map(as_json).collect::<Vec<_>>());
    }
    let rows: Vec<Vec<String>> = all
        .into_iter()
        .map(|message| {
            vec![
                message.id,
                message.kind.to_string(),
                message.recipient,
                message.status.to_string(),
                message.attempts.to_string(),
                message.last_error.unwrap_or_default(),
            ]
        })
        .collect();
    output::table(&["ID", "KIND", "RECIPIENT", "STATUS", "ATTEMPTS", "LAST ERROR"], &rows);
    Ok(())
}

fn show(session: &Session, id: &str) -> Result<(), Failure> {
    let (shown, from) = session.run(async |desk| {
        let shown = mail::show(&desk.context, &Authority::operator(), id).await?;
        Ok((shown, desk.context.mailer.from().map(str::to_owned)))
    })?;
    let (message, letter) = (&shown.message, &shown.letter);
    if session.json {
        let mut value = as_json(message);
        value["from"] = json!(from);
        value["subject"] = json!(letter.subject);
        value["text"] = json!(letter.text.expose());
        value["link"] = json!(shown.link.as_ref().map(SecretString::expose));
        return output::json(&value);
    }
    output::line(&format!("From: {}", from.as_deref().unwrap_or("(mail.from is not set)")));
    output::line(&format!("To: {}", message.recipient));
    output::line(&format!("Subject: {}\n", letter.subject));
    output::line(letter.text.expose().trim_end());
    Ok(())
}
