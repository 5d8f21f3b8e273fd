//! `grantor role …`

use clap::Subcommand;
use serde_json::{Value, json};

use crate::admin::roles;
use crate::cli::session::Session;
use crate::cli::{Failure, output};
use crate::model::role::Role;

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Make a role
    Create {
        /// Its name
        #[arg(long)]
        name: String,
        /// A built-in permission or a scope; repeat it for several
        #[arg(long = "permission", value_name = "PERMISSION")]
        permissions: Vec<String>,
        /// Its organization by id, number or slug
        #[arg(long, value_name = "ORGANIZATION")]
        organization: Option<String>,
    },
    /// All roles
    List,
}

impl Verb {
    pub(super) fn run(self, session: &Session) -> Result<(), Failure> {
        let all = match self {
            Self::Create { name, permissions, organization } => {
                let role = session.run_or_init(async |desk| {
                    let organization = organization.as_deref();
                    Ok(roles::create(&desk.context, &desk.actor, organization, &name, &permissions).await?)
                })?;
                if session.json {
                    return output::json(&as_json(&role));
                }
                vec![role]
            }
            Self::List => session.run(async |desk| Ok(roles::list(&desk.context, None).await?))?,
        };
        if session.json {
            return output::json(&all.iter().map(as_json).collect::<Vec<_>>());
        }
        let rows: Vec<Vec<String>> = all
            .into_iter()
            .map(|role| vec![role.name, role.permissions.into_iter().collect::<Vec<_>>().join(" ")])
            .collect();
        output::table(&["ROLE", "PERMISSIONS"], &rows);
        Ok(())
    }
}

fn as_json(role: &Role) -> Value {
    json!({
        "id": role.id,
        "name": role.name,
        "built_in": role.organization_id.is_none(),
        "permissions": role.permissions,
    })
}
