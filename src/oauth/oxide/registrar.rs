//! oxide-auth's `Registrar`, for one request. The machines hear only yes or no; the reason is kept beside.

use std::borrow::Cow;
use std::cell::RefCell;
use std::sync::LazyLock;

use oxide_auth::primitives::registrar::{
    BoundClient, ClientUrl, ExactUrl, PreGrant, RegisteredUrl, Registrar, RegistrarError,
};
use oxide_auth::primitives::scope::Scope;

use crate::model::client::ClientKind;
use crate::model::grant_type::GrantType;
use crate::model::scope::ScopeSet;
use crate::oauth::client_authentication::{AuthenticatedClient, verify};
use crate::oauth::context::Context;
use crate::oauth::error::ProtocolError;
use crate::oauth::oxide::request::GrantRequest;
use crate::oauth::scope::negotiate;

/// Grants without a redirect are bound to this name, parsed once.
static NO_REDIRECT: LazyLock<Option<ExactUrl>> =
    LazyLock::new(|| ExactUrl::new("urn:ietf:wg:oauth:2.0:oob".to_owned()).ok());

/// What the registrar has answered so far.
pub struct Answers<'a> {
    context: &'a Context,
    request: &'a GrantRequest<'a>,
    client: RefCell<Option<AuthenticatedClient>>,
    refusal: RefCell<Option<ProtocolError>>,
}

impl<'a> Answers<'a> {
    /// Nothing yet.
    #[must_use]
    pub fn new(context: &'a Context, request: &'a GrantRequest<'a>) -> Self {
        Self { context, request, client: RefCell::default(), refusal: RefCell::default() }
    }

    /// The client, once the machine has asked whether it is one.
    ///
    /// # Errors
    /// `invalid_client` if the machine never asked.
    pub fn client(&self) -> Result<AuthenticatedClient, ProtocolError> {
        self.client.borrow().clone().ok_or_else(|| ProtocolError::invalid_client().because("never authenticated"))
    }

    /// Why the last question was answered with no.
    #[must_use]
    pub fn refusal(&self) -> ProtocolError {
        self.refusal.take().unwrap_or_else(|| ProtocolError::defect().because("a refusal without a reason"))
    }

    fn refuse(&self, why: ProtocolError) -> RegistrarError {
        self.refusal.replace(Some(why));
        RegistrarError::Unspecified
    }
}

impl Registrar for Answers<'_> {
    fn bound_redirect<'b>(&self, bound: ClientUrl<'b>) -> Result<BoundClient<'b>, RegistrarError> {
        let none =
            NO_REDIRECT.clone().ok_or_else(|| self.refuse(ProtocolError::defect().because("the placeholder")))?;
        Ok(BoundClient { client_id: bound.client_id, redirect_uri: Cow::Owned(RegisteredUrl::Exact(none)) })
    }

    fn negotiate(&self, bound: BoundClient<'_>, asked: Option<Scope>) -> Result<PreGrant, RegistrarError> {
        let client = self.client().map_err(|why| self.refuse(why))?;
        let asked: Option<ScopeSet> = asked.map(|scope| scope.iter().collect());
        let granted = negotiate(&client, asked.as_ref()).map_err(|why| self.refuse(why))?;
        let scope = to_oxide(&granted).map_err(|why| self.refuse(why))?;
        Ok(PreGrant { client_id: bound.client_id.into_owned(), redirect_uri: bound.redirect_uri.into_owned(), scope })
    }

    fn check(&self, client_id: &str, passphrase: Option<&[u8]>) -> Result<(), RegistrarError> {
        let secret = std::str::from_utf8(passphrase.unwrap_or_default())
            .map_err(|_| self.refuse(ProtocolError::invalid_client()))?;
        let client =
            verify(self.context, client_id, secret, self.request.presented.method).map_err(|why| self.refuse(why))?;
        let grant = self.request.grant_type;
        if !client.may_use(grant) {
            return Err(self.refuse(not_granted(&client, grant)));
        }
        // RFC 6749 §4.4: the client credentials grant MUST only be used by confidential clients.
        if grant == GrantType::ClientCredentials && client.kind == ClientKind::Public {
            return Err(self.refuse(not_granted(&client, grant)));
        }
        self.client.replace(Some(client));
        Ok(())
    }
}

/// The client is who it says, so it may be told what it lacks and what gives it that.
fn not_granted(client: &AuthenticatedClient, grant: GrantType) -> ProtocolError {
    let remedy = if client.kind == ClientKind::Public && grant == GrantType::ClientCredentials {
        format!(
            "a public client cannot have it. Make another client: 'grantor client create --label NAME --grant-type {grant}'"
        )
    } else {
        format!("create it with 'grantor client create --grant-type {grant}'")
    };
    ProtocolError::unauthorized_client(format!("the client may not use the grant {grant}: {remedy}"))
        .because(format!("client {} lacks {grant}", client.client_id))
}

/// A scope as oxide-auth has it.
pub(super) fn to_oxide(scope: &ScopeSet) -> Result<Scope, ProtocolError> {
    scope.to_string().parse().map_err(|cause| ProtocolError::defect().because(format!("{cause:?}")))
}
