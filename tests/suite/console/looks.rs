//! What pages look like: accessible (axe-core over WCAG 2.2 A and AA), in light and dark, and without anything that
//! hangs over, from a telephone to a wide screen. Over the data of `quickstart --demo`: a page with nothing on it has
//! nothing wrong.

use std::path::Path;

use grantor::admin::{api_keys, clients, credentials, mail, roles, sessions, users};
use grantor::http::console::TABLE;
use grantor::store::clients::ClientFilter;
use grantor::store::user_profiles::UserFilter;
use rstest::rstest;

use super::pictures::{ADMINISTRATOR, Album, PASSWORD};
use crate::clients::installed::installed;
use crate::harness::{Browser, Installation, Looks};

/// What stands in the places of paths: every state that something has for its first page, one of each for the others.
struct Things {
    applications: Vec<String>,
    users: Vec<String>,
    roles: Vec<String>,
    set: String,
    own_key: String,
    key: (String, String),
    verify_link: String,
}

impl Things {
    fn of(installation: &Installation) -> Self {
        let id = |username: &str, all: &[grantor::store::user_profiles::UserProfile]| {
            all.iter().find(|user| user.username == username).unwrap().id.clone()
        };
        installation.run_verb(async |context, by| {
            let found = clients::page(context, by, ClientFilter::default(), "", 100).await.unwrap();
            let people = users::page(context, by, UserFilter::default(), "", 100).await.unwrap();
            let client = |label: &str| {
                let found = found.iter().find(|client| client.label == label);
                found.unwrap_or_else(|| panic!("no {label}")).client_id.clone()
            };
            let new = api_keys::NewApiKey {
                user: Some(id(ADMINISTRATOR, &people)),
                name: Some("Own".to_owned()),
                organization: None,
                scopes: None,
                expires_at: None,
                networks: Vec::new(),
                reveal: grantor::model::reveal::RevealPolicy::Once,
            };
            let own = api_keys::create(context, by, &new).await.unwrap().key.id;
            let sync = id("warehouse-sync", &people);
            let mails = mail::list(context, by).await.unwrap();
            let invitation = mails.iter().find(|one| one.kind.as_str() == "verify_email").unwrap();
            let link = mail::show(context, by, &invitation.id).await.unwrap().link.unwrap();
            let all_roles = roles::list(context, by, None).await.unwrap();
            let role = |name: &str| all_roles.iter().find(|role| role.name == name).unwrap().id.clone();
            Self {
                applications: [
                    "Nightly report",
                    "Warehouse robot",
                    "Driver app",
                    "Price watcher",
                    "Nightly import (old)",
                ]
                .map(client)
                .to_vec(),
                users: ["ben.okafor", "warehouse-sync", "dora.silva", "emil.novak", "fay.adeyemi"]
                    .map(|name| id(name, &people))
                    .to_vec(),
                roles: ["order reader", "developer"].map(role).to_vec(),
                set: credentials::page(context, by, "", 1).await.unwrap().remove(0).id,
                own_key: own,
                key: (sync.clone(), api_keys::page(context, by, Some(&sync), "", 1).await.unwrap().remove(0).id),
                verify_link: link.expose().split_once('#').unwrap().1.to_owned(),
            }
        })
    }

    /// The pages of a line of the route table.
    fn pages(&self, path: &str) -> Vec<String> {
        let each = |place: &str, ids: &[String]| ids.iter().map(|id| path.replace(place, id)).collect();
        let first = |ids: &[String]| if path.ends_with('}') { ids.len() } else { 2 };
        if path == "/console/assets/{name}" || path == "/console/audit/export/{format}" {
            Vec::new()
        } else if path.contains("{user}") && path.contains("{key}") {
            vec![path.replace("{user}", &self.key.0).replace("{key}", &self.key.1)]
        } else if path.contains("{key}") {
            vec![path.replace("{key}", &self.own_key)]
        } else if path.contains("{client}") {
            each("{client}", &self.applications[..first(&self.applications)])
        } else if path.contains("{user}") {
            each("{user}", &self.users[..first(&self.users)])
        } else if path.contains("{role}") {
            each("{role}", &self.roles)
        } else {
            let path = path.replace("{credentials}", &self.set).replace("{scope}", "orders:write");
            assert!(!path.contains('{'), "{path}: nothing to put into its place");
            vec![path]
        }
    }
}

/// A browser that looks at pages and notes what is wrong with them.
struct Sweep {
    browser: Browser,
    axe: String,
    width: u32,
    wrong: Vec<String>,
    seen: usize,
}

impl Sweep {
    fn look(&mut self, name: &str) {
        self.seen += 1;
        // For whoever wants to look: one picture of each page.
        if let Some(folder) = std::env::var_os("GRANTOR_TEST_SCREENSHOTS") {
            let file = format!("{}-{}.png", name.trim_matches('/').replace(['/', ' '], "-"), self.width);
            self.browser.screenshot(&Path::new(&folder).join(file));
        }
        // What is folded up has faults too.
        self.browser.execute("for (const one of document.querySelectorAll('main details')) one.open = true");
        let found = self.browser.execute(
            "return [innerWidth, document.documentElement.scrollWidth, \
               [...document.querySelectorAll('main *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1 \
               && !e.closest('.scroll, pre, .hidden')).map(e => e.outerHTML.slice(0, 120))]",
        );
        assert_eq!(found[0], self.width, "{name}: the window is as wide as it was asked to be");
        if found[1].as_u64() > found[0].as_u64() || found[2].as_array().is_some_and(|over| !over.is_empty()) {
            self.wrong.push(format!("{name} hangs over: {found}"));
        }
        self.browser.execute(&self.axe);
        let found = self.browser.execute_async(
            "const done = arguments[arguments.length - 1]; \
             axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] }).then(found => done( \
               found.violations.map(v => v.id + ': ' + v.nodes.map(n => n.html + ' ' + n.failureSummary).join(' | '))))",
        );
        for violation in found.as_array().unwrap() {
            self.wrong.push(format!("{name}: {}", violation.as_str().unwrap()));
        }
    }

    /// A page that shows what it is asked for.
    fn open(&mut self, path: &str) {
        self.browser.open(path);
        let title = self.browser.execute("return document.title");
        let refusals = ["Not found", "Nothing to show", "You may not", "That ", "Something went wrong"];
        assert!(!refusals.iter().any(|one| title.as_str().unwrap().starts_with(one)), "{path}: {title}");
        self.look(path);
    }

    /// What holds the focus when a page is there.
    fn focused(&self) -> String {
        let script = "return document.activeElement.className + ' ' + document.activeElement.tagName";
        self.browser.execute(script).as_str().unwrap().trim().to_owned()
    }
}

#[rstest]
fn no_page_violates_wcag_or_hangs_over(
    // Platforms have colours of their own.
    #[values((1440, false, "console"), (768, true, "akeneo"), (360, false, "bandwidth"))] look: (
        u32,
        bool,
        &'static str,
    ),
) {
    let (width, dark, platform) = look;
    let save = if platform == "bandwidth" { "Save Changes" } else { "Save" };
    let Some(axe) = installed("node/node_modules/axe-core/axe.min.js") else { return };
    let axe = std::fs::read_to_string(axe).unwrap();
    let album = Album::open(platform);
    let things = Things::of(album.installation());
    let Some(browser) = album.browser_like(ADMINISTRATOR, Looks { width, dark, ..Looks::default() }) else { return };
    let mut sweep = Sweep { browser, axe, width, wrong: Vec::new(), seen: 0 };
    let pages = TABLE.iter().filter(|(path, methods, _)| methods.contains("GET") && path.starts_with("/console/"));
    for path in pages.flat_map(|(path, ..)| things.pages(path)) {
        sweep.open(&path);
    }
    sweep.browser.open("/console/no-such-page");
    sweep.look("no such page");
    sweep.open(&format!("/console/link#{}", things.verify_link));

    // A form with something wrong at each field, which is read first.
    sweep.browser.open("/console/users/new");
    sweep.browser.press(save);
    sweep.browser.sees("is missing or cannot be");
    assert_eq!(sweep.focused(), "refused DIV");
    sweep.look("a form with errors");
    let tied = sweep.browser.execute(
        "return [...document.querySelectorAll('.wrong')].every(f => [...f.querySelectorAll('input, select, textarea')] \
           .every(i => i.getAttribute('aria-invalid') === 'true' \
             && i.getAttribute('aria-describedby').split(' ').some(id => document.getElementById(id)?.className === 'error')))",
    );
    assert_eq!(tied, true, "each error belongs to its field");
    // Rows that are filtered while one types are counted aloud.
    sweep.browser.open("/console/users");
    sweep.browser.fill("Search Users", "ada");
    sweep.browser.sees("1 of ");

    // Secrets that are shown once.
    sweep.browser.open("/console/credentials/new");
    sweep.browser.fill("Name", "A set for the looks");
    sweep.browser.press(save);
    sweep.browser.sees("This is shown only now.");
    assert_eq!(sweep.focused(), "H1");
    sweep.look("secrets shown once");

    // One's own password, once more; and not one's own.
    album.installation().run_verb(async |context, by| {
        for session in sessions::list(context, by, ADMINISTRATOR).await.unwrap() {
            let long_ago = context.clock.now().plus_seconds(-1000);
            let id = session.id;
            let write = move |db: &mut _| grantor::store::sessions::authenticate(db, &id, long_ago);
            context.store.write(write).await.unwrap();
        }
    });
    sweep.open("/console/users/new");
    sweep.browser.open("/console/keys");
    sweep.browser.press("Rotate");
    sweep.browser.sees("Is it you?");
    assert_eq!(sweep.focused(), "H1");
    sweep.look("the password, once more");
    sweep.browser.fill("Password", &format!("{PASSWORD}-not"));
    sweep.browser.press("Confirm");
    sweep.browser.sees("is not yours");
    sweep.look("not ones own password");
    assert!(sweep.seen > 60, "{}", sweep.seen);
    assert!(sweep.wrong.is_empty(), "{}", sweep.wrong.join("\n"));
}
