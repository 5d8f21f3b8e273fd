//! What a new user's profile must hold.

use regex_lite::{Regex, RegexBuilder};

crate::words! {
    /// A part of a user's profile that can be asked for.
    ProfileField {
        /// The username, which every user has.
        Username = "username",
        /// Given name.
        FirstName = "first_name",
        /// Family name.
        LastName = "last_name",
        /// E-mail address.
        Email = "email",
        /// Telephone number.
        Phone = "phone",
    }
}

/// The longest pattern, in bytes.
const LONGEST_PATTERN: usize = 200;

/// Bytes that a pattern may take up once it is compiled.
const COMPILED_PATTERN: usize = 64 * 1024;

/// The longest telephone number that is looked at, in bytes.
const LONGEST_PHONE: usize = 64;

/// Why a text is no pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PhonePatternError {
    /// Nothing, or too much.
    #[error("must be a regular expression of 1 to 200 bytes")]
    Length,
    /// It cannot be compiled.
    #[error("is not a regular expression: {0}")]
    Syntax(String),
}

/// How a telephone number is written: a regular expression that all of it must match.
#[derive(Debug, Clone)]
pub struct PhonePattern {
    text: String,
    compiled: Regex,
}

impl PhonePattern {
    /// Compiles a regular expression. Matching takes time in proportion to the number's length, whatever the expression.
    ///
    /// # Errors
    /// [`PhonePatternError`] says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, PhonePatternError> {
        if text.is_empty() || text.len() > LONGEST_PATTERN {
            return Err(PhonePatternError::Length);
        }
        let compile = |text: &str| {
            let compiled = RegexBuilder::new(text).size_limit(COMPILED_PATTERN).build();
            compiled.map_err(|cause| PhonePatternError::Syntax(cause.to_string()))
        };
        // By itself first: `a)|(b` is an expression only inside the group that anchors it.
        compile(text)?;
        Ok(Self { text: text.to_owned(), compiled: compile(&format!("^(?:{text})$"))? })
    }

    /// The expression as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether a telephone number is written so, from its first character to its last.
    #[must_use]
    pub fn accepts(&self, phone: &str) -> bool {
        phone.len() <= LONGEST_PHONE && self.compiled.is_match(phone)
    }
}

/// What a profile must hold, and how.
#[derive(Debug, Clone)]
pub struct ProfileRules {
    /// The parts that must be there.
    pub required: Vec<ProfileField>,
    /// How a telephone number is written, wherever there is one.
    pub phone: PhonePattern,
}

/// What is wrong with one part of a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProfileFault {
    /// It is not there.
    #[error("is required")]
    Missing,
    /// It is a telephone number in another form than the pattern's.
    #[error("is not written as telephone numbers are here")]
    PhoneForm,
}

impl ProfileRules {
    /// What is wrong with a profile: every fault, so that a form can show them all at once. `given` answers the text of
    /// a part; an empty one is none.
    pub fn faults<'a>(&self, given: impl Fn(ProfileField) -> Option<&'a str>) -> Vec<(ProfileField, ProfileFault)> {
        let text = |field| given(field).filter(|text| !text.trim().is_empty());
        let mut faults: Vec<_> =
            self.required.iter().filter(|field| text(**field).is_none()).map(|f| (*f, ProfileFault::Missing)).collect();
        if text(ProfileField::Phone).is_some_and(|phone| !self.phone.accepts(phone)) {
            faults.push((ProfileField::Phone, ProfileFault::PhoneForm));
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_must_match_the_whole_number() {
        let ten = PhonePattern::parse("[0-9]{10}").unwrap();
        assert!(ten.accepts("9195551234"));
        for wrong in ["", "919555123", "91955512345", "+19195551234", "919-555-1234", "9195551234\n", "x9195551234"] {
            assert!(!ten.accepts(wrong), "{wrong:?}");
        }
        let either = PhonePattern::parse("1|22").unwrap();
        assert!(either.accepts("1") && either.accepts("22") && !either.accepts("12") && !either.accepts("122"));
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        assert_eq!(PhonePattern::parse("").unwrap_err(), PhonePatternError::Length);
        assert_eq!(PhonePattern::parse(&"1".repeat(201)).unwrap_err(), PhonePatternError::Length);
        for wrong in ["[0-9", "a)|(b", "(", "[0-9]{1000}{1000}", "(?x) 1 # a comment that would swallow the anchor"] {
            assert!(matches!(PhonePattern::parse(wrong), Err(PhonePatternError::Syntax(_))), "{wrong}");
        }
    }

    #[test]
    fn a_profile_is_told_everything_that_is_wrong_with_it_at_once() {
        use ProfileField::{Email, FirstName, LastName, Phone, Username};
        let phone = PhonePattern::parse("[0-9]{10}").unwrap();
        let rules = ProfileRules { required: vec![Username, FirstName, LastName, Email, Phone], phone };
        let given = |field| match field {
            Username => Some("jdoe"),
            FirstName => Some(" "),
            Phone => Some("555"),
            _ => None,
        };
        let (missing, form) = (ProfileFault::Missing, ProfileFault::PhoneForm);
        assert_eq!(rules.faults(given), [(FirstName, missing), (LastName, missing), (Email, missing), (Phone, form)]);
        let rules = ProfileRules { required: vec![Username], ..rules };
        assert!(rules.faults(|field| (field == Username).then_some("jdoe")).is_empty());
    }
}
