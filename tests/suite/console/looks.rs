//! What pages look like: accessible (axe-core over WCAG 2.2 A and AA), in light and dark, and without anything that
//! hangs over, from a telephone to a wide screen.

use grantor::http::console::TABLE;
use rstest::rstest;

use crate::clients::installed::installed;
use crate::harness::{Browser, Database, Looks, Server, TestUser};

/// Every page that has no place to be filled in, and may be asked for.
fn pages() -> Vec<&'static str> {
    TABLE
        .iter()
        .filter(|(path, methods, _)| methods.contains("GET") && path.starts_with("/console/") && !path.contains('{'))
        .map(|(path, ..)| *path)
        .collect()
}

fn administrator(server: &Server) -> TestUser {
    server.person().change(|user| user.roles = vec!["administrator".to_owned()]).create()
}

/// The pages, and the first of each kind that its list leads to.
fn with_details(browser: &Browser) -> Vec<String> {
    let mut all: Vec<String> = pages().into_iter().map(str::to_owned).collect();
    for list in pages() {
        browser.open(list);
        let script =
            "return [...document.querySelectorAll('main a[href^=\"/console/\"]')].map(a => a.getAttribute('href'))";
        let links = browser.execute(script);
        let further = links.as_array().unwrap().iter().filter_map(|link| link.as_str());
        for link in further {
            let path = link.split(['?', '#']).next().unwrap();
            let kind = path.rsplit_once('/').map_or(path, |(kind, _)| kind);
            let known = |seen: &String| {
                seen == path || (path != kind && seen.rsplit_once('/').is_some_and(|(one, _)| one == kind))
            };
            let is_download = link.contains("download") || link.contains("postman") || link.contains("export");
            if !is_download && !pages().contains(&path) && !all.iter().any(known) {
                all.push(path.to_owned());
            }
        }
    }
    all
}

#[rstest]
fn no_page_violates_wcag_in_light_or_in_dark(#[values(false, true)] dark: bool) {
    let Some(axe) = installed("node/node_modules/axe-core/axe.min.js") else { return };
    let axe = std::fs::read_to_string(axe).unwrap();
    let server = Server::start(Database::Sqlite);
    let user = administrator(&server);
    let Some(browser) = Browser::signed_in(&server, &user, Looks { dark, ..Looks::default() }) else { return };
    let mut wrong = Vec::new();
    for path in with_details(&browser) {
        browser.open(&path);
        browser.execute(&axe);
        let found = browser.execute_async(
            "const done = arguments[arguments.length - 1]; \
             axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] }).then(found => done( \
               found.violations.map(v => v.id + ': ' + v.nodes.map(n => n.html + ' ' + n.failureSummary).join(' | '))))",
        );
        for violation in found.as_array().unwrap() {
            wrong.push(format!("{path}: {}", violation.as_str().unwrap()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[rstest]
fn nothing_hangs_over_at_any_width(#[values(360, 768, 1440)] width: u32) {
    let server = Server::start(Database::Sqlite);
    let user = administrator(&server);
    let Some(browser) = Browser::signed_in(&server, &user, Looks { width, ..Looks::default() }) else { return };
    let mut wrong = Vec::new();
    for path in with_details(&browser) {
        browser.open(&path);
        // For whoever wants to look: one picture of each page.
        if let Some(folder) = std::env::var_os("GRANTOR_TEST_SCREENSHOTS") {
            let name = format!("{}-{width}.png", path.trim_matches('/').replace('/', "-"));
            browser.screenshot(&std::path::Path::new(&folder).join(name));
        }
        let found = browser.execute(
            "return [innerWidth, document.documentElement.scrollWidth, \
               [...document.querySelectorAll('main *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1 \
               && !e.closest('.scroll, pre, .hidden')).map(e => e.outerHTML.slice(0, 120))]",
        );
        assert_eq!(found[0], width, "{path}: the window is as wide as it was asked to be");
        if found[1].as_u64() > found[0].as_u64() || found[2].as_array().is_some_and(|over| !over.is_empty()) {
            wrong.push(format!("{path}: {found}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
