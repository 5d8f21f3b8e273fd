//! oxide-auth's `Request` traits over our strict parameters.

use std::borrow::Cow;

use oxide_auth::code_grant::{client_credentials, refresh};

use crate::model::grant_type::GrantType;
use crate::model::scope::ScopeSet;
use crate::oauth::client_authentication::PresentedClient;
use crate::oauth::error::ProtocolError;
use crate::oauth::parameters::Parameters;

/// One token request as the machines see it.
pub struct GrantRequest<'a> {
    /// The grant.
    pub grant_type: GrantType,
    /// The parameters.
    pub parameters: &'a Parameters,
    /// The client that the request presents.
    pub presented: &'a PresentedClient,
    /// The scope asked for, checked character by character.
    pub scope: Option<ScopeSet>,
    /// The resources asked for (RFC 8707).
    pub resources: Vec<String>,
}

impl<'a> GrantRequest<'a> {
    /// Reads what all grants have in common.
    ///
    /// # Errors
    /// `invalid_scope` on a malformed scope, `invalid_target` on a malformed resource.
    pub fn read(
        grant_type: GrantType,
        parameters: &'a Parameters,
        presented: &'a PresentedClient,
    ) -> Result<Self, ProtocolError> {
        let scope = parameters
            .get("scope")
            .map(ScopeSet::parse)
            .transpose()
            .map_err(|malformed| ProtocolError::invalid_scope(malformed.to_string().replace('"', "'")))?
            .filter(|scope| !scope.is_empty());
        let resources: Vec<String> = parameters.all("resource").map(str::to_owned).collect();
        if resources.iter().any(|resource| resource.contains(char::is_whitespace)) {
            return Err(ProtocolError::invalid_target());
        }
        Ok(Self { grant_type, parameters, presented, scope, resources })
    }

    fn credentials(&self) -> (Cow<'_, str>, Cow<'_, [u8]>) {
        // Always there: the machine of `client_credentials` would answer a missing client with 400, and the one of
        // `refresh` would go on without asking.
        let secret = self.presented.secret.expose().as_bytes();
        (Cow::Borrowed(&self.presented.client_id), Cow::Borrowed(secret))
    }

    fn scope_text(&self) -> Option<Cow<'_, str>> {
        self.scope.as_ref().map(|scope| Cow::Owned(scope.to_string()))
    }
}

impl refresh::Request for GrantRequest<'_> {
    fn valid(&self) -> bool {
        true
    }

    fn refresh_token(&self) -> Option<Cow<'_, str>> {
        self.parameters.get("refresh_token").map(Cow::Borrowed)
    }

    fn scope(&self) -> Option<Cow<'_, str>> {
        self.scope_text()
    }

    fn grant_type(&self) -> Option<Cow<'_, str>> {
        Some(Cow::Borrowed(self.grant_type.as_str()))
    }

    fn authorization(&self) -> Option<(Cow<'_, str>, Cow<'_, [u8]>)> {
        Some(self.credentials())
    }

    fn extension(&self, _: &str) -> Option<Cow<'_, str>> {
        None
    }
}

impl client_credentials::Request for GrantRequest<'_> {
    fn valid(&self) -> bool {
        true
    }

    fn authorization(&self) -> Option<(Cow<'_, str>, Cow<'_, [u8]>)> {
        Some(self.credentials())
    }

    fn scope(&self) -> Option<Cow<'_, str>> {
        self.scope_text()
    }

    fn grant_type(&self) -> Option<Cow<'_, str>> {
        Some(Cow::Borrowed(self.grant_type.as_str()))
    }

    // The client's credentials are read and checked by us, whichever way they came.
    fn extension(&self, _: &str) -> Option<Cow<'_, str>> {
        None
    }
}
