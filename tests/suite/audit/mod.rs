//! The audit log: its chain, its refusals, and how it is read.

mod chain;
mod queries;
mod refusals;

use grantor::audit::Verdict;
use grantor::model::audit::{Actor, AuditEvent};
use grantor::store::audit::{self, Filter, From, RecordedEvent};
use grantor::store::{Db, Store, StoreError};

use crate::harness::Server;

/// All events that a filter lets through, oldest first.
pub fn events(server: &Server, filter: Filter) -> Vec<RecordedEvent> {
    let read = move |db: &mut Db| audit::page(db, &filter, From::After(0), 10_000);
    server.run(async |context, _| context.store.read(read).await.unwrap())
}

/// All events of one action.
pub fn of_action(server: &Server, action: &str) -> Vec<RecordedEvent> {
    events(server, Filter { action: Some(action.to_owned()), ..Filter::default() })
}

fn verify(server: &Server) -> Verdict {
    server.run(async |context, _| grantor::audit::verify(&context.store, &context.data_keys.audit).await.unwrap())
}

/// A connection beside the server's, as somebody has who can write to the database.
fn intruder(server: &Server) -> Db {
    Store::connect(&server.config().database).unwrap()
}

async fn record(store: &Store, target: String, at: grantor::model::time::Timestamp) -> Result<(), StoreError> {
    let write = move |db: &mut Db| {
        let event = AuditEvent {
            action: "test.happened",
            target_kind: "test",
            target_id: target.clone(),
            organization_id: None,
            details: String::new(),
        };
        audit::record(db, &Actor::server(), &event, at)
    };
    store.write(write).await
}
