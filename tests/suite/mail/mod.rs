//! Messages and one-time links, with a real SMTP server.

mod delivery;
mod journey;
mod links;
mod outbox;
mod resets;
mod smtp_server;

use grantor::admin::links::Letter;
use grantor::model::mail::OutboxMessage;
use grantor::model::user::{Administration, UserKind, UserStatus, Username};
use grantor::store::users::NewUser;
use grantor::store::{mail_outbox, users};

use crate::harness::{Answer, Server, ServerBuilder};
use crate::house::store::execute;

/// A server that sends through this one.
fn sends_through(builder: ServerBuilder, port: u16) -> ServerBuilder {
    builder
        .set("mail.smtp_url", format!("smtp://127.0.0.1:{port}"))
        .set("mail.from", "Example <no-reply@example.com>")
        .set("brand.name", "Example")
        .set("brand.support_url", "https://help.example.com")
}

/// Makes an invited user without a password and enqueues mail one, in one transaction; answers the user's id.
fn invited(server: &Server, username: &str, email: &str) -> String {
    let new = NewUser {
        id: grantor::crypto::identifier::uuid_v7(server.clock.now(), &server.context().random),
        organization_id: server.run(async |context, _| {
            grantor::admin::organizations::reached(context, &grantor::admin::Authority::operator(), None)
                .await
                .expect("an organization")
                .id
        }),
        kind: UserKind::Person,
        programmatic: false,
        username: Username::parse(username).expect("a username"),
        first_name: String::new(),
        last_name: String::new(),
        phone: None,
        name: String::new(),
        description: String::new(),
        email: Some(email.to_owned()),
        administration: Administration::Basic,
        access_console: false,
        access_api: true,
        status: UserStatus::Invited,
        password: None,
        role_ids: Vec::new(),
    };
    let (id, now) = (new.id.clone(), server.clock.now());
    server.run(async |context, _| {
        let letter = Letter::invitation(context, &new.id, email).expect("an address");
        let write = move |db: &mut grantor::store::Db| {
            users::create(db, &new, now)?;
            letter.enqueue(db)
        };
        context.store.write(write).await.expect("an invited user");
    });
    id
}

/// Runs a statement of a test's own.
fn statement(server: &Server, statement: String) {
    server.run(async |context, _| context.store.write(move |db| execute(db, &statement)).await.unwrap());
}

/// What is in the outbox, the oldest first.
pub fn outbox(server: &Server) -> Vec<OutboxMessage> {
    let mut all = server.run(async |context, _| context.store.read(|db| mail_outbox::list(db, 1000)).await).unwrap();
    all.reverse();
    all
}

/// The token in a link.
fn token_of(text: &str) -> String {
    let (_, after) = text.split_once("/console/link#").unwrap_or_else(|| panic!("no link in {text}"));
    after.split_whitespace().next().unwrap().to_owned()
}

/// The token of the newest message's link, as the operator is shown it.
pub fn newest_token(server: &Server) -> String {
    let id = outbox(server).pop().expect("a message").id;
    let by = grantor::admin::Authority::operator();
    let shown = server.run(async |context, _| grantor::admin::mail::show(context, &by, &id).await.unwrap());
    token_of(shown.letter.text.expose())
}

fn post_json(server: &Server, path: &str, body: &serde_json::Value) -> Answer {
    server.post_raw(path, "application/json", body.to_string().as_bytes(), &[])
}

pub fn redeem(server: &Server, body: &serde_json::Value) -> Answer {
    post_json(server, "/api/v1/links/redeem", body)
}

/// It must be the one refusal of a link.
#[track_caller]
pub fn is_refused_link(answer: &Answer) {
    assert_eq!(answer.status, 400, "{answer:?}");
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert_eq!(answer.json()["detail"], "the link is not valid, was used already, or has expired", "{answer:?}");
}
