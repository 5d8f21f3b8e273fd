//! The outbox as an operator sees it, and what must not be in it.

use grantor::admin::AdminError;
use grantor::admin::links::{self, Letter};
use grantor::admin::mail::{self, Message};
use grantor::admin::{Authority, maintenance};
use grantor::model::audit::Actor;
use rstest::rstest;
use serde_json::json;

use super::smtp_server::MailServer;
use super::{invited, newest_token, outbox, redeem, token_of};
use crate::harness::{Answer, Database, Installation, Server, agent};
use crate::security::canaries::{database_bytes, finds};

fn user_create(installation: &Installation, name: &str, email: &str) {
    let arguments = ["user", "create", "--username", name, "--email", email, "--password-stdin"];
    let made = installation.run_with(&arguments, "a fine long passphrase");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

#[rstest]
fn without_a_mail_server_messages_stay_where_the_operator_can_read_them(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let mut server = Installation::new(db);
    server.start();
    user_create(&server, "zoe", "zoe@example.org");
    let sent = server.json(&["user", "send-reset", "zoe"]);
    assert_eq!((&sent["username"], &sent["email"]), (&json!("zoe"), &json!("zoe@example.org")));
    std::thread::sleep(std::time::Duration::from_millis(1500));
    let listed = server.json(&["mail", "list"]);
    assert_eq!(listed.as_array().unwrap().len(), 1);
    assert_eq!((&listed[0]["status"], &listed[0]["attempts"]), (&json!("queued"), &json!(0)));
    assert_eq!((&listed[0]["kind"], &listed[0]["recipient"]), (&json!("reset_password"), &json!("zoe@example.org")));
    assert!(!listed.to_string().contains("gr_ot_"), "{listed}");
    let id = listed[0]["id"].as_str().unwrap();
    let shown = server.json(&["mail", "show", id]);
    let (link, text) = (shown["link"].as_str().unwrap(), shown["text"].as_str().unwrap());
    assert!(link.starts_with(&format!("{}/console/link#gr_ot_", server.base())) && text.contains(link), "{shown}");
    assert_eq!(shown["subject"], "Grantor: set a new password");
    let printed = String::from_utf8(server.run(&["mail", "show", id]).stdout).unwrap();
    assert!(printed.contains("To: zoe@example.org\n") && printed.contains(link), "{printed}");
    assert!(String::from_utf8(server.run(&["mail", "list"]).stdout).unwrap().contains("reset_password"));

    let body = json!({ "token": token_of(link), "password": "correct-horse-battery-staple" }).to_string();
    let request = agent().post(format!("{}/api/v1/links/redeem", server.base()));
    Answer::of(request.header("Content-Type", "application/json").send(body.as_bytes())).ok();

    for (arguments, wanted) in [
        (&["mail", "show", "nothing"][..], "there is no mail `nothing` (grantor mail list shows what there is)"),
        (&["user", "invite", "zoe"], "is verified: 'grantor user send-reset'"),
        (&["user", "invite", "admin"], "admin has no e-mail address"),
        (&["user", "send-reset", "nobody"], "there is no user `nobody`"),
    ] {
        let output = server.run(arguments);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(1) && said.contains(wanted), "{arguments:?}: {said}");
    }
}

#[rstest]
fn a_link_stands_neither_in_the_database_nor_in_the_log(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let Some(smtp) = MailServer::started() else { return };
    let mut server = Installation::new(db);
    server.set("mail.smtp_url", format!("smtp://127.0.0.1:{}", smtp.port));
    server.set("mail.from", "no-reply@example.com");
    server.set("log.level", "trace");
    server.start();
    let mut secrets = Vec::new();
    for number in 1..=3 {
        user_create(&server, &format!("user-{number}"), &format!("user-{number}@example.org"));
        server.json(&["user", "send-reset", &format!("user-{number}")]);
        let token = token_of(smtp.nth(number)["text"].as_str().unwrap());
        let (body, checksum) = token["gr_ot_".len()..].rsplit_once('_').unwrap();
        assert_eq!((body.len(), checksum.len()), (43, 6));
        // In the query string, where it does not belong.
        server.get(&format!("/console/link?{token}"), &[]);
        secrets.push(body.to_owned());
        // The last one is used; what was only sent must be as well hidden.
        if number == 3 {
            let body = json!({ "token": token, "password": "correct-horse-battery-staple" }).to_string();
            let request = agent().post(format!("{}/api/v1/links/redeem", server.base()));
            Answer::of(request.header("Content-Type", "application/json").send(body.as_bytes())).ok();
        }
    }
    let url = server.database_url();
    let look = |bytes: &[u8], place: &str| {
        assert!(finds(bytes, b"user-1@example.org") || finds(bytes, b"a message is sent"), "{place} is empty");
        for secret in &secrets {
            assert!(!finds(bytes, secret.as_bytes()), "a link stands in {place}");
        }
    };
    look(&database_bytes(&server, &url), "the database of a running server");
    assert_eq!(server.stop(), Some(0));
    look(&database_bytes(&server, &url), "the database of a stopped server");
    look(server.log().as_bytes(), "the log");
    assert_eq!(secrets.len(), 3);
}

#[rstest]
fn a_text_that_would_begin_another_header_is_refused(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::with(db).start();
    server.run(async |context, _| {
        for email in ["a@example.org\r\nBcc: b@example.org", "a@example.org,b@example.org", "a@", "a b@example.org"] {
            let refused = Letter::invitation(context, "id", email).map(|_| ());
            assert!(matches!(refused, Err(AdminError::Invalid(_))), "{email:?}: {refused:?}");
        }
        for label in ["Billing\r\nBcc: b@example.org", "Billing\nx", "Billing\u{2028}x"] {
            let refused = Message::about_application(context, true, "id", "a@example.org", label).map(|_| ());
            assert!(matches!(refused, Err(AdminError::Invalid(_))), "{label:?}: {refused:?}");
        }
        Message::about_application(context, true, "id", "a@example.org", "Bílling: for <you>").unwrap();
    });
}

#[rstest]
fn a_message_about_an_application_reaches_its_owner(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let Some(smtp) = MailServer::started() else { return };
    let server = super::sends_through(Server::with(db), smtp.port).start();
    let owner = server.person().change(|new| new.email = Some("zoe@example.org".to_owned())).create();
    for (number, approved, subject) in
        [(1, true, "Example: Bílling is approved"), (2, false, "Example: Bílling is denied")]
    {
        server.run(async |context, _| {
            let message =
                Message::about_application(context, approved, &owner.id, "zoe@example.org", "Bílling").unwrap();
            context.store.write(move |db| mail::enqueue(db, &message)).await.unwrap();
        });
        let message = smtp.nth(number);
        assert_eq!(super::smtp_server::header(&message, "subject"), subject);
        assert!(message["text"].as_str().unwrap().contains("Your application Bílling is"), "{message}");
    }
}

#[rstest]
fn who_may_send_and_who_may_read(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::with(db).start();
    let id = invited(&server, "jdoe", "jdoe@example.org");
    let message = outbox(&server).remove(0).id;
    server.run(async |context, by| {
        let own = grantor::admin::organizations::reached(context, by, None).await.unwrap().id;
        let by = |organization: &str, permissions: &[&str]| {
            let permissions = permissions.iter().map(|one| (*one).to_owned()).collect();
            Authority::in_organization(Actor::server(), organization.to_owned(), None, permissions)
        };
        let manager = by(&own, &["users:manage"]);
        let without = links::invite(context, &by(&own, &["roles:manage"]), &id).await;
        assert!(matches!(without, Err(AdminError::Forbidden(_))), "{without:?}");
        let elsewhere = links::invite(context, &by("another", &["users:manage"]), &id).await;
        assert!(matches!(elsewhere, Err(AdminError::NotFound { .. })), "{elsewhere:?}");
        links::resend(context, &manager, &id).await.unwrap();
        // The outbox shows links: an administrator of one organization is not its operator.
        assert!(matches!(mail::list(context, &manager).await, Err(AdminError::Forbidden(_))));
        assert!(matches!(mail::show(context, &manager, &message).await, Err(AdminError::Forbidden(_))));
        mail::show(context, &Authority::operator(), &message).await.unwrap();
    });
    assert_eq!(outbox(&server).len(), 2);
}

#[rstest]
fn what_is_long_over_is_forgotten_and_what_waits_is_not(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::with(db).start();
    invited(&server, "jdoe", "jdoe@example.org");
    redeem(&server, &json!({ "token": newest_token(&server) })).ok();
    super::statement(&server, "UPDATE mail_outbox SET status = 'sent' WHERE kind = 'verify_email'".to_owned());
    let round = || server.run(async |context, _| maintenance::round(context).await.unwrap());
    round();
    assert_eq!(outbox(&server).len(), 2);
    server.clock.advance(40 * 86_400);
    round();
    let left = outbox(&server);
    assert_eq!((left.len(), left[0].kind.as_str()), (1, "set_password"));
}

#[test]
fn user_and_password_of_the_mail_server_are_not_printed() {
    let mut installation = Installation::new(Database::Sqlite);
    installation.set("mail.from", "no-reply@example.com");
    installation.set("mail.smtp_url", "smtp://hunter1:hunter2@mail.example.com:587");
    let printed = installation.json(&["config", "print"]);
    assert_eq!(printed["mail"]["smtp_url"], "smtp://***@mail.example.com:587");
    let file = installation.path().join("smtp-url");
    installation.set("mail.smtp_url_file", file.display());
    installation.unset("mail.smtp_url");
    for (text, good) in
        [("smtps://hunter1:hunter2@mail.example.com", true), ("hunter1:hunter2@mail.example.com", false)]
    {
        std::fs::write(&file, format!("{text}\n")).unwrap();
        for command in [&["config", "print"][..], &["config", "check"], &["doctor"]] {
            let output = installation.run(command);
            let said =
                format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            assert!(!said.contains("hunter"), "{said}");
            assert!(good || said.contains("mail.smtp_url_file"), "{said}");
        }
    }
    installation.unset("mail.from");
    std::fs::write(&file, "smtps://hunter1:hunter2@mail.example.com").unwrap();
    let said = String::from_utf8(installation.run(&["config", "check"]).stderr).unwrap();
    assert!(said.contains("mail.from") && said.lines().count() == 1 && !said.contains("hunter"), "{said}");
}
