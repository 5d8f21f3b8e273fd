//! Starting a token family.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::crypto::identifier::uuid_v7;
use crate::crypto::secret::SecretString;
use crate::model::client::Client;
use crate::model::family::Family;
use crate::model::time::Timestamp;
use crate::oauth::context::Context;
use crate::oauth::error::ProtocolError;
use crate::oauth::tokens::gate::AuthorizedGrant;
use crate::oauth::tokens::refresh_token::RefreshToken;
use crate::store::{clients, families, users};

/// A family that is not stored yet, with its first refresh token.
pub struct NewFamily {
    /// The row.
    pub family: Family,
    /// Generation 1.
    pub first: SecretString,
}

impl NewFamily {
    /// Plans a family for a sign-in of this instant. Its scope is what the gate has granted: a refresh gives no more,
    /// whatever roles the user gets later (RFC 6749 §6).
    ///
    /// # Errors
    /// 500 if the token cannot be derived, which no family made here meets, or if the grant has no user.
    pub fn plan(
        context: &Context,
        grant: &AuthorizedGrant,
        resources: &[String],
        now: Timestamp,
    ) -> Result<Self, ProtocolError> {
        let client = &grant.client;
        let owner = grant.owner.as_ref().ok_or_else(|| ProtocolError::defect().because("a family without a user"))?;
        let absolute = client.absolute_lifetime.unwrap_or(context.settings.absolute_lifetime);
        let family = Family {
            id: uuid_v7(now, &context.random),
            client_id: client.client_id.clone(),
            user_id: owner.id.clone(),
            scope: grant.scope.clone(),
            audience: resources.to_vec(),
            salt: URL_SAFE_NO_PAD.encode(context.random.bytes::<12>()),
            generation: 1,
            auth_time: now,
            rotated_at: now,
            idle_expires_at: idle_end(context, client, now),
            absolute_expires_at: now.plus_seconds(absolute),
            revoked_at: None,
        };
        let first = RefreshToken::derive(&family, 1, &context.data_keys.refresh)
            .ok_or_else(|| ProtocolError::defect().because("a refresh token could not be derived"))?;
        Ok(Self { family, first })
    }

    /// Stores it, unless something has ended the user's or the client's tokens since the gate: that ended every
    /// family there was, and this one must not outlive it.
    ///
    /// # Errors
    /// `invalid_grant` if the user or the client was changed meanwhile, 503 if the database refuses.
    pub async fn start(
        self,
        context: &Context,
        grant: &AuthorizedGrant,
        now: Timestamp,
    ) -> Result<SecretString, ProtocolError> {
        let (family, epochs) = (self.family, grant.epochs);
        let started = context
            .store
            .write(move |db| {
                let stands = users::hold_epoch(db, &family.user_id, epochs.user)?
                    && clients::hold_epoch(db, &family.client_id, epochs.client)?;
                if stands {
                    families::create(db, &family, now)?;
                }
                Ok(stands)
            })
            .await?;
        if started {
            Ok(self.first)
        } else {
            Err(ProtocolError::refused_sign_in().because("the user or the client was changed meanwhile"))
        }
    }
}

/// When a family that is used at `now` ends unless it is used again.
#[must_use]
pub fn idle_end(context: &Context, client: &Client, now: Timestamp) -> Timestamp {
    now.plus_seconds(client.idle_lifetime.unwrap_or(context.settings.idle_lifetime))
}
