//! `quickstart --demo`: a company that has used the server for a month. Names and figures are the same each time;
//! everything is made by the verbs that page, API and command line call, so that each thing has its audit event.
//!
//! Longer than most files: it is one list of things to make, in the order in which they need each other.

use crate::admin::api_keys::{self, NewApiKey};
use crate::admin::clients::{self, NewClient};
use crate::admin::roles::{self, RoleRequest};
use crate::admin::users::{self, UserRequest};
use crate::admin::{Authority, client_secrets, credentials, memberships, organizations, scope_requests, scopes};
use crate::cli::Failure;
use crate::cli::quickstart::demo_usage::{self, Habit, Used};
use crate::cli::quickstart::made::{Made, Path, Workshop};
use crate::crypto::secret::SecretString;
use crate::model::api_key::ApiKeyStatus;
use crate::model::audit::{Actor, ActorKind};
use crate::model::client::ClientStatus;
use crate::model::grant_type::GrantType;
use crate::model::profile::ProfileField;
use crate::model::role::{ADMINISTRATOR, API_ACCESS, API_USER, AUDIT_READ, DEVELOPER};
use crate::model::scope::CatalogueScope;
use crate::model::usage::{BASIC, CredentialKind, UsageDetail};
use crate::model::user::{User, UserStatus};

const ORDERS: &str = "https://orders.example";
const BILLING: &str = "https://billing.example";
const ELSEWHERE: &str = "harbour-foods";
const DAY: i64 = 86_400;

fn owned<const N: usize>(words: [&str; N]) -> Vec<String> {
    words.map(str::to_owned).to_vec()
}

/// Fills an installation that has just been made.
pub(super) async fn fill(workshop: &Workshop<'_>) -> Result<Path, Failure> {
    catalogue(workshop).await?;
    let people = people(workshop).await?;
    let mut used = Vec::new();
    let portal = applications(workshop, &people, &mut used).await?;
    registrations(workshop, &people, &mut used).await?;
    programs(workshop, &people, &portal, &mut used).await?;
    elsewhere(workshop).await?;
    demo_usage::write(workshop.context, used).await?;
    let Made { name, secret } = &people.developer_sign_in;
    let lines = format!(
        "Demonstration   an organization beside the default one, people, programs, applications in each state, API\n                \
         keys, scope requests, and a month of usage: 'grantor client list', 'grantor report password-grant'\n\
         Developer       {name}   password {secret}   (shown only now)\n"
    );
    let made = vec![("demo_developer_username", name.clone()), ("demo_developer_password", secret.clone())];
    Ok(Path { lines, made })
}

/// Scopes, and roles that hold some of them.
async fn catalogue(workshop: &Workshop<'_>) -> Result<(), Failure> {
    let (context, by) = (workshop.context, &workshop.by);
    for (name, description, requires_approval, audience) in [
        ("orders:read", "Read orders", false, ORDERS),
        ("orders:write", "Place and change orders", true, ORDERS),
        ("invoices:read", "Read invoices", true, BILLING),
        ("payments:refund", "Pay money back", true, BILLING),
    ] {
        let scope = CatalogueScope {
            name: name.to_owned(),
            description: description.to_owned(),
            requires_approval,
            audience: Some(audience.to_owned()),
        };
        scopes::create(context, by, scope).await?;
    }
    for (name, description, permissions) in [
        ("order reader", "Reads orders, and nothing else", vec![API_ACCESS, "orders:read"]),
        ("auditor", "Reads audit events and usage", vec![API_ACCESS, AUDIT_READ]),
    ] {
        let permissions = permissions.into_iter().map(str::to_owned).collect();
        let request = RoleRequest { name: name.to_owned(), description: description.to_owned(), permissions };
        roles::create(context, by, None, &request).await?;
    }
    Ok(())
}

/// Who acts in the demonstration.
struct People {
    administrator: Authority,
    developer: Authority,
    developer_sign_in: Made,
    developer_id: String,
}

/// People of the default organization, one in each state.
async fn people(workshop: &Workshop<'_>) -> Result<People, Failure> {
    let (context, by) = (workshop.context, &workshop.by);
    let mut made = Vec::new();
    for (username, role) in [
        ("ada.larsson", ADMINISTRATOR),
        ("ben.okafor", DEVELOPER),
        ("chen.wei", "auditor"),
        ("dora.silva", API_USER),
        ("emil.novak", API_USER),
    ] {
        let mut request = person(username, role);
        request.administration = (role == ADMINISTRATOR).then(|| "admin".to_owned());
        made.push(users::create(context, by, &request).await?);
    }
    users::set_status(context, by, "dora.silva", UserStatus::Disabled).await?;
    users::set_status(context, by, "emil.novak", UserStatus::Locked).await?;
    let administrator = acting(workshop, &users::find(context, by, "ada.larsson").await?);
    let developer = users::find(context, by, "ben.okafor").await?;
    let fits = |phone: &&str| {
        let given = |field| (field == ProfileField::Phone).then_some(*phone);
        !context.profiles.faults(given).iter().any(|(field, _)| *field == ProfileField::Phone)
    };
    // Whoever is invited is asked for what the settings require, in the form that they ask for.
    let mut invited = person("fay.adeyemi", API_USER);
    invited.phone = ["+14155550101", "4155550101"].iter().find(|phone| fits(phone)).map(|phone| (*phone).to_owned());
    users::create(context, &administrator, &invited).await?;
    let password = made.swap_remove(1).password.map(SecretString::into_exposed).unwrap_or_default();
    Ok(People {
        administrator,
        developer: acting(workshop, &developer),
        developer_id: developer.id,
        developer_sign_in: Made { name: developer.username, secret: password },
    })
}

fn person(username: &str, role: &str) -> UserRequest {
    let capital = |name: &str| {
        let (first, rest) = name.split_at(1);
        first.to_uppercase() + rest
    };
    let (first, last) = username.split_once('.').unwrap_or((username, username));
    UserRequest {
        username: username.to_owned(),
        first_name: capital(first),
        last_name: capital(last),
        name: format!("{} {}", capital(first), capital(last)),
        email: Some(format!("{username}@example.com")),
        roles: owned([role]),
        ..UserRequest::default()
    }
}

/// A person at the console, from an address of the documentation (RFC 5737).
fn acting(workshop: &Workshop<'_>, user: &User) -> Authority {
    let ip = Some("192.0.2.10".to_owned());
    let actor = Actor { kind: ActorKind::User, id: user.id.clone(), ip, request_id: None };
    let held = users::held(workshop.context, user);
    Authority::in_organization(actor, user.organization_id.clone(), Some(user.id.clone()), held)
}

/// Applications that an administrator made. Answers the one through which people sign in.
async fn applications(workshop: &Workshop<'_>, people: &People, used: &mut Vec<Used>) -> Result<Made, Failure> {
    let (context, by) = (workshop.context, &people.administrator);
    let prefix = &context.credentials.client_id_prefix;
    let id = |number: i64| Some(format!("{prefix}_{number}"));
    let robot = NewClient {
        label: "Warehouse robot".to_owned(),
        description: "Books what arrives and what leaves".to_owned(),
        client_id: id(100_200_300_401),
        grant_types: owned(["client_credentials"]),
        scopes: owned(["orders:read", "orders:write"]),
        ..NewClient::default()
    };
    let portal = NewClient {
        label: "Order portal".to_owned(),
        description: "Where customers follow their orders".to_owned(),
        client_id: id(100_200_300_402),
        grant_types: owned(["password", "refresh_token"]),
        scopes: owned(["openid", "profile", "email", "offline_access", "orders:read"]),
        ..NewClient::default()
    };
    let storefront = NewClient {
        label: "Storefront".to_owned(),
        mode: Some("test".to_owned()),
        client_id: id(100_200_300_403),
        grant_types: owned(["client_credentials"]),
        scopes: owned(["orders:read"]),
        ..NewClient::default()
    };
    let mobile = NewClient {
        label: "Driver app".to_owned(),
        public: true,
        client_id: id(100_200_300_404),
        grant_types: owned(["password", "refresh_token"]),
        scopes: owned(["openid", "orders:read"]),
        ..NewClient::default()
    };
    let billing = NewClient {
        label: "Billing API".to_owned(),
        description: "Asks whether the tokens that it is shown are good".to_owned(),
        client_id: id(100_200_300_405),
        audiences: owned([BILLING]),
        may_introspect: true,
        ..NewClient::default()
    };
    let legacy = NewClient {
        label: "Nightly import (old)".to_owned(),
        client_id: id(100_200_300_406),
        grant_types: owned(["client_credentials"]),
        scopes: owned(["orders:read"]),
        ..NewClient::default()
    };
    let mut made = Vec::new();
    for new in [robot, portal, storefront, mobile, billing, legacy] {
        made.push(clients::create(context, by, &new).await?);
    }
    let ids: Vec<String> = made.iter().map(|made| made.client.client_id.clone()).collect();
    // A rotation under way, and a secret for another machine.
    let rotated = client_secrets::rotate(context, by, &ids[0], Some(7 * DAY)).await?;
    let spare = context.clock.now().plus_seconds(90 * DAY);
    client_secrets::add(context, by, &ids[0], "second warehouse", Some(spare)).await?;
    clients::set_status(context, by, &ids[5], ClientStatus::Disabled).await?;
    let robot = Habit { busiest: 42, round_the_clock: true, ..Habit::default() };
    let office = Habit { busiest: 18, refused: "invalid_grant", ..Habit::default() };
    let rare = Habit { busiest: 3, refused: "invalid_client", ..Habit::default() };
    used.push(Used::client(&ids[0], GrantType::ClientCredentials, &["orders:read", "orders:write"], robot));
    used.push(Used::issued(CredentialKind::ClientSecret, &rotated.secret_id, robot));
    used.push(Used::client(&ids[1], GrantType::Password, &["openid", "orders:read"], office));
    used.push(Used::client(&ids[2], GrantType::ClientCredentials, &["orders:read"], rare));
    used.push(Used::client(&ids[3], GrantType::RefreshToken, &["openid"], office));
    let portal = made.swap_remove(1);
    let secret = portal.secret.map(SecretString::into_exposed).unwrap_or_default();
    Ok(Made { name: portal.client.client_id, secret })
}

/// Applications that a developer registered: waiting, and approved by somebody else; requests in each state.
async fn registrations(workshop: &Workshop<'_>, people: &People, used: &mut Vec<Used>) -> Result<(), Failure> {
    let (context, developer, administrator) = (workshop.context, &people.developer, &people.administrator);
    let registered = async |label: &str, purpose: &str, scopes: Vec<String>| {
        let new = NewClient {
            label: label.to_owned(),
            purpose: purpose.to_owned(),
            grant_types: owned(["client_credentials"]),
            scopes,
            justification: purpose.to_owned(),
            ..NewClient::default()
        };
        clients::create(context, developer, &new).await.map(|made| made.client.client_id)
    };
    registered("Shipping labels", "Prints a label for each packed order", owned(["orders:read"])).await?;
    registered("Price watcher", "Changes orders where a price has changed", owned(["orders:write"])).await?;
    let report = registered("Nightly report", "Sums up the day's orders", owned(["orders:read"])).await?;
    clients::approve(context, administrator, &report).await?;
    for (scope, justification, decision) in [
        ("orders:write", "The report marks what it has counted", Some((true, "Agreed with the warehouse"))),
        ("payments:refund", "It would save a step", Some((false, "A report pays nothing back"))),
        ("invoices:read", "The monthly report needs the totals", None),
    ] {
        let request = scope_requests::create(context, developer, &report, scope, justification).await?;
        if let Some((approved, reason)) = decision {
            scope_requests::decide(context, administrator, &request.id, approved, reason).await?;
        }
    }
    let nightly = Habit { busiest: 4, ..Habit::default() };
    used.push(Used::client(&report, GrantType::ClientCredentials, &["orders:read"], nightly));
    Ok(())
}

/// Sets of credentials, API users, API keys in each state, and sign-ins that go on.
async fn programs(
    workshop: &Workshop<'_>,
    people: &People,
    portal: &Made,
    used: &mut Vec<Used>,
) -> Result<(), Failure> {
    let (context, by) = (workshop.context, &workshop.by);
    for (name, description) in [
        ("warehouse", "The scanners at the gate"),
        ("point of sale", "Tills of all shops"),
        ("partner feed", "Ended with the partnership"),
    ] {
        let made = credentials::create(context, &people.developer, name, description, &[]).await?;
        if name == "partner feed" {
            users::set_status(context, by, &made.user.id, UserStatus::Disabled).await?;
        } else {
            let habit = Habit { busiest: 9, ..Habit::default() };
            used.push(Used::issued(CredentialKind::User, &made.user.id, habit).by(UsageDetail::Grant, "password"));
        }
    }
    let program = |username: &str| UserRequest {
        username: username.to_owned(),
        description: "A program".to_owned(),
        roles: owned(["order reader"]),
        ..UserRequest::default()
    };
    let sync = workshop.api_user(program("warehouse-sync")).await?;
    workshop.api_user(program("billing-export")).await?;
    for _ in 0..2 {
        workshop.refresh_token(portal, &sync).await?;
    }
    let basic = Habit { busiest: 6, ..Habit::default() };
    let sync_id = users::find(context, by, &sync.name).await?.id;
    used.push(Used::verified(CredentialKind::User, &sync_id, basic).by(UsageDetail::Method, BASIC));

    let reveal = context.credentials.reveal.api_key;
    let end = context.clock.now().plus_seconds(30 * DAY);
    let key = |name: &str| NewApiKey {
        user: None,
        name: Some(name.to_owned()),
        organization: None,
        scopes: None,
        expires_at: None,
        networks: Vec::new(),
        reveal,
    };
    let laptop = key("Laptop");
    let pipeline = NewApiKey { expires_at: Some(end), networks: owned(["198.51.100.0/24"]), ..key("Build pipeline") };
    let stopped = key("Old laptop");
    let forklift = NewApiKey { user: Some(sync.name.clone()), ..key("Forklift terminal") };
    let export = NewApiKey {
        user: Some("billing-export".to_owned()),
        scopes: Some(owned([API_ACCESS])),
        ..key("Monthly export")
    };
    for (new, by, busiest) in [
        (laptop, &people.developer, 5),
        (pipeline, &people.developer, 12),
        (stopped, &people.developer, 0),
        (forklift, by, 25),
        (export, by, 0),
    ] {
        let made = api_keys::create(context, by, &new).await?.key;
        if busiest == 0 && made.user_id == people.developer_id {
            api_keys::set_status(context, by, &made.id, ApiKeyStatus::Disabled).await?;
        }
        used.push(Used::verified(CredentialKind::ApiKey, &made.id, Habit { busiest, ..Habit::default() }));
    }
    Ok(())
}

/// A second organization, which sees nothing of the first; one person is in both.
async fn elsewhere(workshop: &Workshop<'_>) -> Result<(), Failure> {
    let (context, by) = (workshop.context, &workshop.by);
    let here = || Some(ELSEWHERE.to_owned());
    organizations::create(context, by, "Harbour Foods", ELSEWHERE).await?;
    users::create(context, by, &UserRequest { organization: here(), ..person("gina.rossi", ADMINISTRATOR) }).await?;
    memberships::grant_role(context, by, "ada.larsson", Some(ELSEWHERE), DEVELOPER).await?;
    let request = UserRequest { username: "harbour-sync".to_owned(), organization: here(), ..UserRequest::default() };
    workshop.api_user(request).await?;
    let new = NewClient {
        label: "Harbour stock".to_owned(),
        organization: here(),
        client_id: Some(format!("{}_{}", context.credentials.client_id_prefix, 100_200_300_501_i64)),
        grant_types: owned(["client_credentials"]),
        scopes: owned(["orders:read"]),
        ..NewClient::default()
    };
    workshop.client(new).await?;
    Ok(())
}
