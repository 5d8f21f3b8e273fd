//! Token families: one's own, and those of users whom one manages; nobody else learns of any.

use rstest::rstest;

use super::{Caller, refused};
use crate::harness::{Database, Server, TestUser};

#[rstest]
fn a_family_that_the_list_does_not_show_is_not_there_to_be_revoked(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let portal = server.confidential_client().grants(["password", "refresh_token"]).create();
    let family = |user: &TestUser| {
        let tokens = portal.password_grant(user).ok();
        (tokens.claims("access_token")["sid"].as_str().unwrap().to_owned(), tokens.refresh_token())
    };
    let (owner, other) = (Caller::developer(&server), Caller::developer(&server));
    let manager = Caller::with(&server, ["users:manage"]);
    let ((first, refresh), (second, _)) = (family(&owner.user), family(&owner.user));
    let answer = |caller: &Caller<'_>, id: &str| caller.delete(&format!("tokens/families/{id}"));
    // Alike in every word but the id: whether it is there, is not told.
    let none = uuid::Uuid::now_v7().to_string();
    let said = refused(&answer(&other, &first), 404).replace(&first, "ID");
    assert_eq!(said, refused(&answer(&other, &none), 404).replace(&none, "ID"));
    refused(&other.get(&format!("tokens/families?user={}", owner.user.id)), 403);
    refused(&other.get("tokens/families?user=nobody"), 403);
    assert!(other.get("tokens/families").ok().json()["items"].as_array().unwrap().is_empty());
    portal.refresh(&refresh).ok();
    assert_eq!(answer(&owner, &first).status, 204);
    portal.refresh(&refresh).is_refused("invalid_grant");
    assert_eq!(answer(&manager, &second).status, 204);
    assert!(owner.get("tokens/families").ok().json()["items"].as_array().unwrap().is_empty());
}
