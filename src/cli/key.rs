//! `grantor key …`: signing keys.

use clap::Subcommand;
use serde_json::{Value, json};

use crate::admin::signing_keys::{self, KeyAndState};
use crate::cli::session::Session;
use crate::cli::{Failure, output};
use crate::model::signing_key::SigningAlgorithm;

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// All keys and where they are in their life
    List,
    /// Publish a successor, which signs after `keys.publish_ahead`
    Rotate {
        /// ES256, RS256, PS256 or `EdDSA` (default: `tokens.signing_algorithm`)
        #[arg(long)]
        algorithm: Option<SigningAlgorithm>,
    },
    /// End a key and everything that it signed, at once
    Revoke {
        /// The kid
        #[arg(allow_hyphen_values = true)]
        kid: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

impl Verb {
    pub(super) fn run(self, session: &Session) -> Result<(), Failure> {
        match self {
            Self::List => {
                let keys = session.run(async |desk| Ok(signing_keys::list(&desk.context, &desk.by).await?))?;
                if session.json {
                    return output::json(&keys.iter().map(as_json).collect::<Vec<_>>());
                }
                print(&keys);
                Ok(())
            }
            Self::Rotate { algorithm } => {
                let key = session.run(async |desk| {
                    let algorithm = algorithm.unwrap_or(desk.context.settings.signing_algorithm);
                    Ok(signing_keys::rotate(&desk.context, &desk.by, algorithm).await?)
                })?;
                if session.json {
                    return output::json(&as_json(&key));
                }
                print(&[key]);
                Ok(())
            }
            Self::Revoke { kid, yes } => {
                session.run(async |desk| Ok(signing_keys::must_be_revocable(&desk.context, &kid).await?))?;
                output::confirm(&format!("End the key {kid} and every token that it signed?"), yes)?;
                let successor =
                    session.run(async |desk| Ok(signing_keys::revoke(&desk.context, &desk.by, &kid).await?))?;
                if session.json {
                    return output::json(
                        &json!({ "kid": kid, "state": "removed", "successor": successor.as_ref().map(as_json) }),
                    );
                }
                output::line(&format!("{kid} is revoked"));
                if let Some(successor) = successor {
                    print(&[successor]);
                }
                Ok(())
            }
        }
    }
}

fn as_json((key, state): &KeyAndState) -> Value {
    json!({
        "kid": key.kid,
        "algorithm": key.algorithm,
        "state": state,
        "published_at": key.times.published_at,
        "signs_at": key.times.signs_at,
        "retired_at": key.times.retired_at,
        "removed_at": key.times.removed_at,
    })
}

fn print(keys: &[KeyAndState]) {
    let rows: Vec<Vec<String>> = keys
        .iter()
        .map(|(key, state)| {
            vec![key.kid.clone(), key.algorithm.to_string(), state.to_string(), key.times.signs_at.rfc3339()]
        })
        .collect();
    output::table(&["KID", "ALGORITHM", "STATE", "SIGNS FROM"], &rows);
}
