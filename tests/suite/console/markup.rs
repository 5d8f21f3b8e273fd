//! Whatever people are called: markup in every name, and every page of the route table walked.

use grantor::admin::client_changes::{self, ClientChange};
use grantor::admin::roles::{self, RoleRequest};
use grantor::admin::{api_keys, clients, credentials, organizations, profiles, scopes};
use grantor::http::console::TABLE;
use grantor::model::scope::CatalogueScope;
use grantor::store::user_profiles::UserChange;
use rstest::rstest;

use super::proofs::Place;
use super::visitor::Visitor;

/// Leaves an element, an attribute in either quotation mark, and a script.
const NAME: &str = "</p><script>alert(1)</script>\"'><img src=x onerror=alert(2)>&lt;";

#[rstest]
fn no_name_is_markup_on_any_page() {
    let place = Place::with_one_of_everything();
    let name = || NAME.to_owned();
    place.server.run(async |context, by| {
        let change = UserChange {
            name: Some(name()),
            description: Some(name()),
            first_name: Some(name()),
            last_name: Some(name()),
            ..UserChange::default()
        };
        for user in [&place.administrator.id, &place.developer.id, place.id("{user}")] {
            profiles::update(context, by, user, &change).await.unwrap();
        }
        let change = ClientChange {
            label: Some(name()),
            description: Some(name()),
            purpose: Some(name()),
            ..ClientChange::default()
        };
        for client in ["{client}", "{waiting}", "{approved}"] {
            client_changes::update(context, by, place.id(client), &change).await.unwrap();
        }
        let role = RoleRequest { name: name(), description: name(), permissions: vec!["api:access".to_owned()] };
        roles::update(context, by, None, place.id("{role}"), &role).await.unwrap();
        organizations::rename(context, by, place.id("{organization}"), NAME).await.unwrap();
        let scope = CatalogueScope {
            name: "orders:read".to_owned(),
            description: name(),
            requires_approval: true,
            audience: None,
        };
        scopes::update(context, by, scope).await.unwrap();
        credentials::create(context, by, NAME, NAME, &[]).await.unwrap();
        for user in [&place.administrator.id, place.id("{user}")] {
            let new = api_keys::NewApiKey {
                user: Some((*user).to_owned()),
                name: Some(name()),
                organization: None,
                scopes: None,
                expires_at: None,
                networks: Vec::new(),
                reveal: grantor::model::reveal::RevealPolicy::Once,
            };
            api_keys::create(context, by, &new).await.unwrap();
        }
        clients::deny(context, by, place.id("{waiting}"), NAME).await.unwrap();
    });
    // A browser may call itself what it likes.
    let own = Visitor::signed_in(&place.server, &place.developer);
    own.post(
        &format!("/console/applications/{}/scopes", place.id("{approved}")),
        &[("scope", "orders:read"), ("justification", NAME)],
    );
    let admin = Visitor::signed_in(&place.server, &place.administrator);
    admin.post(&format!("/console/applications/{}/secrets", place.id("{client}")), &[("label", NAME)]).ok();
    let mut named = 0;
    for (path, ..) in TABLE.iter().filter(|(path, methods, _)| methods.contains("GET") && path.starts_with("/console/"))
    {
        if path.ends_with("{name}") || path.ends_with("{format}") {
            continue;
        }
        let path = place.filled(path);
        let page = admin.get(&path);
        assert!(matches!(page.status, 200 | 303), "{path}: {page:?}");
        assert!(!page.body.contains("<script>alert") && !page.body.contains("<img src=x"), "{path}: {}", page.body);
        // What can be scrolled is reached without a mouse, and says what it is.
        let scrolls = page.body.matches("class=\"scroll\"").count();
        let reached = page.body.matches("class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label").count();
        assert_eq!(scrolls, reached, "{path}");
        named += usize::from(page.body.contains("&#60;script&#62;alert") || page.body.contains("&lt;script&gt;alert"));
    }
    assert!(named > 20, "{named} pages show a name");
    // What is searched for stands on the page too.
    for list in ["applications", "credentials", "scopes", "users", "audit"] {
        let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("q", NAME).finish();
        admin.get(&format!("/console/{list}?{query}&actor={query}")).ok();
    }
}
