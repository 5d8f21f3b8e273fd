//! Buymed's document, walked in a browser: Apps, an application, Settings, the security section, scopes.

use std::time::{Duration, Instant};

use grantor::admin::audit::{Filter, From, list};
use grantor::store::clients::ClientFilter;
use rstest::rstest;

use crate::harness::{Answer, Browser, Database, Looks, Pages, Server, TestUser};

/// A platform with an administrator and a developer.
struct Platform {
    server: Server,
    administrator: TestUser,
    developer: TestUser,
}

/// A client id and its secret, as a page has shown them.
#[derive(Debug, Clone, PartialEq)]
struct Shown {
    id: String,
    secret: String,
}

impl Platform {
    fn start(db: Database) -> Self {
        let server = Server::with(db).set("preset", "buymed").start();
        let person = |role: &str, email: &str| {
            let change = |user: &mut grantor::admin::users::UserRequest| {
                user.roles = vec![role.to_owned()];
                user.email = Some(email.to_owned());
            };
            server.person().change(change).create()
        };
        let administrator = person("administrator", "admin@example.org");
        let developer = person("developer", "developer@example.org");
        Self { server, administrator, developer }
    }

    fn browser(&self, user: &TestUser, script: bool) -> Option<Browser> {
        Browser::signed_in(&self.server, user, Looks { script, ..Looks::default() })
    }

    /// The document's two headers.
    fn me(&self, shown: &Shown) -> Answer {
        self.server.get("/api/v1/me", &[("Client-ID", &shown.id), ("Client-Secret", &shown.secret)])
    }

    fn token(&self, shown: &Shown, scope: &str) -> Answer {
        let pairs = [
            ("grant_type", "client_credentials"),
            ("client_id", &shown.id),
            ("client_secret", &shown.secret),
            ("scope", scope),
        ];
        self.server.post("/oauth/token", &pairs, &[])
    }

    fn events(&self, action: &str) -> usize {
        let filter = Filter { action: Some(action.to_owned()), ..Filter::default() };
        self.server.run(async |context, by| list(context, by, &filter, From::Newest, 100).await.unwrap().events.len())
    }

    /// An application that works, made by the pages alone: registered by the developer, approved by the administrator.
    fn approved(&self, script: bool) -> Option<(Browser, Browser, Shown)> {
        let developer = self.browser(&self.developer, script)?;
        register(&developer);
        let administrator = self.browser(&self.administrator, script)?;
        let shown = approve(&administrator);
        to_settings(&developer);
        Some((developer, administrator, shown))
    }
}

fn register(browser: &Browser) {
    browser.press("Apps");
    browser.press("Register application");
    browser.fill("Label", "Order robot");
    browser.fill("Description", "Fetches orders");
    browser.fill("Purpose", "Our warehouse");
    browser.press("Save");
    browser.sees("Registered.");
}

fn approve(browser: &Browser) -> Shown {
    browser.press("Approvals");
    browser.sees("Our warehouse");
    browser.press("Approve Order robot");
    browser.sees("Order robot is approved");
    shown(browser)
}

fn shown(browser: &Browser) -> Shown {
    Shown { id: browser.value("Client ID"), secret: browser.value("Client secret") }
}

/// The document's way: Apps, the application, Settings.
fn to_settings(browser: &Browser) {
    browser.press("Apps");
    browser.press("Order robot");
    browser.press("Settings");
    browser.sees("Security");
}

/// The application, and its own tab of scopes: the catalogue of the same name stands in the menu.
fn to_scopes(browser: &Browser) {
    browser.press("Apps");
    browser.press("Order robot");
    browser.press_in("Order robot", "API Scopes");
    browser.sees("Approved");
}

/// The path of the application's pages.
fn path_of(shown: &Shown) -> String {
    format!("/console/applications/{}", shown.id)
}

#[rstest]
fn bm1_an_application_waits_without_credentials_until_an_approval_makes_them(#[values(true, false)] script: bool) {
    let platform = Platform::start(Database::Sqlite);
    let Some(developer) = platform.browser(&platform.developer, script) else { return };
    register(&developer);
    developer.sees("pending");
    developer.sees("It waits for an approval, and has no credentials until then.");
    to_settings(&developer);
    developer.sees("No credentials yet.");
    developer.open("/console/approvals");
    developer.sees("You may not do that");

    let Some(administrator) = platform.browser(&platform.administrator, script) else { return };
    let made = approve(&administrator);
    platform.me(&made).ok();
    let sent = platform.server.run(async |context, by| grantor::admin::mail::list(context, by).await.unwrap());
    assert_eq!((sent[0].kind.as_str(), &*sent[0].recipient), ("application_approved", "developer@example.org"));
    to_settings(&developer);
    assert_eq!(developer.value("Client ID"), made.id);
    // BM2: both begin as the document writes them.
    assert!(made.id.starts_with("buymed_app_") && made.secret.starts_with("sk_live_"), "{made:?}");
}

#[rstest]
fn bm1_nobody_approves_their_own_and_a_denial_says_why(#[values(true, false)] script: bool) {
    let platform = Platform::start(Database::Sqlite);
    let Some(developer) = platform.browser(&platform.developer, script) else { return };
    register(&developer);
    // Somebody who may approve, and whose own it is: they find it in the list, and nothing to press.
    let id = platform.developer.id.clone();
    let grant = |role: &'static str| {
        platform.server.run(async |context, by| {
            grantor::admin::memberships::grant_role(context, by, &id, None, role).await.unwrap();
        });
    };
    grant("administrator");
    developer.reload();
    developer.press("Approvals");
    developer.sees("It is yours: somebody else decides.");
    assert!(!developer.has_button("Approve") && !developer.has_button("Deny"));
    let client_id = platform.server.run(async |context, by| {
        let all = grantor::admin::clients::page(context, by, ClientFilter::default(), "", 100).await.unwrap();
        all.into_iter().find(|client| client.label == "Order robot").unwrap().client_id
    });
    let own = Pages::signed_in(&platform.server, &platform.developer);
    let approve = format!("/console/approvals/applications/{client_id}/approve");
    let tried = own.send("/console/approvals", &approve, &[]);
    assert!(matches!(tried.status, 403 | 409 | 422), "{tried:?}");
    assert!(own.get("/console/approvals").ok().body.contains("It is yours"), "it waits as before");

    let Some(administrator) = platform.browser(&platform.administrator, script) else { return };
    administrator.press("Approvals");
    administrator.press("Deny Order robot");
    administrator.fill("Reason", "We have two of these already");
    administrator.press("Deny it");
    administrator.sees("Denied.");
    administrator.sees("No application waits.");
    developer.press("Apps");
    developer.sees("denied");
    developer.press("Order robot");
    developer.sees("It was denied: We have two of these already");
}

#[rstest]
fn bm3_the_secret_is_in_the_security_section_and_is_viewed_after_ones_own_password(
    #[values(true, false)] script: bool,
) {
    let platform = Platform::start(Database::Sqlite);
    let Some((developer, _, made)) = platform.approved(script) else { return };
    platform.server.clock.advance(400);
    to_settings(&developer);
    developer.press("View");
    developer.sees("Is it you?");
    developer.fill("Password", "not the password");
    developer.press("Confirm");
    developer.sees("is not yours");
    assert_eq!(platform.events("client.secret_revealed"), 0);
    developer.fill("Password", &platform.developer.password);
    developer.press("Confirm");
    developer.sees("The secret of Order robot");
    assert_eq!(shown(&developer), made);
    assert_eq!(platform.events("client.secret_revealed"), 1);
    platform.me(&made).ok();

    let other = platform.server.person().change(|user| user.roles = vec!["developer".to_owned()]).create();
    let Some(other) = platform.browser(&other, script) else { return };
    other.press("Apps");
    other.sees("0 of 0");
    for tab in ["", "/settings", "/scopes", "/events", "/usage"] {
        other.open(&format!("{}{tab}", path_of(&made)));
        other.sees("Not found");
        other.does_not_see("Order robot");
    }
}

#[rstest]
fn bm4_regenerating_warns_and_kills_the_old_secret_at_the_next_request(#[values(true, false)] script: bool) {
    let platform = Platform::start(Database::Sqlite);
    let Some((developer, _, old)) = platform.approved(script) else { return };
    platform.me(&old).ok();
    developer.does_not_see("programs that still use it are interrupted");
    developer.press("Regenerate Client Secret");
    developer.sees("programs that still use it are interrupted");
    developer.press("Replace the secret");
    developer.sees("The old secret opens nothing any more.");
    let new = shown(&developer);
    assert_eq!((platform.me(&old).status, new.id == old.id, new.secret == old.secret), (401, true, false));
    platform.me(&new).ok();

    developer.press("Done");
    developer.press("Regenerate Client Secret");
    developer.choose("May the old secret go on working?", "for 1 hour");
    developer.press("Replace the secret");
    developer.sees("The old secret works until");
    let newest = shown(&developer);
    platform.me(&new).ok();
    platform.me(&newest).ok();
    platform.server.clock.advance(3601);
    assert_eq!((platform.me(&new).status, platform.me(&newest).status), (401, 200));
}

#[rstest]
fn bm5_a_second_secret_with_a_label_works_beside_the_first_and_is_ended_by_itself(#[values(true, false)] script: bool) {
    let platform = Platform::start(Database::Sqlite);
    let Some((developer, _, first)) = platform.approved(script) else { return };
    developer.press("Add a secret beside these");
    developer.fill("Label of the secret", "blue machine");
    developer.press("Add secret");
    developer.sees("The other secrets go on working.");
    let second = shown(&developer);
    platform.me(&first).ok();
    platform.me(&second).ok();
    let posted = platform.server.post_raw(
        "/verify",
        "application/json",
        br#"{"order":1}"#,
        &[("Client-ID", &second.id), ("Client-Secret", &second.secret)],
    );
    assert_eq!(posted.status, 200, "{posted:?}");
    for wrong in
        [Shown { id: "other".to_owned(), ..second.clone() }, Shown { secret: "x".to_owned(), ..second.clone() }]
    {
        assert_eq!(platform.me(&wrong).status, 401);
    }
    developer.press("Done");
    developer.press_in("blue machine", "End");
    developer.press_in("blue machine", "End this secret");
    developer.sees("Secret ended.");
    developer.does_not_see("blue machine");
    assert_eq!((platform.me(&second).status, platform.me(&first).status), (401, 200));
}

#[rstest]
fn bm6_a_scope_is_requested_with_a_reason_and_opens_nothing_before_it_is_approved(#[values(true, false)] script: bool) {
    let platform = Platform::start(Database::Sqlite);
    let Some((developer, administrator, made)) = platform.approved(script) else { return };
    administrator.press("API Scopes");
    for name in ["orders:read", "orders:write"] {
        administrator.fill("Name", name);
        administrator.fill("Description", "Orders of the warehouse");
        administrator.tick("Requires an approval");
        administrator.press("Save");
        administrator.sees("Created.");
    }
    developer.press("API Scopes");
    developer.sees("Orders of the warehouse");
    for name in ["orders:read", "orders:write"] {
        to_scopes(&developer);
        developer.choose("Scope", name);
        developer.fill("Justification", "The warehouse packs what was ordered");
        developer.press("Request scope approval");
        developer.sees("Requested.");
        platform.token(&made, name).is_refused("invalid_scope");
    }
    administrator.press("Approvals");
    administrator.sees("The warehouse packs what was ordered");
    administrator.press("Approve orders:read for Order robot");
    administrator.sees("Approved.");
    administrator.press("Deny orders:write for Order robot");
    administrator.fill("Reason", "Reading is enough");
    administrator.press("Deny it");
    administrator.sees("Denied.");
    let token = platform.token(&made, "orders:read").ok();
    platform.token(&made, "orders:write").is_refused("invalid_scope");
    to_scopes(&developer);
    developer.sees("Reading is enough");
    developer.sees("approved");
    platform.server.get_with_token("/api/v1/me", &token.access_token()).ok();
}

#[rstest]
fn bm7_the_use_of_a_dead_secret_is_seen_within_five_seconds_with_time_network_and_credential(
    #[values(true, false)] script: bool,
) {
    let platform = Platform::start(Database::Sqlite);
    let Some((developer, _, old)) = platform.approved(script) else { return };
    developer.press("Regenerate Client Secret");
    developer.press("Replace the secret");
    let new = shown(&developer);
    for _ in 0..3 {
        platform.token(&new, "").ok();
    }
    platform.token(&old, "").is_refused("invalid_client");
    let used = Instant::now();
    developer.press("Done");
    developer.press_in("Order robot", "Security");
    while !developer.text().contains("A secret that has ended was used") {
        assert!(used.elapsed() < Duration::from_secs(5), "{}", developer.text());
        developer.reload();
    }
    developer.sees("127.0.0.1");
    developer.sees("secret …");
    developer.sees("The secret was replaced");
    platform.server.run(async |context, _| context.store_collected(false).await.unwrap());
    developer.press("Usage");
    developer.sees("3 issued, 0 verified, 1 refused");
    platform.me(&new).ok();
}

#[rstest]
fn the_pages_refuse_what_a_visitor_may_not_and_say_what_is_wrong_at_its_field(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let platform = Platform::start(db);
    let developer = Pages::signed_in(&platform.server, &platform.developer);
    let administrator = Pages::signed_in(&platform.server, &platform.administrator);
    let list = "/console/applications";
    let wrong = developer.send("/console/applications/new", list, &[("label", ""), ("purpose", "kept")]);
    assert_eq!(wrong.status, 422);
    assert!(wrong.body.contains("Label has 1 to 255 bytes on one line") && wrong.body.contains("kept"), "{wrong:?}");
    let beyond = [("label", "x"), ("may_introspect", "yes")];
    assert_eq!(developer.send("/console/applications/new", list, &beyond).status, 403);
    for page in ["/console/approvals", "/console/reports", "/console/usage"] {
        assert_eq!(developer.get(page).status, 403, "{page}");
        administrator.get(page).ok();
    }
    let scope = [("name", "x:y")];
    assert_eq!(developer.send("/console/applications/new", "/console/scopes", &scope).status, 403);

    let register = |pages: &Pages<'_>, label: &str| {
        let fields = [("label", label), ("grant_types", "client_credentials")];
        let answer = pages.send("/console/applications/new", list, &fields);
        assert_eq!(answer.status, 303, "{answer:?}");
        answer.header("location").split('?').next().unwrap().to_owned()
    };
    let one = register(&developer, "One & only <b>");
    let shown = administrator.get("/console/approvals").ok().body;
    assert!(shown.contains("One &#38; only &#60;b&#62;") && !shown.contains("only <b>"), "{shown}");
    let id = one.rsplit('/').next().unwrap();
    let approve = format!("/console/approvals/applications/{id}/approve");
    assert_eq!(developer.send(&one, &approve, &[]).status, 403);
    let no_reason =
        administrator.send("/console/approvals", &format!("/console/approvals/applications/{id}/deny"), &[]);
    assert_eq!(no_reason.status, 422);
    let made = administrator.send("/console/approvals", &approve, &[]).ok();
    assert_eq!(made.header("cache-control"), "no-store");

    for number in 0..51 {
        register(&developer, &format!("Robot {number:02}"));
    }
    for (query, count, last) in
        [("", "50 on this page", true), ("?q=ROBOT+0", "10 of 10", false), ("?q=%25", "0 of 0", false)]
    {
        let page = developer.get(&format!("{list}{query}")).ok();
        assert!(page.body.contains(count) && page.body.contains("rel=\"next\"") == last, "{query}: {}", page.body);
        assert!(page.body.len() < 60_000, "{}", page.body.len());
    }
    for sort in ["label", "id", "newest"] {
        let first = developer.get(&format!("{list}?sort={sort}")).ok().body;
        let (before, _) = first.split_once("\" rel=\"next\"").unwrap();
        let next = before.rsplit('"').next().unwrap().replace("&#38;", "&");
        let second = developer.get(&next).ok().body;
        let rows = |page: &str| page.matches("<th scope=\"row\">").count();
        assert_eq!((rows(&first), rows(&second)), (50, 2), "{sort}");
        let other = if sort == "id" { "label" } else { "id" };
        let mixed = next.replace(&format!("sort={sort}"), &format!("sort={other}"));
        assert_eq!(developer.get(&mixed).status, 400, "a place in one order is none in another");
    }
}
