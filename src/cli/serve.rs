//! `grantor serve`.

use crate::admin::setup::ADMIN_USERNAME;
use crate::app::{self, StartError};
use crate::cli::session::Session;
use crate::cli::{Failure, setup_link};
use crate::telemetry;

pub(super) fn run(session: &Session) -> Result<(), Failure> {
    let config = session.config()?;
    telemetry::start(config.log.format, &config.log.level).map_err(|cause| Failure::Refused(cause.to_string()))?;
    let made_for = config.clone();
    let prepared = async move |app: &app::App| -> Result<(), StartError> {
        if app.is_new() {
            let handed_over = setup_link::hand_over(app.context(), &made_for, ADMIN_USERNAME).await;
            handed_over.map_err(|cause| StartError::Setting(cause.to_string()))?;
        }
        Ok(())
    };
    Ok(app::serve(config, prepared)?)
}
