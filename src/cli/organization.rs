//! `grantor organization …`

use clap::Subcommand;
use serde_json::{Value, json};

use crate::admin::organizations;
use crate::cli::session::Session;
use crate::cli::{Failure, output};
use crate::model::organization::{Organization, OrganizationStatus};

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Make an organization
    Create {
        /// Its name
        #[arg(long)]
        name: String,
        /// Its short name, of a-z, 0-9 and -
        #[arg(long)]
        slug: String,
    },
    /// All organizations
    List,
    /// Refuse its clients and users everywhere from now on
    Disable {
        /// Id, number or slug
        organization: String,
    },
    /// Let them work again
    Enable {
        /// Id, number or slug
        organization: String,
    },
}

impl Verb {
    pub(super) fn run(self, session: &Session) -> Result<(), Failure> {
        let all = match self {
            Self::Create { name, slug } => {
                let made = session.run_or_init(async |desk| {
                    Ok(organizations::create(&desk.context, &desk.by, &name, &slug).await?)
                })?;
                if session.json {
                    return output::json(&as_json(&made));
                }
                vec![made]
            }
            Self::List => session.run(async |desk| Ok(organizations::list(&desk.context, &desk.by).await?))?,
            Self::Disable { organization } => return set(session, &organization, OrganizationStatus::Disabled),
            Self::Enable { organization } => return set(session, &organization, OrganizationStatus::Active),
        };
        if session.json {
            return output::json(&all.iter().map(as_json).collect::<Vec<_>>());
        }
        let rows: Vec<Vec<String>> = all
            .into_iter()
            .map(|one| vec![one.number.to_string(), one.slug, one.name, one.status.to_string(), one.id])
            .collect();
        output::table(&["NUMBER", "SLUG", "NAME", "STATUS", "ID"], &rows);
        Ok(())
    }
}

fn set(session: &Session, key: &str, status: OrganizationStatus) -> Result<(), Failure> {
    session.run(async |desk| Ok(organizations::set_status(&desk.context, &desk.by, key, status).await?))?;
    if session.json {
        return output::json(&json!({ "organization": key, "status": status }));
    }
    output::line(&format!("{key} is {status}"));
    Ok(())
}

fn as_json(organization: &Organization) -> Value {
    json!({
        "id": organization.id,
        "number": organization.number,
        "slug": organization.slug,
        "name": organization.name,
        "status": organization.status,
    })
}
