//! What holds for every form and every page, by a walk over the route table.

use grantor::http::console::TABLE;
use rstest::rstest;

use crate::harness::{Database, Pages, Server};

/// Paths with something in their places.
fn filled(path: &str) -> String {
    let parts = path.split('/').map(|part| if part.starts_with('{') { "0" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

fn with<'a>(method: &'a str) -> impl Iterator<Item = &'static str> + 'a {
    TABLE.iter().filter(move |(_, methods, _)| methods.split(", ").any(|one| one == method)).map(|(path, _, _)| *path)
}

#[rstest]
fn no_form_is_taken_without_this_browsers_token() {
    let server = Server::start(Database::Sqlite);
    let (user, other) = (server.person().create(), server.person().create());
    let pages = Pages::signed_in(&server, &user);
    let foreign = Pages::signed_in(&server, &other).token_on("/console/profile");
    let mut walked = 0;
    for path in with("POST") {
        let path = filled(path);
        for token in [None, Some(""), Some("x"), Some(foreign.as_str())] {
            let pairs: Vec<_> = token.map(|token| ("csrf", token)).into_iter().collect();
            let answer = pages.post(&path, &pairs);
            assert_eq!(answer.status, 403, "{path} with {token:?}: {}", answer.body);
            assert!(answer.body.contains("not sent from a page of yours"), "{path}: {}", answer.body);
        }
        walked += 1;
    }
    assert!(walked > 5, "{walked}");
    pages.get("/console/").ok();
}

#[rstest]
fn a_form_from_another_site_is_refused_though_it_had_the_token() {
    let server = Server::start(Database::Sqlite);
    let user = server.person().create();
    let pages = Pages::signed_in(&server, &user);
    let token = pages.token_on("/console/profile");
    let cookie = format!("grantor_session={}", pages.cookie());
    for (site, status) in [("cross-site", 403), ("same-site", 403), ("same-origin", 303)] {
        let headers = [("Cookie", cookie.as_str()), ("Sec-Fetch-Site", site)];
        let answer = server.post("/console/profile", &[("csrf", &token), ("name", "x")], &headers);
        assert_eq!(answer.status, status, "{site}");
    }
}

#[rstest]
fn every_page_but_those_of_sign_in_leads_a_visitor_to_it_and_back() {
    let server = Server::start(Database::Sqlite);
    let open = ["/console/sign-in", "/console/forgot-password", "/console/link", "/console/assets/{name}"];
    for path in with("GET").filter(|path| !open.contains(path) && path.starts_with("/console/")) {
        let path = filled(path);
        let answer = server.get(&path, &[]);
        assert_eq!(answer.status, 303, "{path}");
        assert!(answer.header("location").starts_with("/console/sign-in"), "{path}: {}", answer.header("location"));
    }
    let answer = server.get("/console/profile?notice=saved", &[]);
    assert_eq!(answer.header("location"), "/console/sign-in?next=%2Fconsole%2Fprofile%3Fnotice%3Dsaved");
}

#[rstest]
fn nobody_is_led_to_another_server_after_signing_in() {
    let server = Server::start(Database::Sqlite);
    let user = server.person().create();
    for next in ["https://evil.example/", "//evil.example/console/", "/console/\\evil", "/console//evil.example"] {
        let pages = Pages::visitor(&server);
        let pairs = [("username", user.username.as_str()), ("password", &user.password), ("next", next)];
        let answer = pages.send("/console/sign-in", "/console/sign-in", &pairs);
        assert_eq!((answer.status, answer.header("location")), (303, "/console/"), "{next}");
    }
}

#[rstest]
fn pages_have_a_policy_without_inline_code_and_are_kept_by_nobody() {
    let server = Server::start(Database::Sqlite);
    let user = server.person().create();
    let pages = Pages::signed_in(&server, &user);
    for path in with("GET").filter(|path| !path.contains('{') && path.starts_with("/console/")) {
        let answer = pages.get(path);
        assert!(matches!(answer.status, 200 | 403), "{path}: {}", answer.status);
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        assert_eq!(answer.header("x-frame-options"), "DENY", "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
        assert!(!answer.body.contains(" style=") && !answer.body.contains(" onclick"), "{path}");
        assert!(answer.body.len() < 60_000, "{path}: {} bytes", answer.body.len());
    }
}

#[rstest]
fn files_of_pages_are_cached_for_ever_under_names_of_their_content_and_are_small() {
    let server = Server::start(Database::Sqlite);
    let page = server.get("/console/sign-in", &[]).ok().body;
    let mut bytes = 0;
    let paths: std::collections::BTreeSet<&str> =
        page.split('"').filter(|part| part.starts_with("/console/assets/")).collect();
    assert_eq!(paths.len(), 3, "{paths:?}");
    for path in paths {
        let file = server.get(path, &[]).ok();
        assert_eq!(file.header("cache-control"), "public, max-age=31536000, immutable");
        bytes += file.body.len();
    }
    assert!(bytes < 60_000, "{bytes}");
    assert_eq!(server.get("/console/assets/style-000000000000.css", &[]).status, 404);
}

#[rstest]
fn an_address_that_no_page_has_or_that_takes_forms_alone_is_answered_with_a_page() {
    let server = Server::start(Database::Sqlite);
    let user = server.person().create();
    let pages = Pages::signed_in(&server, &user);
    for (answer, menu) in [(pages.get("/console/nothing/here"), true), (server.get("/console/nothing", &[]), false)] {
        assert_eq!((answer.status, answer.header("content-type")), (404, "text/html; charset=utf-8"));
        assert!(answer.body.contains("There is no page at this address."), "{answer:?}");
        assert_eq!(answer.body.contains("aria-label=\"Menu\""), menu);
    }
    let alone = TABLE.iter().filter(|(_, methods, _)| *methods == "POST").map(|(path, ..)| filled(path));
    for path in alone {
        let answer = pages.get(&path);
        assert_eq!((answer.status, answer.header("allow")), (405, "POST"), "{path}");
        assert_eq!(answer.header("content-type"), "text/html; charset=utf-8", "{path}");
        assert!(answer.body.contains("Nothing was changed."), "{path}: {answer:?}");
    }
}

#[rstest]
fn what_is_wrong_with_a_choice_or_a_box_belongs_to_it() {
    let server = Server::start(Database::Sqlite);
    let user = server.person().change(|new| new.roles = vec!["administrator".to_owned()]).create();
    let client = server.confidential_client().create();
    let pages = Pages::signed_in(&server, &user);
    let fields = [("username", "robot"), ("kind", "nothing"), ("administration", "nothing")];
    let page = pages.send("/console/users/new", "/console/users/new", &fields).body;
    for part in [
        "<select id=\"f-kind\" name=\"kind\" aria-invalid=\"true\" aria-describedby=\"h-kind e-kind\">",
        "<select id=\"f-administration\" name=\"administration\" aria-invalid=\"true\" aria-describedby=\"e-administration\">",
        "<fieldset class=\"boxes wrong\" aria-describedby=\"h-access e-access\">",
        "name=\"access\" value=\"api\" aria-invalid=\"true\" aria-describedby=\"e-access x-access-1\">",
        "id=\"e-kind\"",
        "id=\"e-access\"",
        "role=\"alert\" tabindex=\"-1\" autofocus",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let (settings, rotate) = (format!("{}/settings", client.id), format!("{}/rotate", client.id));
    let [settings, rotate] = [settings, rotate].map(|path| format!("/console/applications/{path}"));
    let page = pages.send(&settings, &rotate, &[("overlap", "a while")]).body;
    assert!(page.contains("aria-invalid=\"true\" aria-describedby=\"e-overlap\"") && page.contains("id=\"e-overlap\""));
}

#[rstest]
fn what_people_type_stays_text() {
    let server = Server::start(Database::Sqlite);
    let user = server.person().create();
    let pages = Pages::signed_in(&server, &user);
    let markup = "<script>alert(1)</script>\"'><img src=x>";
    let answer = pages.send("/console/profile", "/console/profile", &[("name", markup)]);
    assert_eq!(answer.status, 303, "{}", answer.body);
    let page = pages.get("/console/profile").ok().body;
    assert!(!page.contains("<script>alert") && !page.contains("<img src=x>"), "{page}");
    assert!(page.contains("&#60;script&#62;") || page.contains("&lt;script&gt;"), "{page}");
}
