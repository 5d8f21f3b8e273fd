//! The table *Parameters*: RFC 6749 §3.2 at the door. One table is one file, so this one is long.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;

use rstest::rstest;

use crate::harness::{Answer, Database, Installation, Server, TestClient, TestUser, agent, basic, form};

const FORM: &str = "application/x-www-form-urlencoded";
const GRANT: (&str, &str) = ("grant_type", "client_credentials");

fn api_client(server: &Server) -> TestClient<'_> {
    server.confidential_client().grants(["password", "refresh_token", "client_credentials"]).create()
}

/// A request with ten parameters that is answered with tokens, so that only what a test changes can refuse it.
fn ten_parameters<'a>(client: &'a TestClient<'_>, user: &'a TestUser) -> Vec<(&'a str, &'a str)> {
    vec![
        ("grant_type", "password"),
        ("client_id", &client.id),
        ("client_secret", &client.secret),
        ("username", &user.username),
        ("password", &user.password),
        ("scope", "orders"),
        ("refresh_token", "unused"),
        ("token", "unused"),
        ("token_type_hint", "unused"),
        ("redirect_uri", "unused"),
    ]
}

#[rstest]
fn request_parameters_are_not_included_more_than_once(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let client = server.confidential_client().grants(["password", "refresh_token"]).scopes(["orders"]).create();
    let user = server.api_user().create();
    let once = ten_parameters(&client, &user);
    server.post("/oauth/token", &once, &[]).ok();

    for (name, value) in once.clone() {
        for second in [value, "", "another"] {
            for twice in [[&once[..], &[(name, second)]].concat(), [&[(name, second)], &once[..]].concat()] {
                let answer = server.post("/oauth/token", &twice, &[]);
                assert_eq!(answer.status, 400, "{name} twice: {answer:?}");
                answer.is_refused("invalid_request");
            }
        }
        let members: Vec<String> = once.iter().chain([&(name, value)]).map(|(n, v)| format!("{n:?}:{v:?}")).collect();
        let json = format!("{{{}}}", members.join(","));
        let answer = server.post_raw("/oauth/token", "application/json", json.as_bytes(), &[]);
        assert_eq!(answer.status, 400, "{name} twice in JSON: {answer:?}");
        answer.is_refused("invalid_request");
    }
}

#[rstest]
fn a_token_that_is_named_twice_is_neither_revoked_nor_introspected(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let client = server.confidential_client().grants(["client_credentials"]).may_introspect().create();
    let token = client.client_credentials().ok().access_token();

    for path in ["/oauth/revoke", "/oauth/introspect"] {
        let answer = client.post(path, &[("token", &token), ("token", &token)]);
        assert_eq!(answer.status, 400, "{path}: {answer:?}");
        answer.is_refused("invalid_request");
    }
    assert_eq!(client.introspect(&token).ok().json()["active"], true);
}

#[rstest]
fn parameters_sent_without_a_value_are_treated_as_omitted(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let client = server.confidential_client().grants(["client_credentials"]).scopes(["orders"]).create();

    let empty = client.token(&[GRANT, ("scope", ""), ("resource", ""), ("client_id", ""), ("client_secret", "")]).ok();

    assert_eq!(empty.text("scope"), client.client_credentials().ok().text("scope"));
    assert_eq!(empty.text("scope"), "orders");
    client.token(&[("grant_type", "")]).is_refused("invalid_request");
}

#[rstest]
fn unrecognized_request_parameters_are_ignored(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let client = api_client(&server);

    client.token(&[GRANT, ("audience", "x"), ("Grant_Type", "password"), ("ünknown", "1")]).ok();
}

#[rstest]
fn another_media_type_is_answered_with_415_and_a_line_that_works(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let client = api_client(&server);
    let authorization = client.authorization();
    let headers = [("Authorization", authorization.as_str())];
    let body = form(&[GRANT]);
    let post = |content_type: &str| server.post_raw("/oauth/token", content_type, body.as_bytes(), &headers);
    post(FORM).ok();
    for fine in ["charset=UTF-8", "charset=utf-8", "charset=\"utf-8\"", "x=y"] {
        post(&format!("{FORM};{fine}")).ok();
        post(&format!("{FORM}; {fine}")).ok();
    }

    let latin = format!("{FORM};charset=iso-8859-1");
    for wrong in ["", "text/plain", "multipart/form-data; boundary=x", "application/xml", &latin, "text/x-form", "{"] {
        let answer = post(wrong);
        assert_eq!(answer.status, 415, "{wrong}: {answer:?}");
        answer.is_refused("invalid_request");
        let says = answer.text("error_description");
        let line = "curl -u CLIENT_ID:CLIENT_SECRET -d grant_type=client_credentials";
        assert!(says.contains(line) && says.contains(&format!("{}/oauth/token", server.base())), "{says}");
    }
}

#[rstest]
fn a_json_object_of_strings_is_a_request_too(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let client = api_client(&server);
    let post = |body: &str| {
        let headers = [("Authorization", client.authorization())];
        let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
        server.post_raw("/oauth/token", "application/json", body.as_bytes(), &headers)
    };
    post(r#"{"grant_type":"client_credentials"}"#).ok();

    for wrong in [
        "",
        "null",
        "[]",
        r#""client_credentials""#,
        r#"{"grant_type":["client_credentials"]}"#,
        r#"{"grant_type":null}"#,
        r#"{"grant_type":"client_credentials","scope":1}"#,
        r#"{"grant_type":"client_credentials"} {}"#,
        r#"{"grant_type":"client_credentials","x":"\u0000"}"#,
        r#"{"grant_type":"client_credentials","x":"\ud800"}"#,
    ] {
        let answer = post(wrong);
        assert_eq!(answer.status, 400, "{wrong}: {answer:?}");
        answer.is_refused("invalid_request");
    }
}

fn with_method(server: &Server, method: &str, path: &str) -> Answer {
    let request =
        ureq::http::Request::builder().method(method).uri(format!("{}{path}", server.base())).body(()).unwrap();
    Answer::of(agent().run(request))
}

#[rstest]
fn a_wrong_method_is_answered_with_405_and_allow(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    for (path, methods, _) in
        grantor::http::table().filter(|(path, methods, _)| !path.contains('{') && *methods != grantor::http::ANY)
    {
        let allowed: BTreeSet<&str> = methods.split(", ").collect();
        for method in ["GET", "DELETE", "OPTIONS"].into_iter().filter(|method| !allowed.contains(method)) {
            let answer = with_method(&server, method, path);
            assert_eq!(answer.status, 405, "{method} {path}: {answer:?}");
            assert_eq!(answer.header("allow").split(", ").collect::<BTreeSet<_>>(), allowed, "{path}");
            let id = answer.header("x-request-id");
            if path.starts_with("/console/") {
                assert!(answer.body.contains(id), "a page names it: {answer:?}");
            } else {
                assert_eq!(answer.text("request_id"), id);
            }
        }
    }
}

#[rstest]
fn a_body_over_the_limit_is_answered_with_413(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let client = api_client(&server);
    let padded = |bytes: usize| {
        let start = form(&[GRANT, ("padding", "")]);
        let padding = "x".repeat(bytes - start.len());
        client.token(&[GRANT, ("padding", &padding)])
    };
    padded(16 * 1024).ok();

    for path in ["/oauth/token", "/oauth/revoke", "/oauth/introspect"] {
        let answer = client.post(path, &[GRANT, ("token", &"x".repeat(16 * 1024))]);
        assert_eq!(answer.status, 413, "{path}: {answer:?}");
        answer.is_refused("invalid_request");
    }
    assert_eq!(padded(16 * 1024 + 1).status, 413);
}

/// The first line of the answer to a token request whose body is framed and sent just so.
fn framed(client: &TestClient<'_>, framing: &str, body: &str) -> String {
    let mut connection = TcpStream::connect(client.server.base().replace("http://", "")).unwrap();
    let authorization = basic(&client.id, &client.secret);
    let head = format!(
        "POST /oauth/token HTTP/1.1\r\nHost: grantor\r\nAuthorization: {authorization}\r\nContent-Type: {FORM}\r\n{framing}\r\n\r\n"
    );
    connection.write_all(format!("{head}{body}").as_bytes()).unwrap();
    let mut first = String::new();
    BufReader::new(connection).read_line(&mut first).unwrap();
    first.trim_end().to_owned()
}

/// RFC 9112 §6: with a length or in chunks.
#[rstest]
fn a_body_in_chunks_is_read_as_one_with_a_length_and_has_the_same_limit(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let client = api_client(&server);
    let form = form(&[GRANT, ("padding", &"x".repeat(9 * 1024))]);
    let chunks = |parts: &[&str]| {
        let chunks: String = parts.iter().map(|part| format!("{:x}\r\n{part}\r\n", part.len())).collect();
        chunks + "0\r\n\r\n"
    };
    let chunked = |parts: &[&str]| framed(&client, "Transfer-Encoding: chunked", &chunks(parts));

    assert_eq!(framed(&client, &format!("Content-Length: {}", form.len()), &form), "HTTP/1.1 200 OK");
    assert_eq!(chunked(&[&form]), "HTTP/1.1 200 OK");
    assert_eq!(chunked(&[&form[..7], &form[7..20], &form[20..]]), "HTTP/1.1 200 OK");
    assert_eq!(chunked(&[&form, &form]), "HTTP/1.1 413 Payload Too Large");
    // Nobody has to send what is refused by its length.
    assert_eq!(framed(&client, "Content-Length: 16385", ""), "HTTP/1.1 413 Payload Too Large");
    assert_eq!(framed(&client, "Content-Length: 0", ""), "HTTP/1.1 400 Bad Request");
    // RFC 9112 §6.3: both at once are an attempt to smuggle a request.
    let body = chunks(&[&form]);
    for length in [form.len(), body.len()] {
        let both = format!("Content-Length: {length}\r\nTransfer-Encoding: chunked");
        assert_eq!(framed(&client, &both, &body), "HTTP/1.1 400 Bad Request", "{length}");
    }
}

#[rstest]
fn the_query_string_is_never_read(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let client = server.confidential_client().grants(["client_credentials"]).scopes(["orders", "stock"]).create();

    client.post("/oauth/token?grant_type=client_credentials", &[]).is_refused("invalid_request");
    let answer = client.post("/oauth/token?scope=orders&grant_type=password&scope=stock", &[GRANT]).ok();
    assert_eq!(answer.text("scope"), "orders stock");
    let in_query = format!("/oauth/token?client_id={}&client_secret={}", client.id, client.secret);
    let answer = server.post(&in_query, &[GRANT], &[]);
    assert_eq!(answer.status, 401, "{answer:?}");
    answer.is_refused("invalid_client");
    // RFC 6750 §2.3, which RFC 9700 §4.3.2 forbids.
    let token = client.client_credentials().ok().access_token();
    server.get_with_token("/api/v1/me", &token).ok();
    assert_eq!(server.get(&format!("/api/v1/me?access_token={token}"), &[]).status, 401);
}

#[rstest]
fn the_query_string_is_never_logged(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let mut node = Installation::new(db);
    node.set("log.level", "trace");
    node.start();

    let canary = "canary-in-the-query-81f3";
    let mut seen = Vec::new();
    for path in ["/oauth/token", "/oauth/revoke", "/oauth/introspect", "/oauth/userinfo", "/nothing/here"] {
        let answer =
            node.post(&format!("{path}?client_secret={canary}&{canary}=1"), ("nobody", "wrong"), &[GRANT]).unwrap();
        assert!(answer.status >= 400, "{answer:?}");
        seen.push(answer.header("x-request-id").to_owned());
    }
    for path in ["/api/v1/me", "/oauth/userinfo", "/health/live"] {
        let answer = node.get(&format!("{path}?access_token={canary}"), &[]);
        seen.push(answer.header("x-request-id").to_owned());
    }
    assert_eq!(node.stop(), Some(0), "{}", node.log());

    let log = node.log();
    for id in seen {
        assert!(!id.is_empty() && log.contains(&id), "the request {id} is not in the log");
    }
    assert!(!log.contains(canary), "{:?}", log.lines().find(|line| line.contains(canary)));
}

#[rstest]
fn nul_a_bad_escape_and_text_that_is_not_utf_8_are_refused(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let client = server.confidential_client().grants(["password", "client_credentials"]).create();
    let user = server.person().create();
    let authorization = client.authorization();
    let post = |body: &[u8]| server.post_raw("/oauth/token", FORM, body, &[("Authorization", &authorization)]);

    for wrong in [&b"%00"[..], b"a%00b", b"\0", b"%", b"%2", b"%zz", b"%2g", b"%ff", b"\xff", b"%c3%28", b"%ed%a0%80"] {
        for name in ["x", "scope", "resource"] {
            let answer = post(&[b"grant_type=client_credentials&", name.as_bytes(), b"=", wrong].concat());
            assert_eq!(answer.status, 400, "{name}={wrong:?}: {answer:?}");
            answer.is_refused("invalid_request");
        }
        let answer = post(&[b"grant_type=client_credentials&", wrong, b"=x"].concat());
        assert_eq!(answer.status, 400, "{wrong:?}: {answer:?}");
        let start = form(&[("grant_type", "password"), ("username", &user.username), ("password", &user.password)]);
        post(&[start.as_bytes(), wrong].concat()).is_refused("invalid_request");
    }
    client.password_grant(&user).ok();
}

#[rstest]
fn every_answer_bears_the_request_id_that_its_error_names(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let client = api_client(&server);
    let refusals = [
        client.token(&[]),
        client.token(&[("grant_type", "other")]),
        client.introspect("x"),
        server.post("/oauth/token", &[GRANT], &[]),
        server.post("/oauth/revoke", &[], &[]),
        server.post_raw("/oauth/token", "text/plain", b"x", &[]),
        server.post_raw("/oauth/token", FORM, &[b'x'; 20_000], &[]),
        server.get("/oauth/token", &[]),
        server.get("/nothing/here", &[]),
        server.get("/api/v1/me", &[]),
        server.get("/oauth/userinfo", &[]),
    ];
    let mut ids = BTreeSet::new();
    for answer in refusals {
        assert!(answer.status >= 400, "{answer:?}");
        assert_eq!(answer.header("x-request-id"), answer.text("request_id"), "{answer:?}");
        ids.insert(answer.text("request_id"));
    }
    assert_eq!(ids.len(), 11, "each request has an id of its own");

    let named = server.get("/.well-known/jwks.json", &[("X-Request-ID", "chosen-by-the-client")]).ok();
    assert!(!named.header("x-request-id").is_empty());
    assert_ne!(named.header("x-request-id"), "chosen-by-the-client");
    assert!(!client.client_credentials().ok().header("x-request-id").is_empty());
}
