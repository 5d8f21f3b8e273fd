//! What surrounds every page: name, menu, who is signed in, what was just done.

use std::sync::Arc;

use crate::config::{Brand, Config, Preset};
use crate::crypto::identifier::uuid_v7;
use crate::developer::call::Site;
use crate::http::console::assets;
use crate::http::console::visit::{Guest, Visit};
use crate::model::role::{
    API_KEYS_MANAGE, APPLICATIONS_MANAGE, AUDIT_READ, CREDENTIALS_MANAGE, KEYS_MANAGE, ROLES_MANAGE, SCOPES_MANAGE,
    USERS_MANAGE,
};
use crate::model::wording::{ConsoleWord, ConsoleWords};

/// What the console is set to.
#[derive(Debug)]
pub struct ConsoleSettings {
    /// Its words.
    pub words: ConsoleWords,
    /// Its name and colours.
    pub brand: Brand,
    /// The platform whose dialect it speaks.
    pub preset: Option<Preset>,
    /// The addresses that programs call.
    pub site: Site,
}

impl ConsoleSettings {
    /// From the configuration. `issuer` is the base of every address.
    #[must_use]
    pub fn from_config(config: &Config, issuer: &str) -> Self {
        Self {
            words: config.words.clone(),
            brand: config.brand.clone(),
            preset: config.preset,
            site: Site::new(issuer, &config.http.token_path),
        }
    }
}

/// A line of the menu.
pub struct Entry {
    /// What it is called.
    pub label: String,
    /// Where it leads.
    pub path: &'static str,
    /// Whether the page is in it.
    pub here: bool,
}

/// A part of the menu.
pub struct Group {
    /// What it is called; nothing for the first one.
    pub label: String,
    /// Its lines.
    pub entries: Vec<Entry>,
}

/// The user, as the head of a page shows them.
pub struct Viewer {
    /// Their username.
    pub username: String,
    /// The organization that they look at.
    pub organization: String,
    /// Its id.
    pub organization_id: String,
    /// All of theirs: id and name.
    pub organizations: Vec<(String, String)>,
}

/// What surrounds a page.
pub struct Shell {
    /// The page's title.
    pub title: String,
    /// What the console is set to.
    pub console: Arc<ConsoleSettings>,
    /// The menu.
    pub menu: Vec<Group>,
    /// Who is signed in.
    pub viewer: Option<Viewer>,
    /// The token that forms bear.
    pub csrf: String,
    /// What a form of this page is known by that is carried out once; nothing for a visitor.
    pub form_id: String,
    /// What was just done, or nothing.
    pub notice: &'static str,
    /// The path of this page.
    pub path: String,
}

impl Shell {
    /// For somebody who need not be signed in.
    #[must_use]
    pub fn of_guest(guest: &Guest, title: &str) -> Self {
        Self {
            title: title.to_owned(),
            console: Arc::clone(guest.state.console()),
            menu: Vec::new(),
            viewer: None,
            csrf: guest.csrf(),
            form_id: String::new(),
            notice: notice_in(guest.request.query_string()),
            path: guest.request.path().to_owned(),
        }
    }

    /// For a user with a session.
    #[must_use]
    pub fn of_visit(visit: &Visit, title: &str) -> Self {
        let principal = &visit.principal;
        let console = Arc::clone(visit.state.console());
        let path = visit.request.path().to_owned();
        let named = |organization: &crate::model::organization::Organization| {
            (organization.id.clone(), organization.name.clone())
        };
        let organizations = principal.organizations(visit.context());
        Self {
            title: title.to_owned(),
            menu: menu(visit, &console.words, &path),
            console,
            viewer: Some(Viewer {
                username: principal.username.clone().unwrap_or_default(),
                organization: principal.organization.name.clone(),
                organization_id: principal.organization.id.clone(),
                organizations: organizations.iter().map(|one| named(one)).collect(),
            }),
            csrf: visit.csrf.clone(),
            form_id: uuid_v7(visit.context().clock.now(), &visit.context().random),
            notice: notice_in(visit.request.query_string()),
            path,
        }
    }

    /// A word of the console, by its key in `[console.words]`.
    #[must_use]
    pub fn say(&self, key: &str) -> &str {
        key.parse::<ConsoleWord>().map_or("", |word| self.console.words.get(word))
    }

    /// The style sheet, the script and the brand's colours: paths that name their content.
    #[must_use]
    pub fn asset(&self, name: &str) -> String {
        assets::path_of(name, &self.console)
    }
}

fn menu(visit: &Visit, words: &ConsoleWords, path: &str) -> Vec<Group> {
    let holds = |permission: &str| visit.holds(permission);
    let governs = visit.principal.organization.slug == crate::admin::organizations::DEFAULT_SLUG;
    let lines: [(ConsoleWord, ConsoleWord, &'static str, bool); 11] = [
        (ConsoleWord::Developer, ConsoleWord::Credentials, "/console/credentials", holds(CREDENTIALS_MANAGE)),
        (ConsoleWord::Developer, ConsoleWord::Applications, "/console/applications", holds(APPLICATIONS_MANAGE)),
        (ConsoleWord::Developer, ConsoleWord::ApiKeys, "/console/profile/api-keys", holds(API_KEYS_MANAGE)),
        (
            ConsoleWord::Developer,
            ConsoleWord::Scopes,
            "/console/scopes",
            holds(APPLICATIONS_MANAGE) || holds(SCOPES_MANAGE),
        ),
        (ConsoleWord::Administration, ConsoleWord::Users, "/console/users", holds(USERS_MANAGE)),
        (ConsoleWord::Administration, ConsoleWord::Roles, "/console/roles", holds(ROLES_MANAGE) || holds(USERS_MANAGE)),
        (
            ConsoleWord::Administration,
            ConsoleWord::Organizations,
            "/console/organizations",
            governs && holds(USERS_MANAGE) && holds(ROLES_MANAGE) && holds(SCOPES_MANAGE),
        ),
        (
            ConsoleWord::Administration,
            ConsoleWord::Approvals,
            "/console/approvals",
            holds(APPLICATIONS_MANAGE) && holds(SCOPES_MANAGE),
        ),
        (ConsoleWord::Administration, ConsoleWord::Audit, "/console/audit", holds(AUDIT_READ)),
        (ConsoleWord::Administration, ConsoleWord::Keys, "/console/keys", governs && holds(KEYS_MANAGE)),
        (ConsoleWord::Administration, ConsoleWord::Reports, "/console/reports", holds(AUDIT_READ)),
    ];
    let entry = |label: &str, target: &'static str| Entry {
        label: label.to_owned(),
        path: target,
        here: path == target || (target != "/console/" && path.starts_with(&format!("{target}/"))),
    };
    let mut groups = vec![Group { label: String::new(), entries: vec![entry("Home", "/console/")] }];
    for (part, word, target, shown) in lines {
        if !shown {
            continue;
        }
        let (label, line) = (words.get(part), entry(words.get(word), target));
        // Two parts that a platform calls alike are one.
        match groups.iter_mut().find(|group| group.label == label) {
            Some(group) => group.entries.push(line),
            None => groups.push(Group { label: label.to_owned(), entries: vec![line] }),
        }
    }
    groups.push(Group {
        label: "Tools".to_owned(),
        entries: vec![entry("Token inspector", "/console/inspector"), entry("API reference", "/docs/")],
    });
    groups
}

/// What a page says after it was led to by something that was done: a closed set, so that no link can put words here.
const NOTICES: &[(&str, &str)] = &[
    ("saved", "Saved."),
    ("sent-before", "This form was sent before, and nothing is done twice. See here what came of it."),
    ("created", "Created."),
    ("deleted", "Deleted. It opens nothing any more."),
    ("disabled", "Disabled. It opens nothing until it is enabled again."),
    ("enabled", "Enabled."),
    ("unlocked", "Unlocked."),
    ("approved", "Approved."),
    ("denied", "Denied."),
    ("requested", "Requested. An administrator decides about it."),
    ("registered", "Registered. It has credentials once an administrator has approved it."),
    ("revoked", "Revoked."),
    ("rotated", "Rotated."),
    ("secret-ended", "Secret ended. It opens nothing any more."),
    ("password-changed", "Password changed. Every other session of yours has ended."),
    ("password-set", "Password set. It opens what the account may use: these pages, the API, or both."),
    ("session-ended", "Session ended."),
    ("invited", "Created. A message with a link to verify the address is on its way."),
    ("password-of-user", "Password set. The account's sessions and tokens have ended."),
    ("membership-ended", "Membership ended."),
    ("signed-out", "Signed out."),
    ("link-sent", "If there is such an account with a verified address, a link is on its way to it."),
    ("message-sent", "The message is on its way."),
    ("verified", "Your address is verified. A link that sets your password is on its way to it."),
    ("verified-active", "Your address is verified, and the account works."),
];

/// The notice of a query.
fn notice_in(query: &str) -> &'static str {
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    let named = pairs.find(|(name, _)| name == "notice").map(|(_, value)| value);
    NOTICES.iter().find(|(key, _)| Some(*key) == named.as_deref()).map_or("", |(_, text)| text)
}
