//! A user's username and password with every request (RFC 7617).
//!
//! A password that a person chose costs a slow hash once a minute at most; a wrong one costs it each time, and counts
//! against the same limits as at every other door.

use std::net::IpAddr;

use crate::credentials::Asked;
use crate::credentials::known::{Known, KnownPassword, KnownUser, Since};
use crate::credentials::principal::{Limit, Principal, Reach};
use crate::credentials::shape::{Shape, UserAndPassword, refused};
use crate::login::{Door, Face, Network};
use crate::model::client::PASSWORD_AS_CLIENT;
use crate::model::user::UserStatus;
use crate::oauth::{Context, ProtocolError};

/// What a username with its password is digested for, to be known again.
const DIGEST_PURPOSE: &str = "presented username and password";

pub(super) async fn authenticate(
    context: &Context,
    known: &Known,
    given: &UserAndPassword,
    asked: &Asked,
    address: IpAddr,
) -> Result<Principal, ProtocolError> {
    let organization = asked.organization.as_deref();
    let digest = *context.data_keys.digest.digest(DIGEST_PURPOSE, given.whole.expose().as_bytes()).as_bytes();
    if let Some(password) = known.password(context, &digest)
        && let Some(user) = known.user(context, &password.user_id).await?
        // From where a locked user is let in is asked anew each time.
        && user.user.status == UserStatus::Active
        && may_in(&user, &password)
    {
        return Principal::of_user(context, &user, organization, reach(&password, false));
    }
    let since = Since::now(context);
    let signed_in = context
        .login
        .sign_in(&Door::of_requests(), given.username(), given.password(), Network::of(address))
        .await
        .map_err(|error| ProtocolError::of_sign_in(&error, ProtocolError::invalid_credentials()))?;
    let password = KnownPassword { user_id: signed_in.user_id, epoch: signed_in.epoch, auth_time: context.clock.now() };
    // Read again: the password took a while to check, and a raised epoch says that it may have been changed meanwhile.
    let user = known.read_user(context, &password.user_id).await?.ok_or_else(|| refused("the user is gone"))?;
    let active = match user.user.status {
        UserStatus::Active => true,
        UserStatus::Locked => signed_in.despite_lock,
        UserStatus::Invited | UserStatus::Disabled | UserStatus::Deleted => false,
    };
    if !active || !may_in(&user, &password) {
        return Err(refused("the user was changed while the password was checked"));
    }
    known.note_password(digest, password.clone(), since);
    Principal::of_user(context, &user, organization, reach(&password, signed_in.despite_lock))
}

fn may_in(user: &KnownUser, password: &KnownPassword) -> bool {
    user.user.access_api && user.user.epoch == password.epoch
}

fn reach(password: &KnownPassword, despite_lock: bool) -> Reach<'static> {
    Reach {
        shape: Shape::Password,
        face: Face::Api,
        // A password has no id of its own, and the user's alone would make a token look like a client's own one.
        credential_id: format!("{PASSWORD_AS_CLIENT}{}", password.user_id),
        expires_at: None,
        client_id: None,
        limit: Limit::None,
        despite_lock,
        auth_time: Some(password.auth_time),
    }
}
