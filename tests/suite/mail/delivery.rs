//! Nothing is lost, and nothing is sent twice.

use std::collections::BTreeSet;
use std::time::Duration;

use grantor::model::mail::MailStatus;
use rstest::rstest;

use super::smtp_server::{MailServer, header};
use super::{invited, outbox, sends_through};
use crate::clients::program::output_of;
use crate::harness::{Answer, Database, Installation, Server, agent, missing, program};
use crate::house::registry::within;

const LONG: Duration = Duration::from_secs(30);

#[rstest]
fn a_mail_server_that_was_away_gets_every_message_once_after_a_restart_and_from_two_nodes(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let Some(mut mail) = MailServer::stopped() else { return };
    let server = sends_through(Server::with(db), mail.port).start();
    let other = server.second_node();
    for number in 0..12 {
        invited(&server, &format!("user-{number}"), &format!("user-{number}@example.org"));
    }
    within(LONG, || outbox(&server).iter().all(|message| message.attempts > 0 && message.last_error.is_some()));
    assert!(outbox(&server).iter().all(|message| message.status == MailStatus::Queued));
    let server = server.restart();
    mail.start();
    server.clock.advance(3600);
    within(LONG, || outbox(&server).iter().all(|message| message.status == MailStatus::Sent));
    // Whoever else believed to have a message would have sent it by now.
    std::thread::sleep(Duration::from_secs(2));
    server.clock.advance(3600);
    std::thread::sleep(Duration::from_secs(2));
    let messages = mail.messages();
    let recipients: BTreeSet<String> = messages.iter().map(|message| message["to"][0].to_string()).collect();
    let ids: BTreeSet<String> = messages.iter().map(|message| header(message, "message-id")).collect();
    assert_eq!((messages.len(), recipients.len(), ids.len()), (12, 12, 12));
    let of = |node: &Server| Answer::of(agent().get(format!("{}/metrics", node.private_base())).call()).ok().body;
    for page in [of(&server), of(&other)] {
        assert!(page.contains("grantor_mail_queued 0\n") && page.contains("grantor_mail_failed 0\n"), "{page}");
    }
}

#[rstest]
fn a_refusal_for_now_is_tried_again_and_one_for_ever_is_not(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let Some(mail) = MailServer::started() else { return };
    let server = sends_through(Server::with(db), mail.port).start();
    mail.set("answer", Some("451 4.3.0 not now, but thank you for LINK"));
    invited(&server, "later", "later@example.org");
    within(LONG, || outbox(&server)[0].last_error.is_some());
    let waiting = outbox(&server).remove(0);
    assert_eq!((waiting.status, waiting.attempts), (MailStatus::Queued, 1));
    let said = waiting.last_error.unwrap();
    assert!(said.contains("not now") && !said.contains("gr_ot_"), "{said}");
    // The wait doubles.
    server.clock.advance(16);
    within(LONG, || {
        // Thirty seconds; the lease of an attempt that still runs is longer.
        let (message, now) = (outbox(&server).remove(0), server.clock.now());
        let wait = message.next_attempt_at.micros_since(now);
        message.attempts == 2 && (1..=30_000_000).contains(&wait)
    });
    mail.set("answer", Some("550 5.1.1 no such user: LINK"));
    invited(&server, "never", "never@example.org");
    within(LONG, || outbox(&server)[1].status == MailStatus::Failed);
    let failed = outbox(&server).remove(1);
    assert!(failed.last_error.as_ref().unwrap().contains("no such user") && failed.attempts == 1, "{failed:?}");
    assert!(!failed.last_error.unwrap().contains("gr_ot_"));
    mail.set("answer", None);
    server.clock.advance(3600);
    assert_eq!(mail.nth(1)["to"][0], "later@example.org");
    server.clock.advance(86_400);
    std::thread::sleep(Duration::from_millis(1500));
    assert_eq!(mail.messages().len(), 1);
    let page = Answer::of(agent().get(format!("{}/metrics", server.private_base())).call()).ok().body;
    for line in [
        "grantor_mail_queued 0\n",
        "grantor_mail_failed 1\n",
        "grantor_mail_total{outcome=\"sent\"} 1\n",
        "grantor_mail_total{outcome=\"put_off\"} 2\n",
        "grantor_mail_total{outcome=\"failed\"} 1\n",
    ] {
        assert!(page.contains(line), "no {line} in {page}");
    }
}

#[rstest]
fn a_message_whose_link_is_over_is_not_sent(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let Some(mut mail) = MailServer::stopped() else { return };
    let server = sends_through(Server::with(db), mail.port).start();
    let by = grantor::admin::Authority::operator();
    invited(&server, "again", "again@example.org");
    server.run(async |context, _| grantor::admin::links::resend(context, &by, "again").await).unwrap();
    invited(&server, "late", "late@example.org");
    within(LONG, || outbox(&server).iter().all(|message| message.last_error.is_some()));
    mail.start();
    server.clock.advance(7 * 86_400 + 1);
    within(LONG, || outbox(&server).iter().all(|message| message.status == MailStatus::Failed));
    let messages = outbox(&server);
    // It may have been put off once before the other one took its place.
    assert!(messages[0].last_error.as_deref().unwrap().contains("another one has taken its place"), "{messages:?}");
    assert!(messages[2].last_error.as_deref().unwrap().contains("expired"), "{messages:?}");
    assert!(mail.messages().is_empty());
}

/// An installation with a user whose address is verified.
fn with_user(db: Database, port: u16) -> Installation {
    let mut server = Installation::new(db);
    server.set("mail.smtp_url", format!("smtp://127.0.0.1:{port}"));
    server.set("mail.from", "no-reply@example.com");
    let arguments = ["user", "create", "--username", "zoe", "--email", "zoe@example.org", "--password-stdin"];
    assert!(server.run_with(&arguments, "a fine long passphrase").status.success());
    server
}

#[rstest]
fn a_message_that_is_being_taken_when_the_server_is_told_to_stop_is_sent_once(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let Some(mail) = MailServer::started() else { return };
    let mut server = with_user(db, mail.port);
    mail.set("delay", Some("2"));
    server.start();
    server.json(&["user", "send-reset", "zoe"]);
    within(LONG, || mail.begun() == 1);
    assert_eq!(server.stop(), Some(0));
    assert_eq!(mail.messages().len(), 1);
    assert_eq!(server.json(&["mail", "list"])[0]["status"], "sent");
    server.start();
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(mail.begun(), 1);
}

#[rstest]
fn a_message_that_waits_outlives_a_killed_server(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let Some(mut mail) = MailServer::stopped() else { return };
    let mut server = with_user(db, mail.port);
    server.start();
    server.json(&["user", "send-reset", "zoe"]);
    within(LONG, || server.json(&["mail", "list"])[0]["last_error"].is_string());
    server.kill();
    mail.start();
    server.start();
    // Its second attempt is due fifteen seconds after the first.
    assert_eq!(mail.nth(1)["to"][0], "zoe@example.org");
    within(LONG, || server.json(&["mail", "list"])[0]["status"] == "sent");
}

#[test]
fn starttls_is_taken_where_it_is_offered_and_the_password_comes_after_it() {
    let Some(openssl) = program("openssl") else { return missing("openssl") };
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = (folder.path().join("certificate.pem"), folder.path().join("key.pem"));
    output_of(
        std::process::Command::new(openssl)
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"])
            .args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"])
            .args(["-addext", "basicConstraints=critical,CA:FALSE", "-keyout"])
            .arg(&key)
            .arg("-out")
            .arg(&certificate),
    );
    let Some(mail) = MailServer::stopped() else { return };
    let mut mail = mail.insists_on(&certificate, &key, "me@example.com", "hunter2/hunter2");
    mail.start();
    let mut server = with_user(Database::Sqlite, mail.port);
    let url = server.path().join("smtp-url");
    std::fs::write(&url, format!("smtp://me%40example.com:hunter2%2Fhunter2@localhost:{}\n", mail.port)).unwrap();
    server.unset("mail.smtp_url");
    server.set("mail.smtp_url_file", url.display());
    server.set("log.level", "trace");
    // Nobody vouches for the certificate: nothing is sent.
    server.start();
    server.json(&["user", "send-reset", "zoe"]);
    within(LONG, || server.json(&["mail", "list"])[0]["last_error"].is_string());
    let said = server.json(&["mail", "list"])[0]["last_error"].to_string();
    assert!(said.contains("certificate") && mail.messages().is_empty(), "{said}");
    server.stop();
    server.variable("SSL_CERT_FILE", certificate.display());
    server.start();
    let message = mail.nth(1);
    assert_eq!((&message["tls"], &message["authenticated"]), (&true.into(), &true.into()));
    server.stop();
    let log = server.log();
    assert!(log.contains("a message is sent") && log.contains("TRACE"), "{log}");
    assert!(!log.contains("hunter2") && !log.contains("gr_ot_"), "{log}");
}
