//! `grantor scope …`

use clap::Subcommand;
use serde_json::{Value, json};

use crate::admin::scopes;
use crate::cli::session::Session;
use crate::cli::{Failure, output};
use crate::model::scope::CatalogueScope;

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Add a scope to the catalogue
    Create {
        /// Its name
        #[arg(long)]
        name: String,
        /// For people
        #[arg(long, default_value = "")]
        description: String,
        /// Clients must be approved for it one by one
        #[arg(long)]
        requires_approval: bool,
        /// The resource server that it belongs to
        #[arg(long)]
        audience: Option<String>,
    },
    /// All scopes
    List,
    /// Delete a scope that no client and no role holds
    Delete {
        /// Its name
        name: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

impl Verb {
    pub(super) fn run(self, session: &Session) -> Result<(), Failure> {
        let all = match self {
            Self::Create { name, description, requires_approval, audience } => {
                let scope = CatalogueScope { name, description, requires_approval, audience };
                let made =
                    session.run_or_init(async |desk| Ok(scopes::create(&desk.context, &desk.by, scope).await?))?;
                if session.json {
                    return output::json(&as_json(&made));
                }
                vec![made]
            }
            Self::Delete { name, yes } => {
                output::confirm(&format!("Delete the scope {name}?"), yes)?;
                let deleted = session.run(async |desk| Ok(scopes::delete(&desk.context, &desk.by, &name).await?))?;
                if session.json {
                    return output::json(&as_json(&deleted));
                }
                output::line(&format!("{} is deleted", deleted.name));
                return Ok(());
            }
            Self::List => session.run(async |desk| Ok(scopes::list(&desk.context).await?))?,
        };
        if session.json {
            return output::json(&all.iter().map(as_json).collect::<Vec<_>>());
        }
        let rows: Vec<Vec<String>> = all
            .into_iter()
            .map(|scope| {
                let approval = if scope.requires_approval { "required" } else { "" };
                vec![scope.name, approval.to_owned(), scope.audience.unwrap_or_default(), scope.description]
            })
            .collect();
        output::table(&["SCOPE", "APPROVAL", "AUDIENCE", "DESCRIPTION"], &rows);
        Ok(())
    }
}

fn as_json(scope: &CatalogueScope) -> Value {
    json!({
        "name": scope.name,
        "description": scope.description,
        "requires_approval": scope.requires_approval,
        "audience": scope.audience,
    })
}
