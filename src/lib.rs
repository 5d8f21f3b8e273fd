//! Grantor: a self-hosted server that issues and checks API credentials and OAuth 2.0 tokens.
pub mod admin;
pub mod app;
pub mod cli;
pub mod clock;
pub mod config;
pub mod crypto;
pub mod http;
pub mod login;
pub mod mail;
pub mod metrics;
pub mod model;
pub mod oauth;
pub mod registry;
pub mod store;
pub mod telemetry;
