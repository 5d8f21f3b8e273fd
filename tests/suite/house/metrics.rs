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
