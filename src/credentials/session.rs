//! A console session, by the secret in its cookie. It opens pages, and neither `/verify` nor the API.

use crate::credentials::Credentials;
use crate::credentials::principal::{Limit, Principal, Reach};
use crate::credentials::shape::Shape;
use crate::login::{Face, Secret, is_live, session_digest};
use crate::model::session::Session;
use crate::model::user::UserStatus;
use crate::oauth::ProtocolError;
use crate::store::sessions;

impl Credentials {
    /// Whose session this is, in the organization that it shows; none if it is over or there is no such session.
    ///
    /// # Errors
    /// 503 where nobody can tell, 401 if nothing of the user's is active any more.
    pub async fn of_session(&self, secret: &Secret) -> Result<Option<(Principal, Session)>, ProtocolError> {
        let context = &*self.context;
        if !context.registry.is_fresh() {
            return Err(ProtocolError::unavailable(2).because("the database has not answered for two seconds"));
        }
        let digest = session_digest(&context.data_keys.digest, secret);
        let found = context.store.read(move |db| sessions::by_digest(db, &digest)).await?;
        let Some(session) = found.filter(|session| is_live(session, context.clock.now())) else { return Ok(None) };
        let Some(known) = self.known.user(context, &session.user_id).await? else { return Ok(None) };
        let user = &known.user;
        let active = match user.status {
            UserStatus::Active => true,
            UserStatus::Locked => session.despite_lock,
            UserStatus::Invited | UserStatus::Disabled | UserStatus::Deleted => false,
        };
        if !active || !user.access_console || user.epoch != session.epoch {
            return Ok(None);
        }
        let reach = || Reach {
            shape: Shape::Session,
            face: Face::Console,
            credential_id: session.id.clone(),
            expires_at: None,
            client_id: None,
            limit: Limit::None,
            despite_lock: session.despite_lock,
            auth_time: Some(session.authenticated_at),
        };
        // Somebody who was taken out of the organization that they looked at sees their own one.
        let principal = match Principal::of_user(context, &known, Some(&session.organization_id), reach()) {
            Err(error) if error.status == 403 => Principal::of_user(context, &known, None, reach())?,
            outcome => outcome?,
        };
        Ok(Some((principal, session)))
    }
}
