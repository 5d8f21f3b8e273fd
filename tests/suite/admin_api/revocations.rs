//! What ended tokens early, for resource servers that check them offline.

use std::collections::BTreeSet;

use rstest::rstest;
use serde_json::{Value, json};

use super::Caller;
use crate::harness::{Answer, Database, Server, TestClient};
use crate::house::registry::within;

const AUDIENCE: &str = "https://api.example";

/// A copy of the list, as an offline validator keeps it.
#[derive(Default)]
struct Copy {
    change: Option<i64>,
    tokens: BTreeSet<String>,
    families: BTreeSet<String>,
    epochs: std::collections::BTreeMap<(&'static str, String), i64>,
}

impl Copy {
    fn ask(&self, api: &TestClient<'_>, etag: &str) -> Answer {
        let since = self.change.map_or_else(String::new, |change| format!("?since={change}"));
        let headers = [("Client-ID", api.id.as_str()), ("Client-Secret", api.secret.as_str()), ("If-None-Match", etag)];
        api.server.get(&format!("/api/v1/revocations{since}"), &headers)
    }

    fn take(&mut self, answer: &Answer) -> Value {
        let told = answer.json();
        if told["complete"] == true {
            *self = Self::default();
        }
        let texts = |list: &Value| -> Vec<String> {
            list.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
        };
        self.tokens.extend(texts(&told["tokens"]));
        self.families.extend(texts(&told["families"]));
        for kind in ["clients", "users", "organizations"] {
            for (id, epoch) in told["epochs"][kind].as_object().unwrap() {
                self.epochs.insert((kind, id.clone()), epoch.as_i64().unwrap());
            }
        }
        self.change = told["change"].as_i64();
        told
    }

    fn says_dead(&self, claims: &Value) -> bool {
        let text = |name: &str| claims[name].as_str().unwrap_or_default().to_owned();
        let own: Vec<i64> = text("epoch").split('.').map(|number| number.parse().unwrap()).collect();
        let raised = [("clients", text("client_id")), ("users", text("sub")), ("organizations", text("org"))];
        let is_raised =
            raised.into_iter().zip(own).any(|(key, own)| self.epochs.get(&key).is_some_and(|now| *now > own));
        self.tokens.contains(&text("jti")) || self.families.contains(&text("sid")) || is_raised
    }
}

#[rstest]
fn a_validator_that_asks_for_what_changed_refuses_whatever_the_server_refuses(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::with(db).set("tokens.audience", AUDIENCE).start();
    let api =
        server.confidential_client().grants(["client_credentials"]).may_introspect().audiences([AUDIENCE]).create();
    let administrator = Caller::administrator(&server);
    let grants = ["password", "refresh_token", "client_credentials"];
    let portal = server.confidential_client().grants(grants).create();
    let disabled = server.confidential_client().grants(grants).create();
    let user = server.api_user().create();
    let signed_in = |client: &TestClient<'_>, user: &crate::harness::TestUser| client.password_grant(user).ok();
    let mut copy = Copy::default();
    assert_eq!(copy.take(&copy.ask(&api, "").ok())["complete"], true);

    // One token, one family, one user, one client, one organization: each ended in its own way.
    let elsewhere = administrator.post("organizations", &json!({ "name": "Elsewhere", "slug": "elsewhere" })).json();
    let of_elsewhere = elsewhere["id"].as_str().unwrap().to_owned();
    let slug = of_elsewhere.clone();
    let (theirs, two) = (of_elsewhere.clone(), ["password", "client_credentials"]);
    let of_theirs = server.confidential_client().grants(two).change(|new| new.organization = Some(theirs)).create();
    let guest = server.api_user().change(|new| new.organization = Some(slug)).create();
    let (living, other) = (signed_in(&portal, &user), signed_in(&portal, &user));
    let (ended, epoch_raised) = (signed_in(&portal, &user), signed_in(&portal, &server.api_user().create()));
    let (of_client, of_guest) = (disabled.client_credentials().ok(), signed_in(&portal, &guest));
    // Of a client of the organization: for itself, and for a user of another one.
    let (of_machine, through) = (of_theirs.client_credentials().ok(), signed_in(&of_theirs, &user));
    portal.post("/oauth/revoke", &[("token", &other.access_token())]).ok();
    portal.post("/oauth/revoke", &[("token", &ended.refresh_token())]).ok();
    let raised = epoch_raised.claims("access_token")["sub"].as_str().unwrap().to_owned();
    assert_eq!(administrator.post(&format!("users/{raised}/disable"), &json!({})).status, 200);
    assert_eq!(administrator.post(&format!("clients/{}/disable", disabled.id), &json!({})).status, 200);
    assert_eq!(administrator.post(&format!("organizations/{of_elsewhere}/disable"), &json!({})).status, 200);

    let dead = [&other, &ended, &epoch_raised, &of_client, &of_guest, &of_machine, &through];
    let is_active = |tokens: &Answer| api.introspect(&tokens.access_token()).ok().json()["active"] == true;
    within(std::time::Duration::from_secs(1), || dead.iter().all(|tokens| !is_active(tokens)));
    assert!(is_active(&living));
    within(std::time::Duration::from_secs(1), || {
        copy.take(&copy.ask(&api, "").ok());
        dead.iter().all(|tokens| copy.says_dead(&tokens.claims("access_token")))
    });
    assert!(!copy.says_dead(&living.claims("access_token")));
    // From nothing the same list: what is asked for by parts is all there is.
    let mut whole = Copy::default();
    assert_eq!(whole.take(&whole.ask(&api, "").ok())["complete"], true);
    assert!(dead.iter().all(|tokens| whole.says_dead(&tokens.claims("access_token"))));
    assert!(!whole.says_dead(&living.claims("access_token")));
}

#[test]
fn the_list_is_for_clients_of_the_default_organization_that_may_introspect() {
    let server = Server::start(Database::Sqlite);
    let administrator = Caller::administrator(&server);
    let made = administrator.post("organizations", &json!({ "name": "Elsewhere", "slug": "elsewhere" })).json();
    let slug = made["id"].as_str().unwrap().to_owned();
    let client = || server.confidential_client().grants(["client_credentials"]);
    let elsewhere = client().may_introspect().change(|new| new.organization = Some(slug)).create();
    for (client, status) in [(client().create(), 403), (elsewhere, 403), (client().may_introspect().create(), 200)] {
        let headers = [("Client-ID", client.id.as_str()), ("Client-Secret", client.secret.as_str())];
        assert_eq!(server.get("/api/v1/revocations", &headers).status, status);
    }
}

#[rstest]
fn an_unchanged_list_is_an_answer_without_a_body_and_a_number_of_the_future_gets_the_whole(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let api = server.confidential_client().grants(["client_credentials"]).may_introspect().create();
    let mut copy = Copy::default();
    copy.take(&copy.ask(&api, "").ok());
    let unchanged = copy.ask(&api, "").ok();
    assert_eq!(unchanged.json()["complete"], false);
    assert_eq!(unchanged.json()["tokens"], json!([]));
    assert_eq!(unchanged.header("cache-control"), "private, max-age=1");
    let again = copy.ask(&api, unchanged.header("etag"));
    assert_eq!((again.status, again.body.as_str()), (304, ""));

    let restored = Copy { change: copy.change.map(|change| change + 1000), ..Copy::default() };
    assert_eq!(restored.ask(&api, "").ok().json()["complete"], true);
    let headers = [("Client-ID", api.id.as_str()), ("Client-Secret", api.secret.as_str())];
    assert_eq!(server.get("/api/v1/revocations?since=yesterday", &headers).status, 422);
}
