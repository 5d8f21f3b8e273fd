//! What a user's profile says, and changes of it.

use crate::admin::links::Letter;
use crate::admin::users::{UserRequest, event, find, manageable, profile};
use crate::admin::{AdminError, Authority, FieldError, memberships};
use crate::model::mail::LinkPurpose;
use crate::model::profile::{ProfileFault, ProfileField};
use crate::model::role::USERS_MANAGE;
use crate::oauth::Context;
use crate::store::user_profiles::{self, UserChange, UserProfile};
use crate::store::{audit, families, one_time_links, users};

/// What `[users]` asks for. The operator may leave a part out; a telephone number is written in one form everywhere.
pub(super) fn check_rules(context: &Context, by: &Authority, request: &UserRequest, wrong: &mut Vec<FieldError>) {
    let given = |field| match field {
        ProfileField::Username => Some(request.username.as_str()),
        ProfileField::FirstName => Some(request.first_name.as_str()),
        ProfileField::LastName => Some(request.last_name.as_str()),
        ProfileField::Email => request.email.as_deref(),
        ProfileField::Phone => request.phone.as_deref(),
    };
    for (field, fault) in context.profiles.faults(given) {
        if fault == ProfileFault::Missing && by.organization().is_none() {
            continue;
        }
        wrong.push(FieldError { field: field.as_str(), message: fault.to_string() });
    }
}

/// Names and addresses are one line each and not endless.
pub(super) fn check_profile(
    wrong: &mut Vec<FieldError>,
    names: &[(&'static str, &str)],
    description: &str,
    email: Option<&str>,
    phone: Option<&str>,
) {
    let mut note = |field, message: &str| wrong.push(FieldError { field, message: message.to_owned() });
    for (field, text) in names {
        if text.len() > 255 || text.chars().any(char::is_control) {
            note(field, "has at most 255 bytes on one line");
        }
    }
    if description.len() > 4096 {
        note("description", "has at most 4096 bytes");
    }
    if email.is_some_and(|email| !is_email(email)) {
        note("email", "must look like name@example.com");
    }
    if phone.is_some_and(|phone| phone.is_empty() || phone.len() > 40 || phone.chars().any(char::is_control)) {
        note("phone", "is not a telephone number");
    }
}

fn is_email(text: &str) -> bool {
    text.len() <= 254
        && text.split_once('@').is_some_and(|(local, domain)| {
            !local.is_empty()
                && !domain.is_empty()
                && !domain.contains('@')
                && !text.chars().any(|c| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | ',' | ';'))
        })
}

/// Changes a user's profile, access or administration level. A user without `users:manage` changes their own names
/// and telephone number alone. Another address is not verified: a message asks for that, and links sent to the old one
/// open nothing any more. What the operator enters is vouched for.
///
/// # Errors
/// [`AdminError`] says what cannot be, and at which field.
pub async fn update(
    context: &Context,
    by: &Authority,
    key: &str,
    change: &UserChange,
) -> Result<UserProfile, AdminError> {
    let found = find(context, by, key).await;
    let own = found.as_ref().is_ok_and(|user| by.user_id() == Some(user.id.as_str()));
    let only_names = change.email.is_none()
        && change.administration.is_none()
        && change.access.is_none()
        && change.description.is_none();
    let is_way_in = change.email.is_some() || change.administration.is_some() || change.access.is_some();
    let user = if own && only_names {
        found?
    } else if is_way_in {
        // Whoever manages credentials names and describes them; what opens more is not theirs to give.
        by.require(USERS_MANAGE)?;
        memberships::controllable(context, by, key).await?
    } else {
        manageable(context, by, key).await?
    };
    let mut wrong = Vec::new();
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    check_profile(
        &mut wrong,
        &[
            ("name", &text(&change.name)),
            ("first_name", &text(&change.first_name)),
            ("last_name", &text(&change.last_name)),
        ],
        &text(&change.description),
        change.email.as_ref().and_then(Option::as_deref),
        change.phone.as_ref().and_then(Option::as_deref),
    );
    if !wrong.is_empty() {
        return Err(AdminError::Invalid(wrong));
    }
    if change.phone.iter().flatten().any(|phone| !context.profiles.phone.accepts(phone)) {
        return Err(AdminError::invalid("phone", ProfileFault::PhoneForm.to_string()));
    }
    let now = context.clock.now();
    let fields = changed_fields(change);
    let event = event("user.changed", &user.id, &user.organization_id, format!("fields={fields}"));
    let (actor, change, changed) = (by.actor.clone(), change.clone(), user.clone());
    let loses_api = user.access_api && change.access.is_some_and(|(_, api)| !api);
    let letter = match change.email.as_ref().and_then(Option::as_deref) {
        Some(email) if by.organization().is_some() => Some(Letter::invitation(context, &user.id, email)?),
        _ => None,
    };
    let vouched_for = by.organization().is_none().then_some(now);
    context
        .change(move |db| {
            if user_profiles::update(db, &changed.id, &change, vouched_for)? {
                one_time_links::void(db, &changed.id, &[LinkPurpose::VerifyEmail, LinkPurpose::SetPassword], now)?;
                if let Some(letter) = &letter {
                    letter.enqueue(db)?;
                }
            }
            if loses_api {
                users::raise_epoch(db, &changed.id, now)?;
                families::revoke_all_of_user(db, &changed.id, now)?;
            }
            audit::record(db, &actor, &event, now)
        })
        .await?;
    profile(context, &user).await
}

fn changed_fields(change: &UserChange) -> String {
    let fields = [
        ("name", change.name.is_some()),
        ("description", change.description.is_some()),
        ("first_name", change.first_name.is_some()),
        ("last_name", change.last_name.is_some()),
        ("email", change.email.is_some()),
        ("phone", change.phone.is_some()),
        ("administration", change.administration.is_some()),
        ("access", change.access.is_some()),
    ];
    fields.iter().filter_map(|(name, changed)| changed.then_some(*name)).collect::<Vec<_>>().join(",")
}
