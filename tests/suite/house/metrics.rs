//! The private listener.

use rstest::rstest;

use crate::harness::{Answer, Database, Server, agent};

#[rstest]
fn metrics_count_requests_and_tokens_on_the_private_listener_alone(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let client = server.confidential_client().grants(["client_credentials", "password", "refresh_token"]).create();
    client.client_credentials().ok();
    client.client_credentials().ok();
    client.password_grant(&server.api_user().create()).ok();
    client.refresh("gr_rt_nothing").is_refused("invalid_grant");

    let page = Answer::of(agent().get(format!("{}/metrics", server.private_base())).call()).ok().body;

    for line in [
        r#"grantor_tokens_total{grant="client_credentials",outcome="issued"} 2"#,
        r#"grantor_tokens_total{grant="password",outcome="issued"} 1"#,
        r#"grantor_tokens_total{grant="refresh_token",outcome="invalid_grant"} 1"#,
        r#"grantor_http_requests_total{route="token",status="200"} 3"#,
    ] {
        assert!(page.contains(line), "no {line} in\n{page}");
    }
    for name in
        ["hash_queue_depth", "store_queue_depth", "store_busy_connections", "store_write_batches", "store_writes"]
    {
        assert!(page.contains(&format!("grantor_{name}")), "no {name} in\n{page}");
    }
    assert_eq!(server.get("/metrics", &[]).status, 404);
}

#[rstest]
fn full_health_names_the_database_and_what_is_missing(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let health = Answer::of(agent().get(format!("{}/health/full", server.private_base())).call()).ok().json();
    assert_eq!(health["database"], if db == Database::Sqlite { "sqlite" } else { "postgres" });
    assert_eq!(health["missing"].as_array().map(Vec::len), Some(0));
    assert_eq!(server.get("/health/full", &[]).status, 404);
}

#[test]
fn the_private_listener_says_where_it_is_and_names_its_methods_and_its_requests() {
    let server = Server::start(Database::Sqlite);
    let nothing = Answer::of(agent().get(format!("{}/oauth/token", server.private_base())).call());
    assert_eq!(nothing.status, 404);
    let wanted = format!("this is the private listener: the token endpoint is at {}/oauth/token", server.base());
    assert_eq!(nothing.text("detail"), wanted);
    let posted = Answer::of(agent().post(format!("{}/metrics", server.private_base())).send(""));
    assert_eq!((posted.status, posted.header("allow")), (405, "GET, HEAD"));
    for answer in [&nothing, &posted] {
        assert_eq!(answer.header("x-request-id").len(), 22, "{answer:?}");
        assert_eq!(answer.text("request_id"), answer.header("x-request-id"));
    }
}

#[test]
fn a_preflight_of_a_configured_origin_alone_is_allowed_and_its_answer_has_an_id_too() {
    let server = Server::with(Database::Sqlite).set("http.cors_origins", "https://app.example.com").start();
    let preflight = |origin: &str, header: &str| {
        let request = ureq::http::Request::builder()
            .method("OPTIONS")
            .uri(format!("{}/oauth/token", server.base()))
            .header("Origin", origin)
            .header("Access-Control-Request-Method", "POST")
            .header("Access-Control-Request-Headers", header)
            .body(())
            .unwrap();
        Answer::of(agent().run(request))
    };
    for header in ["authorization", "x-requested-with, content-type", "x-api-key, x-user-id, x-business-id"] {
        let answer = preflight("https://app.example.com", header);
        assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, "https://app.example.com"));
        assert_eq!(answer.header("access-control-allow-credentials"), "", "no cookies from there");
        assert_eq!(answer.header("x-request-id").len(), 22);
    }
    for (origin, header) in [("https://other.example.com", "authorization"), ("https://app.example.com", "cookie")] {
        assert_eq!(preflight(origin, header).header("access-control-allow-origin"), "", "{origin} {header}");
    }
}
