//! What handlers work with.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix_web::http::header::HeaderValue;
use ipnet::IpNet;

use crate::config::{Config, TokenPath};
use crate::credentials::Credentials;
use crate::http::console::shell::ConsoleSettings;
use crate::oauth::Context;
use crate::oauth::rendered::Rendered;
use crate::registry::STALE_AFTER;

/// The settings that only HTTP knows.
#[derive(Debug, Clone)]
pub struct HttpSettings {
    /// Largest body in bytes.
    pub body_bytes: usize,
    /// Longest time for a body to arrive.
    pub body_timeout: Duration,
    /// Further paths of the token endpoint.
    pub token_paths: Vec<TokenPath>,
    /// Origins that browsers may call from.
    pub cors_origins: Vec<String>,
    /// Proxies that are believed when they name the client's address.
    pub trusted_proxies: Vec<IpNet>,
    /// The console's words and looks.
    pub console: Arc<ConsoleSettings>,
}

impl HttpSettings {
    /// From the configuration. `issuer` is the base of every address.
    #[must_use]
    pub fn from_config(config: &Config, issuer: &str) -> Self {
        Self {
            body_bytes: config.limits.body_bytes,
            body_timeout: Duration::from_secs(config.limits.body_timeout),
            token_paths: config.http.token_path.clone(),
            cors_origins: config.http.cors_origins.clone(),
            trusted_proxies: config.http.trusted_proxies.clone(),
            console: Arc::new(ConsoleSettings::from_config(config, issuer)),
        }
    }

    /// Whether this address is a proxy that is believed.
    #[must_use]
    pub fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.trusted_proxies.iter().any(|network| network.contains(&address))
    }
}

/// One for the whole server, shared by its workers.
#[derive(Clone)]
pub struct State(Arc<Inner>);

struct Inner {
    context: Arc<Context>,
    credentials: Credentials,
    settings: HttpSettings,
    is_leaving: AtomicBool,
    jwks: Rendered,
    metadata: Rendered,
    may_be_cached: HeaderValue,
    openapi: Rendered,
    swagger: Arc<utoipa_swagger_ui::Config<'static>>,
}

impl State {
    /// From the parts.
    #[must_use]
    pub fn new(context: Arc<Context>, settings: HttpSettings) -> Self {
        let credentials = Credentials::new(Arc::clone(&context));
        let (jwks, metadata, openapi) = (Rendered::default(), Rendered::default(), Rendered::default());
        let login = utoipa_swagger_ui::oauth::Config::new()
            .client_id(&context.credentials.programmatic_client_id)
            .app_name("Grantor");
        let swagger = utoipa_swagger_ui::Config::with_oauth_config(["/api/openapi.json"], login);
        let swagger = Arc::new(swagger);
        let may_be_cached = may_be_cached(context.settings.publish_ahead);
        let is_leaving = AtomicBool::new(false);
        Self(Arc::new(Inner {
            context,
            credentials,
            settings,
            is_leaving,
            jwks,
            metadata,
            may_be_cached,
            openapi,
            swagger,
        }))
    }

    /// The node is about to go: it is not ready any more, and its connections end with their next answer.
    pub fn leave(&self) {
        self.0.is_leaving.store(true, Ordering::Release);
    }

    /// Whether the node is about to go.
    #[must_use]
    pub fn is_leaving(&self) -> bool {
        self.0.is_leaving.load(Ordering::Acquire)
    }

    /// The protocol's parts.
    #[must_use]
    pub fn context(&self) -> &Context {
        &self.0.context
    }

    /// Authentication of requests.
    #[must_use]
    pub fn credentials(&self) -> &Credentials {
        &self.0.credentials
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &HttpSettings {
        &self.0.settings
    }

    /// The console's words and looks.
    #[must_use]
    pub fn console(&self) -> &Arc<ConsoleSettings> {
        &self.0.settings.console
    }

    /// The rendered JWKS.
    #[must_use]
    pub fn jwks(&self) -> &Rendered {
        &self.0.jwks
    }

    /// The rendered `OpenAPI` document.
    #[must_use]
    pub fn openapi(&self) -> &Rendered {
        &self.0.openapi
    }

    /// The settings of Swagger UI.
    #[must_use]
    pub fn swagger(&self) -> &Arc<utoipa_swagger_ui::Config<'static>> {
        &self.0.swagger
    }

    /// The rendered metadata.
    #[must_use]
    pub fn metadata(&self) -> &Rendered {
        &self.0.metadata
    }

    /// The `Cache-Control` of what the signing keys are part of.
    #[must_use]
    pub fn may_be_cached(&self) -> &HeaderValue {
        &self.0.may_be_cached
    }
}

/// Caches may keep a document for as long as a new signing key waits before its first signature, less the time in
/// which this node may not have heard of the key that another one published.
fn may_be_cached(publish_ahead: i64) -> HeaderValue {
    let fresh_for = publish_ahead.saturating_sub(i64::try_from(STALE_AFTER.as_secs()).unwrap_or(0)).max(0);
    let value = HeaderValue::from_str(&format!("public, max-age={fresh_for}"));
    value.unwrap_or(HeaderValue::from_static("no-cache"))
}
