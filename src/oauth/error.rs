//! One protocol error: a code and a description for the client, a cause for the log.

use std::borrow::Cow;

use crate::crypto::hash_pool::HashPoolError;
use crate::login::SignInError;
use crate::model::audit::Refusal;
use crate::store::StoreError;

crate::words! {
    /// The `error` member (RFC 6749 §5.2, RFC 6750 §3.1, RFC 8707 §2).
    ErrorCode {
        /// A parameter is missing, repeated or malformed.
        InvalidRequest = "invalid_request",
        /// Client authentication failed.
        InvalidClient = "invalid_client",
        /// The credentials or the refresh token are not valid.
        InvalidGrant = "invalid_grant",
        /// The client may not use this grant or endpoint.
        UnauthorizedClient = "unauthorized_client",
        /// The grant type is not known.
        UnsupportedGrantType = "unsupported_grant_type",
        /// The scope is malformed or beyond what the client was approved for.
        InvalidScope = "invalid_scope",
        /// The resource is not one of the client's audiences.
        InvalidTarget = "invalid_target",
        /// The bearer token is not valid (RFC 6750).
        InvalidToken = "invalid_token",
        /// A credential of another shape than a bearer token is not valid.
        InvalidCredentials = "invalid_credentials",
        /// The credential is valid and may not be used for this (RFC 6749 §4.1.2.1).
        AccessDenied = "access_denied",
        /// The bearer token does not reach so far (RFC 6750).
        InsufficientScope = "insufficient_scope",
        /// Not now; the answer says when.
        TemporarilyUnavailable = "temporarily_unavailable",
        /// A defect of this server.
        ServerError = "server_error",
    }
}

/// What a request without a token is told.
const NO_TOKEN: &str = "the request has no access token: send Authorization: Bearer TOKEN";

/// Why a request of the protocol is refused.
#[derive(Debug, Clone)]
pub struct ProtocolError {
    /// The `error` member.
    pub code: ErrorCode,
    /// HTTP status.
    pub status: u16,
    /// The `error_description` member; never echoes input (RFC 6749 §5.2 limits its characters).
    pub description: Cow<'static, str>,
    /// `Retry-After` in seconds.
    pub retry_after: Option<u64>,
    /// Whether the challenge names the scheme and the realm alone.
    pub bare_challenge: bool,
    /// Whether credentials of every shape are taken, so that the challenge names more than `Bearer`.
    pub any_shape: bool,
    /// The exact reason, for the log only.
    pub cause: Option<String>,
    /// The credential that was refused, for the audit log only.
    pub refusal: Option<Box<Refusal>>,
}

impl ProtocolError {
    fn new(code: ErrorCode, status: u16, description: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            status,
            description: description.into(),
            retry_after: None,
            bare_challenge: false,
            any_shape: false,
            cause: None,
            refusal: None,
        }
    }

    /// 400 `invalid_request`.
    pub fn invalid_request(description: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::InvalidRequest, 400, description)
    }

    /// 413: the body is over the limit.
    #[must_use]
    pub fn too_large() -> Self {
        Self::new(ErrorCode::InvalidRequest, 413, "the request body is too large")
    }

    /// 408: the body did not arrive in time.
    #[must_use]
    pub fn too_slow() -> Self {
        Self::new(ErrorCode::InvalidRequest, 408, "the request body did not arrive in time")
    }

    /// 405: the endpoint takes another method.
    #[must_use]
    pub fn wrong_method(allowed: &str) -> Self {
        Self::new(ErrorCode::InvalidRequest, 405, format!("the method here is {allowed}"))
    }

    /// 415 with the media types that an endpoint accepts, and how to send them.
    #[must_use]
    pub fn unsupported_media_type(example: String) -> Self {
        Self::new(ErrorCode::InvalidRequest, 415, example)
    }

    /// 401 `invalid_client` (RFC 6749 §5.2); one text for every reason.
    #[must_use]
    pub fn invalid_client() -> Self {
        Self::new(ErrorCode::InvalidClient, 401, "client authentication failed")
    }

    /// 401 `invalid_client`: the request holds nothing that could be one, which depends on the request alone.
    #[must_use]
    pub fn no_client() -> Self {
        Self::new(
            ErrorCode::InvalidClient,
            401,
            "the request has no client credentials: send them as curl -u CLIENT_ID:CLIENT_SECRET does",
        )
    }

    /// 400 `invalid_grant`.
    pub fn invalid_grant(description: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::InvalidGrant, 400, description)
    }

    /// 400 `invalid_grant`: one text for wrong, unknown, disabled and locked.
    #[must_use]
    pub fn refused_sign_in() -> Self {
        Self::invalid_grant("the username or the password is wrong, or the account may not be used here")
    }

    /// 400 `invalid_grant`: one text for unknown, expired, revoked, used before and issued to another client.
    #[must_use]
    pub fn refused_refresh() -> Self {
        Self::invalid_grant("the refresh token is not valid")
    }

    /// 400 `unauthorized_client`.
    pub fn unauthorized_client(description: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::UnauthorizedClient, 400, description)
    }

    /// 403 `unauthorized_client`: an endpoint that is not for this client.
    pub fn forbidden_client(description: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::UnauthorizedClient, 403, description)
    }

    /// 400 `unsupported_grant_type`, with those that are.
    #[must_use]
    pub fn unsupported_grant_type(supported: &[&str]) -> Self {
        let description = format!("grant_type is one of {}", supported.join(", "));
        Self::new(ErrorCode::UnsupportedGrantType, 400, description)
    }

    /// 400 `invalid_scope`.
    pub fn invalid_scope(description: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::InvalidScope, 400, description)
    }

    /// 400 `invalid_target` (RFC 8707 §2).
    #[must_use]
    pub fn invalid_target() -> Self {
        Self::new(ErrorCode::InvalidTarget, 400, "the resource is not one of the client's audiences")
    }

    /// 401 `invalid_token` (RFC 6750 §3.1); one text for every reason.
    #[must_use]
    pub fn invalid_token() -> Self {
        Self::new(ErrorCode::InvalidToken, 401, "the access token is missing, expired, revoked or not valid here")
    }

    /// 401 for a request without a token, or with another scheme. RFC 6750 §3.1: its challenge SHOULD NOT have an
    /// error code.
    #[must_use]
    pub fn no_token() -> Self {
        let description = Cow::Borrowed(NO_TOKEN);
        Self { bare_challenge: true, description, ..Self::invalid_token() }
    }

    /// 401 for a request that brings no credential of any shape.
    #[must_use]
    pub fn no_credential() -> Self {
        let description = "the request has no credential: send Authorization: Bearer TOKEN, or Basic, or the headers \
                           Client-ID and Client-Secret, or X-API-Key";
        Self { bare_challenge: true, any_shape: true, ..Self::new(ErrorCode::InvalidToken, 401, description) }
    }

    /// 401 for a credential that is no bearer token: one text for malformed, wrong, expired, disabled, unknown.
    #[must_use]
    pub fn invalid_credentials() -> Self {
        let description = "the credential is malformed, wrong, expired or disabled, or there is more than one";
        Self { any_shape: true, ..Self::new(ErrorCode::InvalidCredentials, 401, description) }
    }

    /// The same refusal where credentials of every shape are taken.
    #[must_use]
    pub fn at_any_shape(self) -> Self {
        Self { any_shape: true, ..self }
    }

    /// 403: the credential is valid, and this is not for it.
    pub fn access_denied(description: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::AccessDenied, 403, description)
    }

    /// 403: what a proxy asks to be verified makes no sense, so nothing is.
    pub fn refused_option(description: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::InvalidRequest, 403, description)
    }

    /// Why nobody is signed in; `refused` is the door's one text for every account that is not let in.
    #[must_use]
    pub fn of_sign_in(error: &SignInError, refused: Self) -> Self {
        match error {
            SignInError::Refused(_) => refused,
            SignInError::Limited(seconds) => Self::too_many_attempts(*seconds),
            SignInError::Busy(seconds, _) => Self::unavailable(*seconds),
            SignInError::Unavailable(_) => Self::unavailable(1),
            SignInError::Bug(_) => Self::defect(),
        }
        .because(error)
    }

    /// 403 `insufficient_scope` (RFC 6750 §3.1).
    pub fn insufficient_scope(description: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::InsufficientScope, 403, description)
    }

    /// 503 `temporarily_unavailable`.
    #[must_use]
    pub fn unavailable(retry_after: u64) -> Self {
        let mut error = Self::new(ErrorCode::TemporarilyUnavailable, 503, "try again later");
        error.retry_after = Some(retry_after);
        error
    }

    /// 429: too many failed attempts.
    #[must_use]
    pub fn too_many_attempts(retry_after: u64) -> Self {
        let mut error = Self::new(ErrorCode::TemporarilyUnavailable, 429, "too many failed attempts, try again later");
        error.retry_after = Some(retry_after);
        error
    }

    /// 500 `server_error`.
    #[must_use]
    pub fn defect() -> Self {
        Self::new(ErrorCode::ServerError, 500, "the server met a defect; its log tells more under this request id")
    }

    /// Keeps the exact reason for the log.
    #[must_use]
    pub fn because(mut self, cause: impl std::fmt::Display) -> Self {
        self.cause = Some(cause.to_string());
        self
    }

    /// Names the credential that is refused, for the audit log.
    #[must_use]
    pub fn about(mut self, refusal: Refusal) -> Self {
        self.refusal = Some(Box::new(refusal));
        self
    }
}

impl From<StoreError> for ProtocolError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Bug(_) => Self::defect(),
            // A conflict that a verb did not expect is a race with another writer.
            StoreError::Unavailable(_) | StoreError::Serialization | StoreError::Conflict(_) => Self::unavailable(1),
        }
        .because(error)
    }
}

impl From<HashPoolError> for ProtocolError {
    fn from(error: HashPoolError) -> Self {
        match error {
            HashPoolError::Overloaded { retry_after } => {
                Self::unavailable(retry_after.as_secs().max(1)).because("the password hash pool is full")
            }
            HashPoolError::Failed => Self::defect().because("a password hash failed"),
        }
    }
}
