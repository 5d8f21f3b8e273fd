//! Outgoing mail: the server and the sender.

use std::fmt;
use std::net::IpAddr;

use lettre::message::Mailbox;
use url::Url;

use crate::config::error::Refused;
use crate::config::parsed;
use crate::config::resolve::{not_empty, secret_file};

/// `[mail]`: outgoing mail.
#[derive(Debug, Clone)]
pub struct Mail {
    /// The mail server; none keeps messages in the outbox.
    pub smtp_url: Option<SmtpUrl>,
    /// The sender, `Name <address>`.
    pub from: Option<String>,
}

/// Where the mail server is, and how to sign in to it. Its `Debug` hides user and password.
#[derive(Clone, PartialEq, Eq)]
pub struct SmtpUrl(Url);

impl SmtpUrl {
    /// Reads `smtp://…` or `smtps://…`.
    ///
    /// # Errors
    /// The reason and the fix. It never repeats the text, which can hold a password.
    fn parse(text: &str) -> Result<Self, String> {
        let forms = "write \"smtp://mail.example.com:587\" or \"smtps://user:password@mail.example.com\"";
        let refused = |why: &str| Err(format!("{why}; {forms}"));
        let Ok(url) = Url::parse(text) else { return refused("is not a URL") };
        if !matches!(url.scheme(), "smtp" | "smtps") {
            return refused("does not start with smtp:// or smtps://");
        }
        if url.host_str().is_none_or(str::is_empty) {
            return refused("names no server");
        }
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return refused("has more than a server; escape '/', '?' and '#' in a password as %2F, %3F and %23");
        }
        Ok(Self(url))
    }

    /// The URL with user and password in it, and how TLS is used (`tls`) as `lettre` reads it. Never log it.
    #[must_use]
    pub fn expose(&self) -> String {
        let mut url = self.0.clone();
        if url.scheme() == "smtp" {
            // Who takes the offer of STARTTLS out of the conversation must not be given the password for it.
            let insists = !url.username().is_empty() && !self.is_loopback();
            if url.port().is_none() {
                // 587 is what `lettre` would take; RFC 5321 §4.5.4.2 has 25.
                let _ = url.set_port(Some(if url.username().is_empty() { 25 } else { 587 }));
            }
            url.set_query(Some(if insists { "tls=required" } else { "tls=opportunistic" }));
        }
        url.into()
    }

    /// The URL without user and password: for logs and for people.
    #[must_use]
    pub fn redacted(&self) -> String {
        let (scheme, host) = (self.0.scheme(), self.0.host_str().unwrap_or_default());
        let user = if self.0.username().is_empty() && self.0.password().is_none() { "" } else { "***@" };
        let port = self.0.port().map(|port| format!(":{port}")).unwrap_or_default();
        format!("{scheme}://{user}{host}{port}")
    }

    fn is_loopback(&self) -> bool {
        let host = self.0.host_str().unwrap_or_default().trim_matches(['[', ']']);
        // RFC 6761 §6.3
        host == "localhost"
            || host.ends_with(".localhost")
            || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

impl fmt::Debug for SmtpUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}", self.redacted())
    }
}

pub(crate) fn mail(parsed: parsed::Mail) -> Result<Mail, Refused> {
    let smtp_url = match (parsed.smtp_url_file, not_empty("mail.smtp_url", parsed.smtp_url)?) {
        (Some(path), _) => {
            let key = "mail.smtp_url_file";
            let text = secret_file(key, &path)?;
            Some(SmtpUrl::parse(text.trim()).map_err(|fix| Refused::new(key, format!("the URL in that file {fix}")))?)
        }
        (None, Some(url)) => Some(SmtpUrl::parse(&url).map_err(|fix| Refused::new("mail.smtp_url", fix))?),
        (None, None) => None,
    };
    let from = not_empty("mail.from", parsed.from)?;
    let example = "write for instance \"Example <no-reply@example.com>\"";
    match &from {
        None if smtp_url.is_some() => {
            let fix = format!("is required because `mail.smtp_url` is set; {example}");
            return Err(Refused::new("mail.from", fix));
        }
        Some(from) if from.contains(char::is_control) || from.parse::<Mailbox>().is_err() => {
            return Err(Refused::new("mail.from", format!("is not a sender; {example}")));
        }
        _ => {}
    }
    Ok(Mail { smtp_url, from })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_and_password_of_the_mail_server_are_never_shown() {
        for (url, shown) in [
            ("smtp://mail.example.com", "smtp://mail.example.com"),
            ("smtps://me:hunter2@mail.example.com:465", "smtps://***@mail.example.com:465"),
            ("smtp://:hunter2@mail.example.com", "smtp://***@mail.example.com"),
            ("smtp://me%40example.com:hun%2Fter2@[::1]:25/", "smtp://***@[::1]:25"),
        ] {
            let parsed = SmtpUrl::parse(url).unwrap();
            assert_eq!(parsed.redacted(), shown);
            assert_eq!(format!("{parsed:?}"), format!("{shown:?}"));
        }
        for wrong in [
            "mail.example.com",
            "http://me:hunter2@h",
            "smtp:hunter2",
            "smtp://me:hunter2@h?tls=none",
            "smtp://me:hun/ter2@h",
            "smtp://me:hunter2@",
        ] {
            let fix = SmtpUrl::parse(wrong).unwrap_err();
            assert!(fix.contains("smtps://user:password@") && !fix.contains("hunter2"), "{fix}");
        }
    }

    #[test]
    fn a_password_leaves_this_machine_under_tls_or_not_at_all() {
        let exposed = |url: &str| SmtpUrl::parse(url).unwrap().expose();
        assert_eq!(exposed("smtp://a:b@h.example"), "smtp://a:b@h.example:587?tls=required");
        assert_eq!(exposed("smtp://h.example"), "smtp://h.example:25?tls=opportunistic");
        assert_eq!(exposed("smtp://a:b@127.0.0.1:25"), "smtp://a:b@127.0.0.1:25?tls=opportunistic");
        assert_eq!(exposed("smtp://a:b@localhost.example"), "smtp://a:b@localhost.example:587?tls=required");
        assert_eq!(exposed("smtps://a:b@h.example"), "smtps://a:b@h.example");
    }

    #[test]
    fn a_sender_is_one_line() {
        let with = |from: &str| {
            mail(parsed::Mail {
                smtp_url: Some("smtp://h".to_owned()),
                smtp_url_file: None,
                from: Some(from.to_owned()),
            })
        };
        assert!(with("Example <no-reply@example.com>").is_ok() && with("no-reply@example.com").is_ok());
        for wrong in ["nobody", "a@b\r\nBcc: c@d", "Example\r\nBcc: c@d <a@b>", " "] {
            assert_eq!(with(wrong).unwrap_err().key, "mail.from", "{wrong:?}");
        }
    }
}
