//! Messages to send. A node takes one by compare-and-swap and has it for as long as the lease lasts.

use diesel::prelude::*;

use crate::model::mail::{MailStatus, OutboxMessage};
use crate::model::time::Timestamp;
use crate::store::connection::Db;
use crate::store::error::StoreError;
use crate::store::schema::mail_outbox;

#[derive(Queryable)]
struct Row {
    id: String,
    kind: String,
    recipient: String,
    user_id: Option<String>,
    link_id: Option<String>,
    about: String,
    status: String,
    attempts: i64,
    next_attempt_at: i64,
    last_error: Option<String>,
    created_at: i64,
    sent_at: Option<i64>,
}

impl Row {
    fn into_message(self) -> Result<OutboxMessage, StoreError> {
        Ok(OutboxMessage {
            id: self.id,
            kind: self.kind.parse().map_err(StoreError::corrupt)?,
            recipient: self.recipient,
            user_id: self.user_id,
            link_id: self.link_id,
            about: self.about,
            status: self.status.parse().map_err(StoreError::corrupt)?,
            attempts: self.attempts,
            next_attempt_at: Timestamp::from_micros(self.next_attempt_at),
            last_error: self.last_error,
            created_at: Timestamp::from_micros(self.created_at),
            sent_at: self.sent_at.map(Timestamp::from_micros),
        })
    }
}

/// Puts a message into the outbox.
///
/// # Errors
/// [`StoreError`] if the database refuses.
pub fn create(db: &mut Db, new: &OutboxMessage) -> Result<(), StoreError> {
    diesel::insert_into(mail_outbox::table)
        .values((
            mail_outbox::id.eq(&new.id),
            mail_outbox::kind.eq(new.kind.as_str()),
            mail_outbox::recipient.eq(&new.recipient),
            mail_outbox::user_id.eq(new.user_id.as_deref()),
            mail_outbox::link_id.eq(new.link_id.as_deref()),
            mail_outbox::about.eq(&new.about),
            mail_outbox::status.eq(new.status.as_str()),
            mail_outbox::attempts.eq(new.attempts),
            mail_outbox::next_attempt_at.eq(new.next_attempt_at.micros()),
            mail_outbox::created_at.eq(new.created_at.micros()),
        ))
        .execute(db)?;
    Ok(())
}

/// By id.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn find(db: &mut Db, id: &str) -> Result<Option<OutboxMessage>, StoreError> {
    let row: Option<Row> = mail_outbox::table.filter(mail_outbox::id.eq(id)).get_result(db).optional()?;
    row.map(Row::into_message).transpose()
}

/// The newest messages, the newest first.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn list(db: &mut Db, most: i64) -> Result<Vec<OutboxMessage>, StoreError> {
    let rows: Vec<Row> = mail_outbox::table.order(mail_outbox::id.desc()).limit(most).load(db)?;
    rows.into_iter().map(Row::into_message).collect()
}

/// The message whose turn it is.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn due(db: &mut Db, now: Timestamp) -> Result<Option<OutboxMessage>, StoreError> {
    let row: Option<Row> = mail_outbox::table
        .filter(mail_outbox::status.eq(MailStatus::Queued.as_str()).and(mail_outbox::next_attempt_at.le(now.micros())))
        .order((mail_outbox::next_attempt_at, mail_outbox::id))
        .limit(1)
        .get_result(db)
        .optional()?;
    row.map(Row::into_message).transpose()
}

/// Takes a message, to send it before `until`. `false`: another node has it.
///
/// # Errors
/// [`StoreError`] if the database refuses.
pub fn claim(db: &mut Db, id: &str, attempts: i64, until: Timestamp) -> Result<bool, StoreError> {
    let free = mail_outbox::table.filter(
        mail_outbox::id
            .eq(id)
            .and(mail_outbox::status.eq(MailStatus::Queued.as_str()))
            .and(mail_outbox::attempts.eq(attempts)),
    );
    let claimed = diesel::update(free)
        .set((mail_outbox::attempts.eq(attempts + 1), mail_outbox::next_attempt_at.eq(until.micros())))
        .execute(db)?;
    Ok(claimed == 1)
}

/// How an attempt ended.
#[derive(Debug, Clone)]
pub enum Delivery {
    /// A mail server has taken the message.
    Sent,
    /// Not this time: why, and when again.
    PutOff(String, Timestamp),
    /// Never: why.
    Failed(String),
}

/// Notes how the attempt ended that [`claim`] made the `attempts`th.
///
/// # Errors
/// [`StoreError`] if the database refuses.
pub fn settle(db: &mut Db, id: &str, attempts: i64, delivery: &Delivery, now: Timestamp) -> Result<(), StoreError> {
    let own = mail_outbox::table.filter(
        mail_outbox::id
            .eq(id)
            .and(mail_outbox::status.eq(MailStatus::Queued.as_str()))
            .and(mail_outbox::attempts.eq(attempts)),
    );
    match delivery {
        Delivery::Sent => diesel::update(own)
            .set((mail_outbox::status.eq(MailStatus::Sent.as_str()), mail_outbox::sent_at.eq(now.micros())))
            .execute(db)?,
        Delivery::PutOff(why, until) => diesel::update(own)
            .set((mail_outbox::last_error.eq(why), mail_outbox::next_attempt_at.eq(until.micros())))
            .execute(db)?,
        Delivery::Failed(why) => diesel::update(own)
            .set((mail_outbox::last_error.eq(why), mail_outbox::status.eq(MailStatus::Failed.as_str())))
            .execute(db)?,
    };
    Ok(())
}

/// How many messages wait, and how many have failed.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn counts(db: &mut Db) -> Result<(i64, i64), StoreError> {
    let mut of = |status: MailStatus| {
        mail_outbox::table.filter(mail_outbox::status.eq(status.as_str())).count().get_result::<i64>(db)
    };
    Ok((of(MailStatus::Queued)?, of(MailStatus::Failed)?))
}
