//! What somebody finds first: what they have, what needs them, and the first call of a program.

use actix_web::HttpResponse;
use askama::Template;

use crate::admin::overview::{self, ENDING_DAYS, LATELY_DAYS, Overview, Owned};
use crate::admin::reports::IDLE_DAYS;
use crate::config::Preset;
use crate::developer::call::{API_KEY, CLIENT_SECRET, Call, ClientAccess, PASSWORD, USERNAME, Value};
use crate::developer::snippets::{Language, program};
use crate::http::console::answer;
use crate::http::console::application::head::{address, segment};
use crate::http::console::shell::Shell;
use crate::http::console::visit::Visit;
use crate::model::role::{API_KEYS_MANAGE, APPLICATIONS_MANAGE, CREDENTIALS_MANAGE};

#[derive(Template)]
#[template(path = "home/page.html")]
struct Home {
    shell: Shell,
    organization: String,
    /// What the user may make: its words' keys, its path, and how many there are.
    counts: Vec<Count>,
    overview: Overview,
    guide: Option<Guide>,
    ending_days: i64,
    idle_days: i64,
    lately_days: i64,
}

struct Count {
    section: &'static str,
    button: &'static str,
    path: &'static str,
    /// Where the button leads.
    make: &'static str,
    count: i64,
}

/// The first call of a program, with what is known of the user in it.
struct Guide {
    /// What must be there before, where it is not: the key of its button's word, and its page.
    make: Option<(&'static str, &'static str)>,
    /// The variables that the programs read, and what goes in each.
    variables: Vec<(&'static str, &'static str)>,
    programs: Vec<(&'static str, String)>,
}

impl Home {
    /// The page of something.
    #[expect(clippy::unused_self, reason = "the template calls it so")]
    fn path(&self, kind: Owned, id: &str) -> String {
        match kind {
            Owned::Credentials => format!("/console/credentials/{}", segment(id)),
            Owned::Application => address(id),
            Owned::ApiKey => "/console/profile/api-keys".to_owned(),
            Owned::Account => "/console/profile".to_owned(),
        }
    }

    /// What something is called.
    fn kind(&self, kind: Owned) -> &str {
        match kind {
            Owned::Credentials => self.shell.say("credentials"),
            Owned::Application => self.shell.say("applications"),
            Owned::ApiKey => self.shell.say("api_keys"),
            Owned::Account => self.shell.say("profile"),
        }
    }
}

/// `/` and `/console` lead to `/console/`.
pub async fn to_console() -> HttpResponse {
    answer::see_other("/console/", "")
}

/// `GET /console/`.
pub async fn show(visit: Visit) -> HttpResponse {
    match overview::of_caller(visit.context(), &visit.by).await {
        Ok(overview) => answer::ok(&Home {
            shell: visit.shell("Home"),
            organization: visit.principal.organization.name.clone(),
            counts: counts(&overview),
            guide: guide(&visit, &overview),
            overview,
            ending_days: ENDING_DAYS,
            idle_days: IDLE_DAYS,
            lately_days: LATELY_DAYS,
        }),
        Err(error) => answer::refuse(&visit, &error),
    }
}

fn counts(overview: &Overview) -> Vec<Count> {
    let count = |section, button, path, make, count: Option<i64>| {
        count.map(|count| Count { section, button, path, make, count })
    };
    let keys = "/console/profile/api-keys";
    [
        count(
            "credentials",
            "new_credentials",
            "/console/credentials",
            "/console/credentials/new",
            overview.credentials,
        ),
        count(
            "applications",
            "new_application",
            "/console/applications",
            "/console/applications/new",
            overview.applications,
        ),
        count("api_keys", "new_api_key", keys, keys, overview.api_keys),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The shapes of credentials that a guide is written for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Credentials,
    Application,
    ApiKey,
    Basic,
}

/// The way of the platform whose dialect is spoken; with none that of what the user has, or may have.
fn way(visit: &Visit, overview: &Overview) -> Option<Way> {
    let permitted = |way: Way| match way {
        Way::Credentials => visit.holds(CREDENTIALS_MANAGE),
        Way::Application => visit.holds(APPLICATIONS_MANAGE),
        Way::ApiKey => visit.holds(API_KEYS_MANAGE),
        Way::Basic => visit.holds(crate::model::role::API_ACCESS),
    };
    let of_platform = visit.state.console().preset.map(|preset| match preset {
        Preset::Biotz => Way::Credentials,
        Preset::Buymed | Preset::Akeneo => Way::Application,
        Preset::Kizen => Way::ApiKey,
        Preset::Bandwidth => Way::Basic,
    });
    let there = [
        (Way::Application, overview.newest_client.is_some()),
        (Way::Credentials, overview.newest_username.is_some()),
        (Way::ApiKey, overview.api_keys.is_some_and(|count| count > 0)),
    ];
    let owned = there.into_iter().filter(|(_, is_there)| *is_there).map(|(way, _)| way);
    let possible = [Way::Credentials, Way::Application, Way::ApiKey, Way::Basic];
    of_platform.into_iter().chain(owned).chain(possible).find(|way| permitted(*way))
}

fn guide(visit: &Visit, overview: &Overview) -> Option<Guide> {
    let context = visit.context();
    let site = &visit.state.console().site;
    let way = way(visit, overview)?;
    let (call, make, variables) = match way {
        Way::Credentials => {
            let id = context.credentials.programmatic_client_id.clone();
            let client = ClientAccess { id, secret: None, in_body: false };
            let known = overview.newest_username.as_deref();
            let username = known.map_or(USERNAME, Value::from);
            let mut variables = vec![("GRANTOR_PASSWORD", "the password that was shown once")];
            if known.is_none() {
                variables.insert(0, ("GRANTOR_USERNAME", "the generated username"));
            }
            let make = known.is_none().then_some(("new_credentials", "/console/credentials/new"));
            (Call::password(site, &client, username, PASSWORD), make, variables)
        }
        Way::Application => {
            let known = overview.newest_client.as_deref();
            let id = known.unwrap_or("YOUR_CLIENT_ID").to_owned();
            let client = ClientAccess { id, secret: Some(CLIENT_SECRET), in_body: false };
            let make = known.is_none().then_some(("new_application", "/console/applications/new"));
            let secret = ("GRANTOR_CLIENT_SECRET", "the secret of the application");
            match visit.state.console().preset {
                Some(Preset::Buymed) => (Call::client_headers(site, &client), make, vec![secret]),
                Some(Preset::Akeneo) => {
                    let user = [("GRANTOR_USERNAME", "an API user"), ("GRANTOR_PASSWORD", "their password")];
                    let variables = [&[secret][..], &user[..]].concat();
                    (Call::password(site, &client, USERNAME, PASSWORD), make, variables)
                }
                _ => (Call::client_credentials(site, &client), make, vec![secret]),
            }
        }
        Way::ApiKey => {
            let make = (overview.api_keys == Some(0)).then_some(("new_api_key", "/console/profile/api-keys"));
            let call = Call::api_key(site, API_KEY, visit.user_id(), &visit.principal.organization.id);
            (call, make, vec![("GRANTOR_API_KEY", "the key")])
        }
        Way::Basic => {
            let username = visit.principal.username.as_deref().map_or(USERNAME, Value::from);
            (Call::basic(site, username, PASSWORD), None, vec![("GRANTOR_PASSWORD", "your password")])
        }
    };
    let languages = [(Language::Curl, "curl"), (Language::Python, "Python"), (Language::Node, "Node")];
    let programs = languages.map(|(language, name)| (name, program(language, &call))).to_vec();
    Some(Guide { make, variables, programs })
}
