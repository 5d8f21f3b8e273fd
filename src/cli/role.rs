//! `grantor role …`

use clap::Subcommand;
use serde_json::{Value, json};

use crate::admin::organizations;
use crate::admin::roles::{self, RoleRequest};
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
        /// What it is for
        #[arg(long, default_value = "")]
        description: String,
        /// A built-in permission or a scope; repeat it for several
        #[arg(long = "permission", value_name = "PERMISSION")]
        permissions: Vec<String>,
        /// Its organization by id, number or slug
        #[arg(long, value_name = "ORGANIZATION")]
        organization: Option<String>,
    },
    /// Change a role of an organization's own; its holders have the new permissions at their next request
    Update {
        /// Name or id
        role: String,
        /// Another name
        #[arg(long)]
        name: Option<String>,
        /// What it is for
        #[arg(long)]
        description: Option<String>,
        /// All that it is to hold; repeat it for several
        #[arg(long = "permission", value_name = "PERMISSION")]
        permissions: Vec<String>,
        /// Its organization by id, number or slug
        #[arg(long, value_name = "ORGANIZATION")]
        organization: Option<String>,
    },
    /// Delete a role of an organization's own, and take it from all who have it
    Delete {
        /// Name or id
        role: String,
        /// Its organization by id, number or slug
        #[arg(long, value_name = "ORGANIZATION")]
        organization: Option<String>,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// The built-in roles and those of an organization
    List {
        /// The organization by id, number or slug
        #[arg(long, value_name = "ORGANIZATION")]
        organization: Option<String>,
    },
}

impl Verb {
    pub(super) fn run(self, session: &Session) -> Result<(), Failure> {
        let all = match self {
            Self::Create { name, description, permissions, organization } => {
                let request = RoleRequest { name, description, permissions };
                let role = session.run_or_init(async |desk| {
                    Ok(roles::create(&desk.context, &desk.by, organization.as_deref(), &request).await?)
                })?;
                if session.json {
                    return output::json(&as_json(&role));
                }
                vec![role]
            }
            Self::Update { role, name, description, permissions, organization } => {
                let role = session.run(async |desk| {
                    let (context, by, organization) = (&desk.context, &desk.by, organization.as_deref());
                    let of = organizations::reached(context, by, organization).await?;
                    let known = roles::find(context, by, &of.id, &role).await?;
                    let kept = || known.permissions.iter().cloned().collect();
                    let request = RoleRequest {
                        name: name.unwrap_or_else(|| known.name.clone()),
                        description: description.unwrap_or_else(|| known.description.clone()),
                        permissions: if permissions.is_empty() { kept() } else { permissions },
                    };
                    Ok(roles::update(context, by, organization, &role, &request).await?)
                })?;
                if session.json {
                    return output::json(&as_json(&role));
                }
                vec![role]
            }
            Self::Delete { role, organization, yes } => {
                output::confirm(&format!("Delete the role {role} and take it from all who have it?"), yes)?;
                let deleted = session.run(async |desk| {
                    Ok(roles::delete(&desk.context, &desk.by, organization.as_deref(), &role).await?)
                })?;
                if session.json {
                    return output::json(&as_json(&deleted));
                }
                output::line(&format!("{} is deleted", deleted.name));
                return Ok(());
            }
            Self::List { organization } => {
                session.run(async |desk| Ok(roles::list(&desk.context, &desk.by, organization.as_deref()).await?))?
            }
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
