//! Lists, a page at a time.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rstest::rstest;
use serde_json::json;

use super::{Caller, made, names, refused};
use crate::harness::{Database, Server};

const ROWS: usize = 120;

/// Lists that have pages of their own.
const LISTS: [&str; 6] = ["users", "clients", "credentials", "api-keys", "tokens/families", "scope-requests"];

/// Walks a list, and answers the ids in the order in which they came.
fn walk(caller: &Caller<'_>, list: &str, limit: usize) -> Vec<String> {
    let (mut ids, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let from = cursor.take().map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
        let page = caller.get(&format!("{list}?limit={limit}{from}")).ok().json();
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= limit, "{list}: {} of {limit}", items.len());
        ids.extend(items.iter().map(|item| item["id"].as_str().unwrap().to_owned()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = Some(next.to_owned()),
            None => return ids,
        }
        assert_eq!(items.len(), limit, "{list}: a page that another follows is full");
    }
}

#[rstest]
fn pages_of_a_list_hold_every_row_once(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let administrator = Caller::administrator(&server);
    for list in ["users", "clients", "credentials", "api-keys"] {
        let mut wanted: BTreeSet<String> = walk(&administrator, list, 200).into_iter().collect();
        for number in 0..ROWS {
            let body = match list {
                "users" => json!({ "username": format!("row{number}"), "kind": "api_user" }),
                "clients" => json!({ "label": format!("row {number}"), "grant_types": ["client_credentials"] }),
                _ => json!({ "name": format!("row {number}") }),
            };
            wanted.insert(super::id_of(&made(&administrator.post(list, &body))));
        }
        for limit in [7, 50, 120] {
            let seen = walk(&administrator, list, limit);
            assert_eq!(seen.len(), wanted.len(), "{list} by {limit}");
            assert_eq!(seen.into_iter().collect::<BTreeSet<_>>(), wanted, "{list} by {limit}");
        }
        // A row that is made meanwhile moves no other one.
        let first = administrator.get(&format!("{list}?limit=100")).ok().json();
        let body = match list {
            "users" => json!({ "username": "meanwhile", "kind": "api_user" }),
            "clients" => json!({ "label": "meanwhile", "grant_types": ["client_credentials"] }),
            _ => json!({ "name": "meanwhile" }),
        };
        let late = super::id_of(&made(&administrator.post(list, &body)));
        let cursor = first["next_cursor"].as_str().unwrap();
        let second = administrator.get(&format!("{list}?limit=100&cursor={cursor}")).ok().json();
        let ids = [&first, &second].map(|page| page["items"].as_array().unwrap().clone()).concat();
        let mut ids: Vec<String> = ids.iter().map(super::id_of).filter(|id| *id != late).collect();
        ids.sort();
        assert_eq!(ids, wanted.into_iter().collect::<Vec<_>>(), "{list}");
    }
}

#[rstest]
fn a_limit_is_1_to_200_and_nothing_else_is_in_the_query(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let administrator = Caller::administrator(&server);
    for list in LISTS.into_iter().chain(["roles/administrator/users"]) {
        for good in ["limit=1", "limit=200", ""] {
            administrator.get(&format!("{list}?{good}")).ok();
        }
        for bad in ["limit=0", "limit=201", "limit=-1", "limit=9223372036854775807"] {
            names(&administrator.get(&format!("{list}?{bad}")), "limit");
        }
        for bad in ["limit=ten", "limit=1&limit=2", "unknown=1", "is_admin=true"] {
            names(&administrator.get(&format!("{list}?{bad}")), "query");
        }
    }
}

#[rstest]
fn a_list_without_pages_takes_the_organization_and_nothing_else(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let administrator = Caller::administrator(&server);
    let own = administrator.get("me").ok().text("organization_id");
    let client = json!({ "label": "listed", "grant_types": ["client_credentials"] });
    let client = super::id_of(&made(&administrator.post("clients", &client)));
    let (secrets, places) =
        (format!("clients/{client}/secrets"), format!("users/{}/memberships", administrator.user.id));
    let sessions = format!("users/{}/sessions", administrator.user.id);
    for list in ["organizations", "roles", "scopes", "signing-keys", &secrets, &places, &sessions] {
        for good in ["", "limit=100", &format!("organization={own}")] {
            administrator.get(&format!("{list}?{good}")).ok();
        }
        for bad in ["limit=x", "cursor=x", "unknown=1"] {
            names(&administrator.get(&format!("{list}?{bad}")), "query");
        }
    }
}

#[rstest]
fn a_cursor_that_the_list_did_not_give_out_is_refused(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let administrator = Caller::administrator(&server);
    for number in 0..3 {
        made(&administrator.post("users", &json!({ "username": format!("row{number}"), "kind": "api_user" })));
        made(&administrator.post("credentials", &json!({ "name": format!("row {number}") })));
    }
    let cursor = administrator.get("users?limit=1").ok().text("next_cursor");
    let of_credentials = administrator.get("credentials?limit=1").ok().text("next_cursor");
    administrator.get(&format!("users?limit=1&cursor={cursor}")).ok();
    let flipped = {
        let mut bytes = URL_SAFE_NO_PAD.decode(&cursor).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        URL_SAFE_NO_PAD.encode(bytes)
    };
    let unmarked = URL_SAFE_NO_PAD.encode([&[0; 12], administrator.user.id.as_bytes()].concat());
    let longer = URL_SAFE_NO_PAD.encode([URL_SAFE_NO_PAD.decode(&cursor).unwrap(), b"0".to_vec()].concat());
    let bad = [&cursor[..cursor.len() - 4], &cursor[..4], "A", "", "x' OR 1=1", &flipped, &unmarked, &longer, "%F0%9F"]
        .map(|text| text.replace(' ', "+"));
    for bad in bad.iter().chain([&of_credentials]) {
        let answer = administrator.get(&format!("users?cursor={bad}"));
        let detail = refused(&answer, 400);
        assert!(detail.contains("cursor"), "{bad}: {answer:?}");
    }
    for list in LISTS.into_iter().filter(|list| *list != "users") {
        refused(&administrator.get(&format!("{list}?cursor={cursor}")), 400);
    }
}
