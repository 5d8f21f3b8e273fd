//! RFC 7517: the JWK Set, and how it is cached (RFC 9111).

use grantor::admin::signing_keys;
use grantor::crypto::signing::SigningAlgorithm;
use rstest::rstest;

use crate::harness::{Database, Server};

const JWKS: &str = "/.well-known/jwks.json";

#[rstest]
fn a_validator_that_has_the_document_gets_304_without_a_body_until_it_changes(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let first = server.get(JWKS, &[]).ok();
    let tag = first.header("etag").to_owned();
    assert!(tag.starts_with('"') && tag.ends_with('"') && tag.len() > 10, "{tag}");
    let same = server.get(JWKS, &[("If-None-Match", &tag)]);
    assert_eq!((same.status, same.body.as_str(), same.header("etag")), (304, "", tag.as_str()));
    assert_eq!(same.header("cache-control"), first.header("cache-control"));
    server.get(JWKS, &[("If-None-Match", "\"another\"")]).ok();

    server.run(async |context, by| {
        signing_keys::rotate(context, by, SigningAlgorithm::Es256).await.unwrap();
    });

    let second = server.get(JWKS, &[("If-None-Match", &tag)]).ok();
    assert_ne!(second.header("etag"), tag);
    assert_eq!(second.json()["keys"].as_array().unwrap().len(), 3);
}

#[rstest]
fn if_none_match_is_a_list_a_weak_tag_or_an_asterisk(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    // RFC 9110 §13.1.2: the comparison is weak, and any of the list may match.
    let server = Server::start(db);
    let tag = server.get(JWKS, &[]).ok().header("etag").to_owned();
    for known in [format!("\"a\", {tag}"), format!("W/{tag}"), format!("\"a\",W/{tag} , \"b\""), "*".to_owned()] {
        assert_eq!(server.get(JWKS, &[("If-None-Match", &known)]).status, 304, "{known}");
    }
    for other in ["\"a\", \"b\"", "W/\"a\"", "", &tag[1..tag.len() - 1]] {
        assert_eq!(server.get(JWKS, &[("If-None-Match", other)]).status, 200, "{other}");
    }
}

#[rstest]
fn a_cache_may_keep_the_document_for_no_longer_than_a_new_key_waits(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    for ahead in [30_u64, 60, 3600] {
        let server = Server::with(db).set("keys.publish_ahead", ahead).start();
        let answer = server.get(JWKS, &[]).ok();
        let age = answer.header("cache-control").split("max-age=").nth(1).unwrap().parse::<u64>().unwrap();
        // Another node may hear of a new key two seconds after it was published.
        assert!(age + 2 <= ahead && age * 2 >= ahead, "{age} of {ahead}");
        assert_eq!(answer.header("content-type"), "application/json");
    }
}
