//! The users of an organization, and the form that adds one.
//!
//! Longer than most pages: the form asks for everything that a user has.

use actix_web::HttpResponse;
use askama::Template;

use crate::admin::users::{self, MadeUser, UserRequest};
use crate::admin::{AdminError, FieldError, memberships, organizations, roles};
use crate::crypto::secret::SecretString;
use crate::developer::call::Call;
use crate::developer::snippets::{Language, program};
use crate::http::console::answer;
use crate::http::console::fields::{Fields, Form};
use crate::http::console::once::page::{Once, Row};
use crate::http::console::pager::Pager;
use crate::http::console::shell::Shell;
use crate::http::console::submission::Submission;
use crate::http::console::visit::Visit;
use crate::http::paging::Paging;
use crate::model::organization::Organization;
use crate::model::profile::PhonePattern;
use crate::model::role::{API_USER, Role, USERS_MANAGE};
use crate::model::user::{UserKind, UserStatus};
use crate::store::user_profiles::{UserFilter, UserProfile};

/// The name of the list, for its cursors.
const LIST: &str = "users";

/// A value and what a page calls it.
pub(in crate::http::console) type Choice = (&'static str, &'static str);

/// A box to tick: its value, its label and what it means.
pub(in crate::http::console) type Tick = (String, String, String);

/// What a page calls the kinds of users.
pub(in crate::http::console) const KINDS: [Choice; 2] =
    [("person", "Person, who signs in"), ("api_user", "API user, for a program")];

/// What a page calls the levels of administration.
pub(in crate::http::console) const LEVELS: [Choice; 2] =
    [("basic", "Basic: sees and edits only their own profile"), ("admin", "Admin: manages users")];

#[derive(Template)]
#[template(path = "users/page.html")]
struct Users {
    shell: Shell,
    form: Form,
    kinds: [Choice; 3],
    statuses: [Choice; 5],
    users: Vec<UserProfile>,
    is_filtered: bool,
    pager: Pager,
}

#[derive(Template)]
#[template(path = "users/new.html")]
struct New {
    shell: Shell,
    form: Form,
    organization: String,
    required: Vec<&'static str>,
    phone_hint: String,
    password_hint: String,
    kinds: [Choice; 2],
    levels: [Choice; 2],
    accesses: Vec<Tick>,
    roles: Vec<Tick>,
    /// The visitor's other organizations.
    organizations: Vec<Tick>,
    /// Whether the form asks for the visitor's own password too.
    asks: bool,
}

impl New {
    fn needs(&self, field: &str) -> bool {
        self.required.contains(&field)
    }
}

/// First and last name, or else the display name.
pub(in crate::http::console) fn full_name(user: &UserProfile) -> String {
    let both = format!("{} {}", user.first_name, user.last_name);
    if both.trim().is_empty() { user.name.clone() } else { both.trim().to_owned() }
}

/// The kind, as people say it.
pub(in crate::http::console) fn kind(user: &UserProfile) -> &'static str {
    match user.kind {
        UserKind::Person => "person",
        UserKind::ApiUser => "API user",
    }
}

/// Where the account opens something.
pub(in crate::http::console) fn access(user: &UserProfile) -> &'static str {
    match (user.access_console, user.access_api) {
        (true, true) => "console and API",
        (true, false) => "console",
        (false, true) => "API",
        (false, false) => "none",
    }
}

/// The boxes of the access methods.
pub(in crate::http::console) fn accesses() -> Vec<Tick> {
    let texts = [
        ("api", "Allow user credentials to authenticate API", "The password never has to be changed by force."),
        ("console", "Allow user to sign in to these pages", "With username and password."),
    ];
    texts.map(|(value, label, text)| (value.to_owned(), label.to_owned(), text.to_owned())).into()
}

/// The boxes of roles, each with what it permits.
pub(in crate::http::console) fn role_boxes(all: Vec<Role>) -> Vec<Tick> {
    let definition = |role: &Role| {
        let permits = role.permissions.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        let permits = if permits.is_empty() { "permits nothing yet".to_owned() } else { format!("permits {permits}") };
        if role.description.is_empty() { permits } else { format!("{}: {permits}", role.description) }
    };
    all.into_iter().map(|role| (role.id.clone(), role.name.clone(), definition(&role))).collect()
}

/// How telephone numbers are written here.
pub(in crate::http::console) fn phone_hint(pattern: &PhonePattern) -> String {
    match (pattern.accepts("9195551234"), pattern.accepts("+19195551234")) {
        (true, false) => "Ten digits, as 9195551234. It is asked for when the account is verified.".to_owned(),
        (false, true) => {
            "With the country's code, as +19195551234. It is asked for when the account is verified.".to_owned()
        }
        _ => format!("Written as {}. It is asked for when the account is verified.", pattern.as_str()),
    }
}

/// `GET /console/users`.
pub async fn show(visit: Visit) -> HttpResponse {
    match list(&visit).await {
        Ok(page) => answer::ok(&page),
        Err(error) => answer::refuse(&visit, &error),
    }
}

async fn list(visit: &Visit) -> Result<Users, AdminError> {
    let context = visit.context();
    let asked = |name: &str| visit.query(name).unwrap_or_default();
    let (search, kind, status, cursor) = (asked("q"), asked("kind"), asked("status"), visit.query("cursor"));
    let is_later = cursor.is_some();
    let window = Paging { limit: None, cursor }.window(context, LIST)?;
    let filter = UserFilter {
        programmatic: Some(false),
        // A word that is none of the select's filters nothing.
        kind: kind.parse().ok(),
        status: status.parse::<UserStatus>().ok(),
        search: visit.query("q"),
        ..UserFilter::default()
    };
    let is_filtered = filter.kind.is_some() || filter.status.is_some() || filter.search.is_some();
    let rows = users::page(context, &visit.by, filter, &window.after, window.limit).await?;
    let page = window.page(context, LIST, rows, |user| user.id.clone(), |user| user);
    let kept = [("q", search.as_str()), ("kind", kind.as_str()), ("status", status.as_str())];
    let pager = Pager::of(&page, "/console/users", &kept, is_later);
    let fields = Fields::default().with("q", &search).with("kind", &kind).with("status", &status);
    let title = visit.shell("").say("users").to_owned();
    Ok(Users {
        shell: visit.shell(&title),
        form: Form::with(fields),
        kinds: [("", "All"), ("person", "People"), ("api_user", "API users")],
        statuses: [
            ("", "All"),
            ("invited", "Invited"),
            ("active", "Active"),
            ("locked", "Locked"),
            ("disabled", "Disabled"),
        ],
        users: page.items,
        is_filtered,
        pager,
    })
}

/// What a new account can be given: roles here, and places elsewhere.
struct Offer {
    roles: Vec<Role>,
    organizations: Vec<Organization>,
}

async fn offer(visit: &Visit) -> Result<Offer, AdminError> {
    visit.by.require(USERS_MANAGE)?;
    let roles = roles::list(visit.context(), &visit.by, None).await?;
    let mut organizations = organizations::of_caller(visit.context(), &visit.by).await?;
    organizations.retain(|one| one.id != visit.principal.organization.id);
    Ok(Offer { roles, organizations })
}

fn form_page(visit: &Visit, offer: Offer, form: Form) -> New {
    let context = visit.context();
    let title = visit.shell("").say("new_user").to_owned();
    let least = context.login.policy().min_length;
    New {
        shell: visit.shell(&title),
        form,
        organization: visit.principal.organization.name.clone(),
        required: context.profiles.required.iter().map(|field| field.as_str()).collect(),
        phone_hint: phone_hint(&context.profiles.phone),
        password_hint: format!("At least {least} characters."),
        kinds: KINDS,
        levels: LEVELS,
        accesses: accesses(),
        roles: role_boxes(offer.roles),
        organizations: offer
            .organizations
            .into_iter()
            .map(|one| (one.id, one.name, format!("number {}", one.number)))
            .collect(),
        asks: !visit.is_proven(),
    }
}

/// `GET /console/users/new`.
pub async fn form(visit: Visit) -> HttpResponse {
    match offer(&visit).await {
        Ok(offer) => {
            let fields = Fields::default().with("kind", "person").with("administration", "basic");
            answer::ok(&form_page(&visit, offer, Form::with(fields)))
        }
        Err(error) => answer::refuse(&visit, &error),
    }
}

fn request(fields: &Fields) -> UserRequest {
    let all = |name: &str| fields.all(name).map(str::to_owned).collect();
    let text = |name: &str| fields.text(name).to_owned();
    UserRequest {
        username: text("username"),
        kind: fields.given("kind").map(str::to_owned),
        first_name: text("first_name"),
        last_name: text("last_name"),
        email: fields.given("email").map(str::to_owned),
        phone: fields.given("phone").map(str::to_owned),
        access: all("access"),
        administration: fields.given("administration").map(str::to_owned),
        roles: all("roles"),
        password: fields.secret("password"),
        ..UserRequest::default()
    }
}

/// `POST /console/users/new`. Whoever gives accounts away says first who they are, in the form itself: it may bear a
/// password, which no page writes back.
pub async fn create(mut sent: Submission) -> HttpResponse {
    if let Err(error) = sent.visit.by.require(USERS_MANAGE) {
        return answer::refuse(&sent.visit, &error);
    }
    let proven = sent.proven_in_itself().await;
    let (visit, request) = (&sent.visit, request(&sent.fields));
    let made = async {
        // What the form alone knows to be wrong is said beside what the verb would say.
        let mut wrong = Vec::new();
        match proven {
            Ok(()) => {}
            Err(AdminError::Invalid(missing)) => wrong.extend(missing),
            Err(error) => return Err(error),
        }
        if sent.fields.raw("password") != sent.fields.raw("repeated") {
            wrong.push(FieldError { field: "repeated", message: "is not the same".to_owned() });
        }
        if request.access.is_empty() {
            wrong.push(FieldError { field: "access", message: "need at least one tick".to_owned() });
        }
        if !wrong.is_empty() {
            wrong.extend(users::check(visit.context(), &visit.by, &request));
            return Err(AdminError::Invalid(wrong));
        }
        for place in sent.fields.all("organizations") {
            let (_, there) = organizations::elsewhere(visit.context(), &visit.by, place).await?;
            there.require(USERS_MANAGE)?;
        }
        let mut made = users::create(visit.context(), &visit.by, &request).await?;
        for place in sent.fields.all("organizations") {
            // The account is there by now: what goes wrong here is told with its password, or on its page.
            let roles = [API_USER.to_owned()];
            if let Err(error) = memberships::set(visit.context(), &visit.by, &made.id, Some(place), &roles).await {
                made.warnings.push(format!("it could not be added to {place}: {error}"));
            }
        }
        Ok(made)
    };
    let made = match sent.once("/console/users", made).await {
        Ok(made) => made,
        Err(page) => return page,
    };
    match made {
        Ok(made) => created(visit, made),
        Err(error) => match offer(visit).await {
            Ok(offer) => answer::again(sent, users::at_field(error), |visit, form| form_page(visit, offer, form)),
            Err(error) => answer::refuse(visit, &error),
        },
    }
}

fn created(visit: &Visit, made: MadeUser) -> HttpResponse {
    let page = format!("/console/users/{}", made.id);
    let Some(password) = made.password else {
        return answer::see_other(&page, if made.status == UserStatus::Invited { "invited" } else { "created" });
    };
    answer::ok(&password_once(visit, "User created", &made.username, &password, &made.warnings, page))
}

/// A generated password, shown this once.
pub(in crate::http::console) fn password_once(
    visit: &Visit,
    title: &str,
    username: &str,
    password: &SecretString,
    warnings: &[String],
    back: String,
) -> Once {
    let site = &visit.state.console().site;
    let call = Call::basic(site, username.into(), password.expose().into());
    let mut lead = "This password is shown only now. Copy it or download it; nobody can look it up later.".to_owned();
    for warning in warnings {
        lead.push_str(" Think about this: ");
        lead.push_str(warning);
        lead.push('.');
    }
    Once {
        shell: visit.shell(title),
        lead,
        rows: vec![Row::plain("Username", "username", username), Row::secret("Password", "password", password)],
        programs: vec![("Try it".to_owned(), program(Language::Curl, &call))],
        file_name: "credentials".to_owned(),
        back: (back, "To the user's page".to_owned()),
    }
}
