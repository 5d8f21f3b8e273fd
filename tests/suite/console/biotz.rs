//! Biotz's document, walked in a browser: credentials, their file, and Swagger UI.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;

use rstest::rstest;
use serde_json::Value;

use crate::harness::{Answer, Browser, Database, Looks, Server, TestUser, agent, basic};

const CLIENT: &str = "biotz-platform-programmatic-users";

fn biotz(database: Database) -> (Server, TestUser) {
    let server = Server::with(database).set("preset", "biotz").start();
    let user = server.person().change(|new| new.roles = vec!["developer".to_owned()]).create();
    (server, user)
}

fn developer(script: bool) -> Option<(Server, Browser)> {
    let (server, user) = biotz(Database::Sqlite);
    let browser = Browser::signed_in(&server, &user, Looks { script, ..Looks::default() })?;
    Some((server, browser))
}

/// Under **Developer API**, Credentials, **New credentials**; name and description; **Save**.
fn make(browser: &Browser, name: &str, description: &str) {
    browser.press("Credentials");
    browser.wait_for_path("/console/credentials");
    browser.press("New credentials");
    browser.wait_for_path("/console/credentials/new");
    browser.fill("Name", name);
    browser.fill("Description", description);
    browser.press("Save");
    browser.sees("This is shown only now.");
}

fn token(server: &Server, username: &str, password: &str) -> Answer {
    let pairs = [("grant_type", "password"), ("scope", "openid"), ("username", username), ("password", password)];
    server.post("/oauth/token", &pairs, &[("Authorization", &basic(CLIENT, ""))])
}

#[track_caller]
fn opens(server: &Server, username: &str, password: &str) {
    let who = server.get_with_token("/api/v1/me", &token(server, username, password).ok().access_token()).ok();
    assert_eq!(who.json()["username"], username);
}

/// The names in the rows, in their order.
fn names(browser: &Browser) -> Vec<String> {
    let text = browser.text();
    let mut places: Vec<(usize, String)> = ["apples", "Berries", "cherries"]
        .into_iter()
        .filter_map(|name| Some((text.find(&format!("{name} "))?, name.to_owned())))
        .collect();
    places.sort();
    places.into_iter().map(|(_, name)| name).collect()
}

#[rstest]
fn bz2_the_table_of_credentials_is_sorted_and_searched_and_says_0_of_0(#[values(true, false)] script: bool) {
    let Some((_server, browser)) = developer(script) else { return };
    browser.sees("Developer API");
    browser.press("Credentials");
    browser.wait_for_path("/console/credentials");
    for text in ["Name", "Description", "Username", "Created", "0 of 0", "There are no credentials yet."] {
        browser.sees(text);
    }
    for name in ["cherries", "apples", "Berries"] {
        make(&browser, name, &format!("All about {name}"));
    }
    browser.press("Credentials");
    browser.sees("3 of 3");
    browser.sees("@programmatic-users.127.0.0.1");
    browser.sees("UTC");
    assert_eq!(names(&browser), ["Berries", "apples", "cherries"], "the newest first");
    browser.press("Name");
    browser.sees("3 of 3");
    assert_eq!(names(&browser), ["apples", "Berries", "cherries"]);
    browser.press("Name");
    while !browser.path().contains("name-down") {
        std::thread::sleep(std::time::Duration::from_millis(30));
    }
    assert_eq!(names(&browser), ["cherries", "Berries", "apples"]);
    browser.fill("Search in name, description, username", "ABOUT ber");
    browser.press("Search");
    browser.sees("1 of 1");
    assert_eq!(names(&browser), ["Berries"]);
    browser.fill("Search in name, description, username", "100%");
    browser.press("Search");
    browser.sees("0 of 0");
    browser.sees("Nothing has “100%”");
    browser.press("Show all");
    browser.sees("3 of 3");
}

#[rstest]
fn bz3_new_credentials_leads_to_a_form_which_cancel_leaves_and_a_name_is_asked_for(
    #[values(true, false)] script: bool,
) {
    let Some((_server, browser)) = developer(script) else { return };
    browser.press("Credentials");
    browser.press("New credentials");
    browser.wait_for_path("/console/credentials/new");
    browser.fill("Name", "Warehouse");
    browser.press("Cancel");
    browser.wait_for_path("/console/credentials");
    browser.sees("0 of 0");
    browser.press("New credentials");
    browser.fill("Name", "   ");
    browser.fill("Description", "Nightly stock report");
    browser.press("Save");
    browser.sees("Name is needed");
    assert_eq!(browser.value("Description"), "Nightly stock report");
    browser.press("Credentials");
    browser.sees("0 of 0");
}

#[rstest]
fn bz4_bz5_save_shows_username_and_masked_password_once(#[values(true, false)] script: bool) {
    let Some((server, browser)) = developer(script) else { return };
    make(&browser, "Warehouse sync", "Nightly stock report");
    browser.sees("Credentials created: Warehouse sync");
    let (username, password) = (browser.value("Username"), browser.value("Password"));
    let (uuid, host) = username.split_once('@').unwrap();
    assert!(uuid::Uuid::parse_str(uuid).is_ok() && host == "programmatic-users.127.0.0.1", "{username}");
    assert!(password.starts_with("gr_pw_") && password.len() > 50);
    assert_eq!(browser.value("Client id"), CLIENT);
    assert_eq!(browser.value("Token endpoint"), format!("{}/oauth/token", server.base()));
    assert_eq!(browser.field_type("Password"), "password");
    if script {
        browser.press("Show Password");
        assert_eq!(browser.field_type("Password"), "text");
        browser.press("Hide Password");
        assert_eq!(browser.field_type("Password"), "password");
        browser.press("Copy Username");
        browser.press("Copy Password");
        browser.sees("Copied");
        browser.reload();
        browser.wait_for_path("/console/credentials");
        browser.does_not_see(&password);
    } else {
        browser.sees(&password);
    }
    browser.press("Credentials");
    browser.wait_for_path("/console/credentials");
    browser.sees(&username);
    browser.does_not_see(&password);
    browser.press("Warehouse sync");
    browser.sees("was shown once");
    browser.does_not_see(&password);
    opens(&server, &username, &password);
}

#[rstest]
fn bz6_the_files_hold_what_gets_a_token(#[values(true, false)] script: bool) {
    let Some((server, browser)) = developer(script) else { return };
    make(&browser, "Warehouse", "");
    browser.press("Download .json");
    let held: Value = serde_json::from_slice(&browser.downloaded("credentials.json")).unwrap();
    let text = |member: &str| held[member].as_str().unwrap().to_owned();
    assert_eq!((text("client_id"), text("scope")), (CLIENT.to_owned(), "openid".to_owned()));
    assert_eq!(text("token_endpoint"), format!("{}/oauth/token", server.base()));
    opens(&server, &text("username"), &text("password"));

    browser.press("Download .env");
    let held = String::from_utf8(browser.downloaded("credentials.env")).unwrap();
    let text = |name: &str| {
        let line = held.lines().find_map(|line| line.strip_prefix(&format!("{name}='"))).unwrap();
        line.trim_end_matches('\'').to_owned()
    };
    opens(&server, &text("GRANTOR_USERNAME"), &text("GRANTOR_PASSWORD"));
}

#[rstest]
fn bz7_the_curl_line_of_the_page_gets_tokens(#[values(true, false)] script: bool) {
    let Some((server, browser)) = developer(script) else { return };
    make(&browser, "Warehouse", "");
    browser.does_not_see("curl -sS");
    browser.press("Show it, with the secret in it");
    let text = browser.text();
    let line = text.lines().find(|line| line.starts_with("curl -sS -u")).unwrap_or_else(|| panic!("{text}")).to_owned();
    let output = std::process::Command::new("sh").args(["-c", &line]).output().unwrap();
    let said: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    assert!(said["id_token"].is_string() && said["refresh_token"].is_string(), "{said}");
    server.get_with_token("/api/v1/me", said["access_token"].as_str().unwrap()).ok();
}

#[rstest]
fn bz10_deleting_them_ends_their_tokens_at_once(#[values(true, false)] script: bool) {
    let Some((server, browser)) = developer(script) else { return };
    make(&browser, "Warehouse", "");
    let (username, password) = (browser.value("Username"), browser.value("Password"));
    let tokens = token(&server, &username, &password).ok();
    server.get_with_token("/api/v1/me", &tokens.access_token()).ok();
    browser.press("Credentials");
    browser.press("Warehouse");
    browser.press("Delete these credentials");
    browser.sees("This cannot be undone.");
    browser.press("Delete credentials");
    browser.sees("Deleted. It opens nothing any more.");
    browser.sees("0 of 0");
    assert_eq!(server.get_with_token("/api/v1/me", &tokens.access_token()).status, 401);
    token(&server, &username, &password).is_refused("invalid_grant");
}

/// Clicks what Swagger UI gives no name to.
fn click(browser: &Browser, selector: &str) {
    let script =
        format!("const found = document.querySelector({selector:?}); if (found) found.click(); return !!found");
    for _ in 0..200 {
        if browser.execute(&script) == true {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    panic!("there is no {selector}: {}", browser.text());
}

/// Presses Execute, and waits for an answer with this status.
fn execute(browser: &Browser, status: u16) {
    browser.press("Execute");
    let said = "const cell = document.querySelector('.live-responses-table tbody .response-col_status'); return cell ? cell.textContent : ''";
    for _ in 0..200 {
        if browser.execute(said).as_str().is_some_and(|text| text.starts_with(&status.to_string())) {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    panic!("no {status}: {}", browser.text());
}

/// Signs in with Swagger UI's box, whose page is open, and calls `/api/v1/me`; signs out, and is refused.
fn is_authorized(browser: &Browser, username: &str, password: &str) {
    browser.sees("/api/v1/me");
    browser.press("Authorize");
    browser.fill("username:", username);
    browser.fill("password:", password);
    browser.choose("Client credentials location:", "Authorization header");
    // Both flows of the one scheme have fields of these names: the password flow's are told apart.
    browser.execute(
        "for (const name of ['client_id', 'client_secret']) {
            document.querySelector(`#${name}_password`).setAttribute('aria-label', `${name} of the password flow`);
        }
        let part = document.querySelector('#oauth_username');
        while (!part.querySelector('button.authorize')) part = part.parentElement;
        part.querySelector('button.authorize').id = 'authorize-password';",
    );
    browser.fill("client_id of the password flow", CLIENT);
    assert_eq!(browser.value("client_secret of the password flow"), "");
    click(browser, "#openid-password-checkbox-oauth2");
    click(browser, "#authorize-password");
    browser.sees("Authorized");
    browser.press("Close");
    click(browser, "[id$=me_me] .opblock-summary-control");
    browser.press("Try it out");
    execute(browser, 200);
    browser.sees(username);

    click(browser, ".auth-wrapper button.authorize");
    browser.press("Logout");
    browser.press("Close");
    execute(browser, 401);
}

#[rstest]
fn bz9_swagger_ui_is_authorized_with_the_credentials_and_its_calls_are_answered() {
    let Some((_server, browser)) = developer(true) else { return };
    make(&browser, "Warehouse", "");
    let (username, password) = (browser.value("Username"), browser.value("Password"));
    browser.open("/docs/");
    is_authorized(&browser, &username, &password);
}

/// The pages of Swagger UI at an origin of their own, over the document of a server elsewhere.
fn swagger_ui_elsewhere(listener: TcpListener, server: &str) {
    let server = server.to_owned();
    std::thread::spawn(move || {
        for mut connection in listener.incoming().flatten() {
            let mut line = String::new();
            let _ = BufReader::new(&connection).read_line(&mut line);
            let path = line.split(' ').nth(1).unwrap_or_default();
            let mut page = Answer::of(agent().get(format!("{server}{path}")).call());
            if path.ends_with("initializer.js") {
                page.body = page.body.replace("/api/openapi.json", &format!("{server}/api/openapi.json"));
            }
            let (kind, length) = (page.header("content-type"), page.body.len());
            let _ = write!(
                connection,
                "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{}",
                page.body
            );
        }
    });
}

#[rstest]
fn bz9_swagger_ui_on_another_origin_is_authorized_where_cors_lets_it(#[values(true, false)] allowed: bool) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let mut server = Server::with(Database::Sqlite).set("preset", "biotz");
    if allowed {
        server = server.set("http.cors_origins", &origin);
    }
    let server = server.start();
    let made = server
        .run(async |context, by| grantor::admin::credentials::create(context, by, "Warehouse", "", &[]).await.unwrap());
    swagger_ui_elsewhere(listener, server.base());
    let Some(browser) = Browser::start(&server, Looks::default()) else { return };
    browser.open(&format!("{origin}/docs/"));
    if allowed {
        is_authorized(&browser, &made.user.username, made.user.password.as_ref().unwrap().expose());
    } else {
        browser.sees("Failed to load API definition");
    }
}
