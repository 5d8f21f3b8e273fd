//! The password grant (RFC 6749 §4.3) as a state machine in oxide-auth's style, which has none for it.
//!
//! The same primitives in the same order as its other grants: authenticate the client, bind, negotiate the scope,
//! authenticate the resource owner.

use oxide_auth::primitives::registrar::{BoundClient, PreGrant};
use oxide_auth::primitives::scope::Scope;

/// What the machine was told.
pub(super) enum Input {
    /// Nothing yet.
    None,
    /// The client is who it says and may use the grant.
    Authenticated,
    /// The client is bound.
    Bound(BoundClient<'static>),
    /// The scope is negotiated.
    Negotiated(PreGrant),
    /// The resource owner gave the right password.
    OwnerAuthenticated,
}

/// What the machine asks for.
pub(super) enum Output<'a> {
    /// RFC 6749 §4.3.2: authenticate the client if client authentication is included.
    Authenticate { client: &'a str, secret: &'a [u8] },
    /// Bind the client.
    Bind { client: &'a str },
    /// Negotiate the scope.
    Negotiate { bound: &'a BoundClient<'static>, scope: Option<Scope> },
    /// RFC 6749 §4.3.2: validate the resource owner password credentials.
    AuthenticateOwner,
    /// Everything was answered with yes.
    Granted(&'a PreGrant),
    /// An answer came that nobody asked for.
    OutOfOrder,
}

/// The machine.
pub(super) struct Password {
    client: String,
    secret: Vec<u8>,
    scope: Option<Scope>,
    state: State,
}

enum State {
    Authenticating,
    Binding,
    Negotiating(BoundClient<'static>),
    AuthenticatingOwner(PreGrant),
    Granted(PreGrant),
    OutOfOrder,
}

impl Password {
    pub(super) fn new(client: String, secret: Vec<u8>, scope: Option<Scope>) -> Self {
        Self { client, secret, scope, state: State::Authenticating }
    }

    pub(super) fn advance(&mut self, input: Input) -> Output<'_> {
        let state = std::mem::replace(&mut self.state, State::OutOfOrder);
        self.state = match (state, input) {
            (state, Input::None) => state,
            (State::Authenticating, Input::Authenticated) => State::Binding,
            (State::Binding, Input::Bound(bound)) => State::Negotiating(bound),
            (State::Negotiating(_), Input::Negotiated(granted)) => State::AuthenticatingOwner(granted),
            (State::AuthenticatingOwner(granted), Input::OwnerAuthenticated) => State::Granted(granted),
            _ => State::OutOfOrder,
        };
        match &self.state {
            State::Authenticating => Output::Authenticate { client: &self.client, secret: &self.secret },
            State::Binding => Output::Bind { client: &self.client },
            State::Negotiating(bound) => Output::Negotiate { bound, scope: self.scope.clone() },
            State::AuthenticatingOwner(_) => Output::AuthenticateOwner,
            State::Granted(granted) => Output::Granted(granted),
            State::OutOfOrder => Output::OutOfOrder,
        }
    }
}
