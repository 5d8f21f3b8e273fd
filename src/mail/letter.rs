//! What the messages say.

use crate::crypto::secret::SecretString;
use crate::model::mail::MailKind;
use crate::model::time::Timestamp;

/// What a message is about.
#[derive(Debug, Clone, Default)]
pub struct Subject {
    /// The username of whoever reads it.
    pub username: String,
    /// The name of the thing that it is about, such as an application.
    pub about: String,
    /// The link in it, and when that ends.
    pub link: Option<(SecretString, Timestamp)>,
}

/// A message as its reader sees it. Its text can hold a link.
#[derive(Debug, Clone)]
pub struct Letter {
    /// The line of the subject.
    pub subject: String,
    /// The text.
    pub text: SecretString,
}

impl Letter {
    /// Writes a message in the name of a brand.
    #[must_use]
    pub fn write(kind: MailKind, subject: &Subject, brand: &str, support: Option<&str>) -> Self {
        let Subject { username, about, .. } = subject;
        let (line, first, last) = match kind {
            MailKind::VerifyEmail => (
                "confirm your e-mail address".to_owned(),
                format!(
                    "An account was made for you at {brand}.\n\n    Username: {username}\n\n\
                     Open this link to confirm that this e-mail address is yours:"
                ),
                "If you did not expect this message, ignore it: without your confirmation the account stays closed.",
            ),
            MailKind::SetPassword => (
                "set your password".to_owned(),
                format!(
                    "Your e-mail address is confirmed.\n\n    Username: {username}\n\n\
                     Open this link to choose your password:"
                ),
                "Nobody but you will know the password. Do not pass the link on.",
            ),
            MailKind::ResetPassword => (
                "set a new password".to_owned(),
                format!(
                    "Somebody asked for a new password for your account at {brand}.\n\n    Username: {username}\n\n\
                     Open this link to choose one:"
                ),
                "If it was not you, ignore this message: your password stays as it is.",
            ),
            MailKind::SetUp => (
                "set up your account".to_owned(),
                format!("{brand} is ready.\n\n    Username: {username}\n\nOpen this link to choose your password:"),
                "Do not pass the link on.",
            ),
            MailKind::PasswordChanged => (
                "your password was changed".to_owned(),
                format!(
                    "The password of your account at {brand} was changed, and what was signed in with the old one is \
                     signed out.\n\n    Username: {username}"
                ),
                "If it was not you, tell your administrator at once.",
            ),
            MailKind::ApplicationApproved => (
                format!("{about} is approved"),
                format!("Your application {about} is approved. Its client id and secret are in the console."),
                "",
            ),
            MailKind::ApplicationDenied => (
                format!("{about} is denied"),
                format!("Your application {about} is denied. The console shows why."),
                "",
            ),
        };
        // Long enough for any message, so that the text never moves and leaves no copy of a link behind.
        let mut text = String::with_capacity(8192);
        text.push_str("Hello,\n\n");
        text.push_str(&first);
        text.push('\n');
        if let Some((link, expires_at)) = &subject.link {
            text.push_str("\n    ");
            text.push_str(link.expose());
            text.push_str("\n\nIt works once, until ");
            text.push_str(&minute(*expires_at));
            text.push_str(".\n");
        }
        for paragraph in [last, &support.map(|url| format!("Help: {url}")).unwrap_or_default(), brand] {
            if !paragraph.is_empty() {
                text.push('\n');
                text.push_str(paragraph);
                text.push('\n');
            }
        }
        Self { subject: format!("{brand}: {line}"), text: SecretString::new(text) }
    }
}

/// `2026-11-22 02:00 UTC`
fn minute(at: Timestamp) -> String {
    let text = at.rfc3339();
    format!("{} {} UTC", text.get(..10).unwrap_or_default(), text.get(11..16).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_names_the_username_the_link_and_its_end() {
        let link = SecretString::from("https://id.example.com/console/link#gr_ot_x");
        for kind in MailKind::ALL {
            let subject = Subject {
                username: "alice".to_owned(),
                about: "Billing".to_owned(),
                link: Some((link.clone(), Timestamp::from_seconds(0))),
            };
            let letter = Letter::write(*kind, &subject, "Example", Some("https://help.example.com"));
            let text = letter.text.expose();
            assert!(letter.subject.starts_with("Example: ") && letter.subject.len() < 70, "{}", letter.subject);
            assert!(text.contains("\n    https://id.example.com/console/link#gr_ot_x\n"), "{text}");
            assert!(text.contains("until 1970-01-01 00:00 UTC") && text.contains("help.example.com"), "{text}");
            assert!(text.contains("alice") || text.contains("Billing"), "{text}");
            assert!(text.lines().all(|line| line.len() < 200), "{text}");
        }
    }
}
