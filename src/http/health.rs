//! Health and metrics.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};

use crate::http::state::State;
use crate::metrics::Figures;
use crate::store::{StoreError, instance, mail_outbox};

/// The process answers.
pub async fn live() -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(r#"{"status":"live"}"#)
}

/// Database, current schema and a signing key: the node can do its work.
pub async fn ready(state: web::Data<State>) -> HttpResponse {
    let missing = missing(&state).await;
    if missing.is_empty() {
        return HttpResponse::Ok().content_type("application/json").body(r#"{"status":"ready"}"#);
    }
    HttpResponse::build(StatusCode::SERVICE_UNAVAILABLE).json(serde_json::json!({ "status": "not ready" }))
}

/// Everything that the node knows of its health; on the private listener alone.
pub async fn full(state: web::Data<State>) -> HttpResponse {
    let missing = missing(&state).await;
    let context = state.context();
    let figures = context.store.figures();
    let status = if missing.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    HttpResponse::build(status).json(serde_json::json!({
        "status": if missing.is_empty() { "ready" } else { "not ready" },
        "missing": missing,
        "version": env!("CARGO_PKG_VERSION"),
        "database": context.store.dialect(),
        "change": context.registry.snapshot().change,
        "queued_writes": figures.queued,
        "queued_hashes": context.login.pool().queue_depth(),
    }))
}

async fn missing(state: &State) -> Vec<&'static str> {
    let context = state.context();
    let mut missing = Vec::new();
    if state.is_leaving() {
        missing.push("stopping");
    }
    // The schema was checked at the start, and an old program never sees a newer one: the row is there or not.
    let found = context.store.read(instance::find).await;
    if !matches!(found, Ok(Some(_))) {
        missing.push(if matches!(found, Err(StoreError::Bug(_))) { "schema" } else { "database" });
    }
    if !context.registry.is_fresh() {
        missing.push("changes");
    }
    if !context.ring.load().can_sign(context.clock.now()) {
        missing.push("signing key");
    }
    missing
}

/// The Prometheus page.
pub async fn metrics(state: web::Data<State>) -> HttpResponse {
    let context = state.context();
    let pool = context.login.pool();
    let store = context.store.figures();
    // Side by side: whoever asks for this page has little patience, most of all where the database does not answer.
    let (missing, mail) = tokio::join!(missing(&state), context.store.read(mail_outbox::counts));
    let page = context.metrics.page(&Figures {
        ready: missing.is_empty(),
        hash_queue: pool.queue_depth(),
        hash_threads: pool.threads(),
        hashes: pool.started(),
        store_busy: store.busy_connections,
        store_queue: store.queued,
        batches: store.batches,
        writes: store.writes,
        mail: mail.ok(),
    });
    HttpResponse::Ok().content_type("application/openmetrics-text; version=1.0.0; charset=utf-8").body(page)
}
