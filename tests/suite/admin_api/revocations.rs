//! What ended tokens early, for resource servers that check them offline.

use std::collections::BTreeSet;

use rstest::rstest;
use serde_json::{Value, json};

use super::Caller;
use crate::harness::{Answer, Database, Server, TestClient};
use crate::house::registry::within;

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
        let organization = if claims["org"].is_string() { text("org") } else { text("client_id") };
        let raised = [("clients", text("client_id")), ("users", text("sub")), ("organizations", organization)];
        let is_raised =
            raised.into_iter().zip(own).any(|(key, own)| self.epochs.get(&key).is_some_and(|now| *now > own));
        self.tokens.contains(&text("jti")) || self.families.contains(&text("sid")) || is_raised
    }
}

#[rstest]
fn a_validator_that_asks_for_what_changed_refuses_whatever_the_server_refuses(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let api = server.confidential_client().grants(["client_credentials"]).may_introspect().create();
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
    let guest = server.api_user().change(|new| new.organization = Some(slug)).create();
    let (living, other) = (signed_in(&portal, &user), signed_in(&portal, &user));
    let (ended, epoch_raised) = (signed_in(&portal, &user), signed_in(&portal, &server.api_user().create()));
    let (of_client, of_guest) = (disabled.client_credentials().ok(), signed_in(&portal, &guest));
    portal.post("/oauth/revoke", &[("token", &other.access_token())]).ok();
    portal.post("/oauth/revoke", &[("token", &ended.refresh_token())]).ok();
    let raised = epoch_raised.claims("access_token")["sub"].as_str().unwrap().to_owned();
    assert_eq!(administrator.post(&format!("users/{raised}/disable"), &json!({})).status, 200);
    assert_eq!(administrator.post(&format!("clients/{}/disable", disabled.id), &json!({})).status, 200);
    assert_eq!(administrator.post(&format!("organizations/{of_elsewhere}/disable"), &json!({})).status, 200);

    let dead = [&other, &ended, &epoch_raised, &of_client, &of_guest];
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
fn a_client_of_a_disabled_organization_is_told_by_its_id() {
    let server = Server::start(Database::Sqlite);
    let api = server.confidential_client().grants(["client_credentials"]).may_introspect().create();
    let administrator = Caller::administrator(&server);
    let made = administrator.post("organizations", &json!({ "name": "Elsewhere", "slug": "elsewhere" })).json();
    let organization = made["id"].as_str().unwrap().to_owned();
    let (slug, grants) = (organization.clone(), ["client_credentials"]);
    let machine = server.confidential_client().grants(grants).change(|new| new.organization = Some(slug)).create();
    let tokens = machine.client_credentials().ok();
    assert_eq!(administrator.post(&format!("organizations/{organization}/disable"), &json!({})).status, 200);
    let mut copy = Copy::default();
    within(std::time::Duration::from_secs(1), || {
        copy.take(&copy.ask(&api, "").ok());
        copy.says_dead(&tokens.claims("access_token"))
    });
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
    let plain = server.confidential_client().grants(["client_credentials"]).create();
    let headers = [("Client-ID", plain.id.as_str()), ("Client-Secret", plain.secret.as_str())];
    assert_eq!(server.get("/api/v1/revocations", &headers).status, 403);
}
