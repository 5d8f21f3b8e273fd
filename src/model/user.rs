//! Users: people who sign in, and accounts made for programs.

use unicode_normalization::is_nfc;

crate::words! {
    /// One table, two kinds.
    UserKind {
        /// Signs in to the console.
        Person = "person",
        /// An account for a program.
        ApiUser = "api_user",
    }
}

crate::words! {
    /// What a user may do with other users of the organization.
    Administration {
        /// Manages them.
        Admin = "admin",
        /// Sees and edits only their own profile.
        Basic = "basic",
    }
}

crate::words! {
    /// The life of a user: `invited → active ⇄ disabled`, `active ⇄ locked`, and `deleted` at the end of it.
    UserStatus {
        /// Not yet usable.
        Invited = "invited",
        /// Works.
        Active = "active",
        /// Stopped by an administrator.
        Disabled = "disabled",
        /// Stopped by too many failed sign-ins.
        Locked = "locked",
        /// Gone; the username is not given out again.
        Deleted = "deleted",
    }
}

impl UserStatus {
    /// Whether the life of a user has this step.
    #[must_use]
    pub fn may_become(self, next: Self) -> bool {
        use UserStatus::{Active, Deleted, Disabled, Invited, Locked};
        matches!(
            (self, next),
            (Invited | Disabled | Locked, Active) | (Active | Locked | Invited, Disabled) | (Active, Locked)
        ) || (self != Deleted && next == Deleted)
    }
}

crate::words! {
    /// Who chose a password decides how it is stored (`docs/security.md`).
    PasswordKind {
        /// A person chose it: bcrypt.
        Human = "human",
        /// The server generated it from 160 random bits or more: a keyed digest.
        Generated = "generated",
    }
}

/// A user with all that a decision about them needs.
#[derive(Debug, Clone)]
pub struct User {
    /// `UUIDv7`, as text; the `sub` of their tokens.
    pub id: String,
    /// The organization that they belong to.
    pub organization_id: String,
    /// Person or API user.
    pub kind: UserKind,
    /// Case-sensitive, immutable, unique.
    pub username: String,
    /// Display name.
    pub name: String,
    /// Given name.
    pub first_name: String,
    /// Family name.
    pub last_name: String,
    /// E-mail address.
    pub email: Option<String>,
    /// Whether a session of the console may start.
    pub access_console: bool,
    /// Whether tokens are issued and requests verified.
    pub access_api: bool,
    /// Where they are in their life.
    pub status: UserStatus,
    /// How the password is stored, and its hash or digest.
    pub password: Option<(PasswordKind, String)>,
    /// Raised by every change that must end their tokens.
    pub epoch: i64,
    /// What they may do with other users of the organization that they were made in.
    pub administration: Administration,
    /// The roles that they have in their organization.
    pub role_ids: Vec<String>,
}

/// A user's place in one organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// The organization.
    pub organization_id: String,
    /// The roles that the user has in it.
    pub role_ids: Vec<String>,
}

/// Why a text is not a username.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UsernameError {
    /// Nothing, or more than 255 bytes.
    #[error("has 1 to 255 bytes")]
    Length,
    /// RFC 7617 §2: a user-id with a colon cannot be told from the password.
    #[error("has no colon, since HTTP Basic splits there")]
    Colon,
    /// Two texts that look alike must not be two users.
    #[error("is in Unicode's NFC form, without control or zero-width characters and without space at its ends")]
    LookAlike,
    /// Where a user is named by username or by id, the one must not be another's other.
    #[error("is not a UUID: those are users' ids")]
    Id,
}

/// A username that may be given to a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Username(String);

impl Username {
    /// Checks a text.
    ///
    /// # Errors
    /// [`UsernameError`] says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, UsernameError> {
        if text.is_empty() || text.len() > 255 {
            return Err(UsernameError::Length);
        }
        if text.contains(':') {
            return Err(UsernameError::Colon);
        }
        let invisible = |c: char| {
            c.is_control()
                || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
        };
        if text.trim() != text || !is_nfc(text) || text.chars().any(invisible) {
            return Err(UsernameError::LookAlike);
        }
        if uuid::Uuid::parse_str(text).is_ok() {
            return Err(UsernameError::Id);
        }
        Ok(Self(text.to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_username_has_no_colon_no_invisible_character_and_one_form() {
        assert!(Username::parse("jürgen@example.com").is_ok());
        assert_eq!(Username::parse("a:b"), Err(UsernameError::Colon));
        assert_eq!(Username::parse("a\u{200b}b"), Err(UsernameError::LookAlike));
        assert_eq!(Username::parse("ju\u{308}rgen"), Err(UsernameError::LookAlike));
        assert_eq!(Username::parse(" a"), Err(UsernameError::LookAlike));
        assert_eq!(Username::parse(""), Err(UsernameError::Length));
        assert_eq!(Username::parse("01a200a1-1d21-7183-91d1-b0d38c87eec0"), Err(UsernameError::Id));
        assert!(Username::parse("01a200a1-1d21-7183-91d1-b0d38c87eec0@programmatic-users.example.com").is_ok());
    }

    #[test]
    fn only_an_active_user_is_locked() {
        assert!(UserStatus::Active.may_become(UserStatus::Locked));
        assert!(!UserStatus::Disabled.may_become(UserStatus::Locked));
    }
}
