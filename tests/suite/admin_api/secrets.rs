//! Secrets of a client: beside each other, replaced, ended.

use rstest::rstest;
use serde_json::{Value, json};

use super::{Caller, made, names, refused};
use crate::harness::{Database, Server, basic};

fn opens(server: &Server, id: &str, secret: &Value) -> bool {
    let authorization = basic(id, secret.as_str().unwrap());
    let grant = [("grant_type", "client_credentials")];
    server.post("/oauth/token", &grant, &[("Authorization", &authorization)]).status == 200
}

#[rstest]
fn secrets_stand_beside_each_other_and_the_last_one_stays(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let administrator = Caller::administrator(&server);
    let client = json!({ "label": "many", "grant_types": ["client_credentials"] });
    let client = made(&administrator.post("clients", &client));
    let id = client["client_id"].as_str().unwrap();
    let secrets = format!("clients/{id}/secrets");
    let first = &client["client_secret"];
    let ids = || -> Vec<String> {
        let listed = administrator.get(&secrets).ok().json();
        listed.as_array().unwrap().iter().map(super::id_of).collect()
    };
    let first_id = ids().remove(0);
    refused(&administrator.delete(&format!("{secrets}/{first_id}")), 409);

    let second = made(&administrator.post(&secrets, &json!({ "label": "second" })));
    assert!(opens(&server, id, first) && opens(&server, id, &second["client_secret"]));
    assert_eq!(administrator.delete(&format!("{secrets}/{first_id}")).status, 204);
    assert!(!opens(&server, id, first) && opens(&server, id, &second["client_secret"]));
    refused(&administrator.delete(&format!("{secrets}/{first_id}")), 404);
    let second_id = second["secret_id"].as_str().unwrap();
    refused(&administrator.delete(&format!("{secrets}/{second_id}")), 409);

    // One that ends by itself does so on its day.
    names(&administrator.post(&secrets, &json!({ "expires_at": "2001-01-01T00:00:00Z" })), "expires_at");
    names(&administrator.post(&secrets, &json!({ "expires_at": "soon" })), "expires_at");
    for _ in 1..10 {
        made(&administrator.post(&secrets, &json!({})));
    }
    refused(&administrator.post(&secrets, &json!({})), 409);
    assert_eq!(ids().len(), 10);
    refused(&administrator.delete(&format!("{secrets}/no-such")), 404);
}

#[rstest]
fn a_rotation_with_an_overlap_lets_the_old_secret_work_until_its_end(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let administrator = Caller::administrator(&server);
    let client = json!({ "label": "rotated", "grant_types": ["client_credentials"] });
    let client = made(&administrator.post("clients", &client));
    let id = client["client_id"].as_str().unwrap();
    let rotate = |overlap: Value| administrator.post(&format!("clients/{id}/secrets/rotate"), &overlap);
    for bad in [-1, 90 * 86_400 + 1] {
        names(&rotate(json!({ "overlap": bad })), "overlap");
    }
    let overlapped = rotate(json!({ "overlap": 600 })).ok().json();
    assert!(overlapped["previous_expires_at"].is_string());
    let (old, new) = (&client["client_secret"], &overlapped["client_secret"]);
    server.clock.advance(599);
    assert!(opens(&server, id, old) && opens(&server, id, new));
    server.clock.advance(2);
    assert!(!opens(&server, id, old) && opens(&server, id, new));
    let at_once = rotate(json!({})).ok().json();
    assert!(at_once.get("previous_expires_at").is_none());
    assert!(!opens(&server, id, new) && opens(&server, id, &at_once["client_secret"]));
}
