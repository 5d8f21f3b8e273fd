//! Scopes: the catalogue's entries, and sets of them as they travel (RFC 6749 §3.3).

use std::collections::BTreeSet;
use std::fmt;

/// Asks for an ID token (OpenID Connect Core §3.1.2.1).
pub const OPENID: &str = "openid";
/// Asks for a refresh token beyond the session (OpenID Connect Core §11).
pub const OFFLINE_ACCESS: &str = "offline_access";
/// Opens the claims about a person's name (OpenID Connect Core §5.4).
pub const PROFILE: &str = "profile";
/// Opens the e-mail claim (OpenID Connect Core §5.4).
pub const EMAIL: &str = "email";

/// The scopes that every catalogue has.
pub const BUILT_IN: &[&str] = &[OPENID, PROFILE, EMAIL, OFFLINE_ACCESS];

/// What a client asks for by name and a resource server checks.
#[derive(Debug, Clone)]
pub struct CatalogueScope {
    /// The scope-token.
    pub name: String,
    /// For people.
    pub description: String,
    /// Whether a client must be granted it by an administrator.
    pub requires_approval: bool,
    /// The resource server it belongs to.
    pub audience: Option<String>,
}

/// A text that is not a scope of RFC 6749 §3.3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a scope is made of printable ASCII without space, double quote and backslash (RFC 6749 section 3.3)")]
pub struct MalformedScope;

/// A set of scope-tokens, in alphabetical order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScopeSet(BTreeSet<String>);

impl ScopeSet {
    /// Reads space-separated scope-tokens.
    ///
    /// # Errors
    /// [`MalformedScope`] if a character is outside `NQCHAR` (RFC 6749 Appendix A.4).
    pub fn parse(text: &str) -> Result<Self, MalformedScope> {
        text.split(' ')
            .filter(|token| !token.is_empty())
            .map(|token| if is_scope_token(token) { Ok(token.to_owned()) } else { Err(MalformedScope) })
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Whether the set holds this scope-token.
    #[must_use]
    pub fn contains(&self, scope: &str) -> bool {
        self.0.contains(scope)
    }

    /// Whether the set is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether every member of this set is in `other`.
    #[must_use]
    pub fn is_subset(&self, other: &Self) -> bool {
        self.0.is_subset(&other.0)
    }

    /// The scope-tokens in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl FromIterator<String> for ScopeSet {
    fn from_iter<I: IntoIterator<Item = String>>(scopes: I) -> Self {
        Self(scopes.into_iter().collect())
    }
}

impl<'a> FromIterator<&'a str> for ScopeSet {
    fn from_iter<I: IntoIterator<Item = &'a str>>(scopes: I) -> Self {
        Self(scopes.into_iter().map(str::to_owned).collect())
    }
}

impl fmt::Display for ScopeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, scope) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            f.write_str(scope)?;
        }
        Ok(())
    }
}

/// RFC 6749 Appendix A.4: `scope-token = 1*( %x21 / %x23-5B / %x5D-7E )`.
#[must_use]
pub fn is_scope_token(text: &str) -> bool {
    !text.is_empty() && text.len() <= 200 && text.bytes().all(|b| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_set_is_printed_in_alphabetical_order() {
        let set = ScopeSet::parse("orders:write  openid orders:read").unwrap();
        assert_eq!(set.to_string(), "openid orders:read orders:write");
    }

    #[test]
    fn a_scope_token_has_no_quote_backslash_or_control_character() {
        for bad in ["a\"b", "a\\b", "a\tb", "ü", "a\u{7f}"] {
            assert_eq!(ScopeSet::parse(bad), Err(MalformedScope), "{bad:?}");
        }
    }
}
