//! From a letter to a message of RFC 5322, and by SMTP to the mail server.

use std::sync::OnceLock;
use std::time::{Duration, UNIX_EPOCH};

use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use url::{Host, Url};

use crate::config::{Brand, Mail, SmtpUrl};
use crate::mail::{Letter, Subject};
use crate::model::mail::MailKind;
use crate::model::time::Timestamp;

/// How long a mail server may take for one message.
const LONGEST: Duration = Duration::from_mins(1);

/// Whether a text is an address that a message can be sent to.
#[must_use]
pub fn is_address(text: &str) -> bool {
    is_one_line(text) && text.parse::<Address>().is_ok()
}

/// Whether a text can stand in a header: a line break would begin another one (RFC 5322 §2.2).
#[must_use]
pub fn is_one_line(text: &str) -> bool {
    !text.chars().any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}'))
}

/// Why a message was not sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotSent {
    /// Trying again may help.
    NotNow(String),
    /// The mail server will never take it.
    Never(String),
}

/// Writes messages and hands them to the mail server.
pub struct Mailer {
    brand: Brand,
    from: Option<String>,
    smtp_url: Option<SmtpUrl>,
    host: Host,
    // Made at the first message: it reads the system's certificates.
    transport: OnceLock<AsyncSmtpTransport<Tokio1Executor>>,
}

impl Mailer {
    /// From the configuration.
    #[must_use]
    pub fn new(mail: &Mail, brand: &Brand, issuer: &str) -> Self {
        let host = Url::parse(issuer).ok().and_then(|url| url.host().map(|host| host.to_owned()));
        Self {
            brand: brand.clone(),
            from: mail.from.clone(),
            smtp_url: mail.smtp_url.clone(),
            host: host.unwrap_or_else(|| Host::Domain("localhost".to_owned())),
            transport: OnceLock::new(),
        }
    }

    /// Whether there is a mail server.
    #[must_use]
    pub fn can_send(&self) -> bool {
        self.smtp_url.is_some() && self.from.is_some()
    }

    /// The sender, where one is set.
    #[must_use]
    pub fn from(&self) -> Option<&str> {
        self.from.as_deref()
    }

    /// Writes a message in this installation's name.
    #[must_use]
    pub fn write(&self, kind: MailKind, subject: &Subject) -> Letter {
        Letter::write(kind, subject, &self.brand.name, self.brand.support_url.as_deref())
    }

    /// Hands a message to the mail server. The id is the same at every attempt, so that a second copy, which is sent
    /// where a server took the first one and its answer was lost, can be told as one (RFC 5322 §3.6.4).
    ///
    /// # Errors
    /// [`NotSent`] in one line, without a link.
    pub async fn send(&self, id: &str, to: &str, letter: &Letter, now: Timestamp) -> Result<(), NotSent> {
        let message = self.message(id, to, letter, now)?;
        let transport = self.transport()?;
        match tokio::time::timeout(LONGEST, transport.send(message)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => {
                let why = one_line(&error);
                // 53z (RFC 4954 §6) speaks of our own credentials, which an operator can mend.
                let ours = error.status().is_some_and(|code| code.to_string().starts_with("53"));
                Err(if error.is_permanent() && !ours { NotSent::Never(why) } else { NotSent::NotNow(why) })
            }
            Err(_) => Err(NotSent::NotNow("the mail server took too long".to_owned())),
        }
    }

    fn message(&self, id: &str, to: &str, letter: &Letter, now: Timestamp) -> Result<Message, NotSent> {
        let never = |why: &str| NotSent::Never(why.to_owned());
        let from: Mailbox =
            self.from.as_deref().and_then(|from| from.parse().ok()).ok_or_else(|| never("mail.from is no sender"))?;
        let to: Address = to.parse().map_err(|_| never("the recipient is no address"))?;
        if !is_one_line(&letter.subject) {
            return Err(never("the subject is not one line"));
        }
        let date = UNIX_EPOCH + Duration::from_secs(u64::try_from(now.seconds()).unwrap_or_default());
        Message::builder()
            .from(from)
            .to(Mailbox::new(None, to))
            .subject(&letter.subject)
            .date(date)
            .message_id(Some(format!("<{id}@{}>", self.host)))
            .header(AutoSubmitted)
            .header(ContentType::TEXT_PLAIN)
            .body(letter.text.expose().to_owned())
            .map_err(|error| NotSent::Never(one_line(&error)))
    }

    fn transport(&self) -> Result<&AsyncSmtpTransport<Tokio1Executor>, NotSent> {
        if let Some(made) = self.transport.get() {
            return Ok(made);
        }
        let Some(url) = &self.smtp_url else {
            return Err(NotSent::NotNow("mail.smtp_url is not set".to_owned()));
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(&url.expose())
            .map_err(|error| NotSent::NotNow(one_line(&error)))?
            .timeout(Some(LONGEST / 2));
        if let Host::Domain(name) = &self.host {
            builder = builder.hello_name(ClientId::Domain(name.clone()));
        }
        let made = builder.build();
        Ok(self.transport.get_or_init(|| made))
    }
}

/// RFC 3834 §5: nobody's holiday notice answers it.
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

/// What the mail server said, and why: one line of at most 300 characters. A server that repeats the message in its
/// refusal does not bring a link into the outbox or the log.
fn one_line(error: &dyn std::error::Error) -> String {
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let more = inner.to_string();
        if !said.contains(&more) {
            said = format!("{said}: {more}");
        }
        cause = inner.source();
    }
    let words = said.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    let kept: Vec<&str> = words.map(|word| if word.contains("gr_ot_") { "(link)" } else { word }).collect();
    kept.join(" ").chars().take(300).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::secret::SecretString;

    fn mailer(name: &str) -> Mailer {
        let mail = Mail { smtp_url: None, from: Some("Exämple <no-reply@example.com>".to_owned()) };
        Mailer::new(
            &mail,
            &Brand { name: name.to_owned(), support_url: None, logo: None, colour: None },
            "https://id.example.com",
        )
    }

    #[test]
    fn a_message_has_the_headers_of_an_automatic_one() {
        let letter = Letter { subject: "Exämple: hello".to_owned(), text: SecretString::from("größer\n") };
        let message = mailer("x").message("an-id", "a@example.org", &letter, Timestamp::from_seconds(0)).unwrap();
        let text = String::from_utf8(message.formatted()).unwrap();
        for line in [
            "To: a@example.org\r\n",
            "Date: Thu, 01 Jan 1970 00:00:00 +0000\r\n",
            "Message-ID: <an-id@id.example.com>\r\n",
            "Auto-Submitted: auto-generated\r\n",
            "Content-Type: text/plain; charset=utf-8\r\n",
            "Subject: =?utf-8?b?",
        ] {
            assert!(text.contains(line), "no {line:?} in {text}");
        }
    }

    #[test]
    fn what_would_begin_another_header_is_refused() {
        let letter = |subject: &str| Letter { subject: subject.to_owned(), text: SecretString::from("x") };
        let sent = |to: &str, subject: &str| mailer("x").message("id", to, &letter(subject), Timestamp::default());
        assert!(sent("a@example.org", "x").is_ok());
        for (to, subject) in [
            ("a@example.org\r\nBcc: b@example.org", "x"),
            ("a@example.org, b@example.org", "x"),
            ("a@example.org", "x\r\nBcc: b@example.org"),
            ("a@example.org", "x\nBcc: b@example.org"),
        ] {
            assert!(matches!(sent(to, subject), Err(NotSent::Never(_))), "{to:?} {subject:?}");
        }
    }

    #[test]
    fn a_link_that_a_mail_server_repeats_is_not_kept() {
        let error = std::io::Error::other("550 refused\r\n<https://x/console/link#gr_ot_secret>: spam");
        assert_eq!(one_line(&error), "550 refused (link) spam");
    }
}
