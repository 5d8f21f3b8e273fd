//! The way from the outbox to the mail server: one message at a time, by one node at a time.

use std::time::Duration;

use crate::admin::mail::Content;
use crate::mail::NotSent;
use crate::model::mail::OutboxMessage;
use crate::model::time::Timestamp;
use crate::oauth::Context;
use crate::store::StoreError;
use crate::store::mail_outbox::{self, Delivery};

/// How long a message is one node's, in seconds: longer than a mail server may take.
const LEASE: i64 = 180;

/// Seconds until the second attempt; each further wait is twice as long, up to [`LONGEST_WAIT`].
const FIRST_WAIT: i64 = 15;
const LONGEST_WAIT: i64 = 3600;

/// A message that could not be sent for so long never will be (RFC 5321 §4.5.4.1: four to five days).
const GIVEN_UP_AFTER: i64 = 5 * 86_400;

/// Sends the message whose turn it is. `false`: there is none, or no mail server.
///
/// # Errors
/// [`StoreError`] if the database cannot be reached; the message stays in the outbox.
pub async fn deliver_one(context: &Context) -> Result<bool, StoreError> {
    if !context.mailer.can_send() {
        return Ok(false);
    }
    let now = context.clock.now();
    let Some(message) = context.store.read(move |db| mail_outbox::due(db, now)).await? else {
        return Ok(false);
    };
    let (id, attempts, until) = (message.id.clone(), message.attempts, now.plus_seconds(LEASE));
    if !context.store.write(move |db| mail_outbox::claim(db, &id, attempts, until)).await? {
        return Ok(true);
    }
    let message = OutboxMessage { attempts: attempts + 1, ..message };
    let (id, attempts, kind) = (message.id.clone(), message.attempts, message.kind);
    let delivery = attempt(context, message).await?;
    context.metrics.mail(match &delivery {
        Delivery::Sent => "sent",
        Delivery::PutOff(..) => "put_off",
        Delivery::Failed(_) => "failed",
    });
    match &delivery {
        Delivery::Sent => tracing::info!(message = %id, %kind, "a message is sent"),
        Delivery::PutOff(why, until) => {
            tracing::warn!(message = %id, %kind, attempts, %why, again_at = until.rfc3339(), "a message cannot be sent yet");
        }
        Delivery::Failed(why) => tracing::error!(message = %id, %kind, attempts, %why, "a message is not sent"),
    }
    settle(context, id, attempts, delivery).await;
    Ok(true)
}

async fn attempt(context: &Context, message: OutboxMessage) -> Result<Delivery, StoreError> {
    let found = context.store.read(move |db| Content::read(db, message.clone())).await?;
    if let Some(why) = found.is_stale(context) {
        return Ok(Delivery::Failed(why.to_owned()));
    }
    let letter = match found.write(context) {
        Ok(letter) => letter,
        Err(why) => return Ok(Delivery::Failed(why.to_owned())),
    };
    let message = &found.message;
    let sent = context.mailer.send(&message.id, &message.recipient, &letter, message.created_at).await;
    let now = context.clock.now();
    Ok(match sent {
        Ok(()) => Delivery::Sent,
        Err(NotSent::Never(why)) => Delivery::Failed(why),
        Err(NotSent::NotNow(why)) if now >= message.created_at.plus_seconds(GIVEN_UP_AFTER) => {
            Delivery::Failed(format!("given up after five days: {why}"))
        }
        Err(NotSent::NotNow(why)) => Delivery::PutOff(why, next_attempt(message.attempts, now)),
    })
}

/// Notes what became of a message. While the database is away no other node can take the message either, so this one
/// goes on until it knows that the note is written, or the lease is over.
async fn settle(context: &Context, id: String, attempts: i64, delivery: Delivery) {
    let gives_up_at = context.clock.now().plus_seconds(LEASE);
    loop {
        let (note, own) = (delivery.clone(), id.clone());
        let now = context.clock.now();
        match context.store.write(move |db| mail_outbox::settle(db, &own, attempts, &note, now)).await {
            Ok(()) => return,
            Err(error) if now >= gives_up_at => {
                tracing::error!(%error, message = %id, "what became of a message could not be noted: it is sent again");
                return;
            }
            Err(error) => tracing::debug!(%error, "noting what became of a message"),
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}

/// When a message is tried again after so many attempts.
fn next_attempt(attempts: i64, now: Timestamp) -> Timestamp {
    let doublings = u32::try_from((attempts - 1).clamp(0, 20)).unwrap_or(20);
    now.plus_seconds((FIRST_WAIT << doublings).min(LONGEST_WAIT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_attempt_that_fails_doubles_the_wait_up_to_an_hour() {
        let now = Timestamp::from_seconds(0);
        let waits: Vec<i64> = [1, 2, 3, 8, 9, 50].map(|attempts| next_attempt(attempts, now).seconds()).to_vec();
        assert_eq!(waits, [15, 30, 60, 1920, 3600, 3600]);
    }
}
