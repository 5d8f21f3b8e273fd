//! `grantor serve`.

use crate::app;
use crate::cli::Failure;
use crate::cli::session::Session;
use crate::telemetry;

pub(super) fn run(session: &Session) -> Result<(), Failure> {
    let config = session.config()?;
    telemetry::start(config.log.format, &config.log.level).map_err(|cause| Failure::Refused(cause.to_string()))?;
    Ok(app::serve(config, async |_| Ok(()))?)
}
