//! Request id, security headers, counters: around every request, and cheap.

use std::pin::Pin;
use std::sync::Arc;
use std::task;
use std::time::Instant;

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::ConnectionType;
use actix_web::http::header::{CONTENT_SECURITY_POLICY, HeaderName, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, web};

use crate::http::connections::{Connection, UnderWay};
use crate::http::extract::RequestId;
use crate::http::routes::route_name;
use crate::http::state::State;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Gives the request its id, counts it, and sets the headers that every answer has.
///
/// # Errors
/// What the handler answers.
pub async fn observe(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let started = Instant::now();
    let state = request.app_data::<web::Data<State>>().cloned();
    let route = route_name(request.path());
    let under_way = request.conn_data::<Connection>().map(Connection::request_came);
    let (id, response) = identified(request, next).await?;
    let response = response.map_body(|_, body| Answer { body: BoxBody::new(body), _under_way: under_way });
    if let Some(state) = state {
        let status = response.status().as_u16();
        state.context().metrics.request(route, status, started.elapsed().as_secs_f64());
        tracing::debug!(request_id = %id, route, status, "answered");
    }
    Ok(response)
}

/// Gives the request its id and sets the headers that every answer has; the private listener's requests are not counted.
///
/// # Errors
/// What the handler answers.
pub async fn identify(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    Ok(identified(request, next).await?.1)
}

async fn identified<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<(Arc<str>, ServiceResponse<B>), Error> {
    let state = request.app_data::<web::Data<State>>();
    let id: Arc<str> = state.map(|state| state.context().random.base62(22).into()).unwrap_or_default();
    let is_leaving = state.is_some_and(|state| state.is_leaving());
    request.extensions_mut().insert(RequestId(Arc::clone(&id)));
    let mut response = next.call(request).await?;
    if is_leaving {
        response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
    }
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert(REQUEST_ID, id);
    }
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if !headers.contains_key(CONTENT_SECURITY_POLICY) {
        headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"));
    }
    Ok((id, response))
}

/// An answer's body. When it is all handed over, or given up, its connection is quiet.
struct Answer {
    body: BoxBody,
    _under_way: Option<UnderWay>,
}

impl MessageBody for Answer {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut task::Context<'_>,
    ) -> task::Poll<Option<Result<web::Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(context)
    }
}
