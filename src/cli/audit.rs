//! `grantor audit …`

use chrono::DateTime;
use clap::{Args, Subcommand, ValueEnum};

use crate::admin::audit::{self, Event, Filter, From, LARGEST_PAGE};
use crate::admin::{Authority, organizations};
use crate::audit::Verdict;
use crate::cli::session::{Session, parse_seconds};
use crate::cli::{Failure, output};
use crate::model::audit::AuditResult;
use crate::model::time::Timestamp;

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Check the chain over all events; name what was edited, removed or inserted, and exit with 1
    Verify,
    /// Write the events out, oldest first
    Export(Box<Export>),
}

/// How events are written out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One JSON object a line
    Json,
    /// Comma-separated values (RFC 4180) under a line of names
    Csv,
}

#[derive(Debug, Args)]
pub(super) struct Export {
    /// From this instant on: 2026-11-22, 2026-11-22T10:00:00Z, or 24h ago
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Before this instant
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// The id of who acted
    #[arg(long, value_name = "ID")]
    actor: Option<String>,
    /// An action, as client.created, or all of a noun, as 'client.*'
    #[arg(long, value_name = "ACTION")]
    action: Option<String>,
    /// The id of what was changed
    #[arg(long, value_name = "ID")]
    target: Option<String>,
    /// An organization by id, number or slug
    #[arg(long, value_name = "ORGANIZATION")]
    organization: Option<String>,
    /// ok or refused
    #[arg(long, value_name = "RESULT")]
    result: Option<AuditResult>,
    /// How to write them
    #[arg(long, value_enum, default_value = "json")]
    format: Format,
}

impl Verb {
    pub(super) fn run(self, session: &Session) -> Result<(), Failure> {
        match self {
            Self::Verify => verify(session),
            Self::Export(export) => export.run(session),
        }
    }
}

fn verify(session: &Session) -> Result<(), Failure> {
    let verdict = session.run(async |desk| Ok(audit::verify(&desk.context, &Authority::operator()).await?))?;
    if session.json {
        output::json(&verdict)?;
    } else {
        print(&verdict);
    }
    match verdict.findings.len() {
        0 => Ok(()),
        1 => Err(Failure::Refused("the audit log was changed: 1 finding".to_owned())),
        several => Err(Failure::Refused(format!("the audit log was changed: {several} findings"))),
    }
}

fn print(verdict: &Verdict) {
    for finding in &verdict.findings {
        output::line(&finding.message);
    }
    if verdict.findings.is_empty() {
        output::line(&format!(
            "{} events are as they were sealed (number {} to {})",
            verdict.checked, verdict.first, verdict.last
        ));
        output::line(&format!("newest link: {}", verdict.link));
    }
    if verdict.unsealed > 0 {
        output::line(&format!("{} wait to be sealed", verdict.unsealed));
    }
}

impl Export {
    fn run(self, session: &Session) -> Result<(), Failure> {
        let format = self.format;
        if session.json && format == Format::Csv {
            return Err(Failure::Usage("--json and --format csv are two formats: choose one".to_owned()));
        }
        session.run(async |desk| {
            let now = desk.context.clock.now();
            let organization = match &self.organization {
                Some(key) => Some(organizations::reached(&desk.context, &desk.by, Some(key)).await?.id),
                None => None,
            };
            let filter = Filter {
                since: self.since.as_deref().map(|text| instant(text, now)).transpose()?,
                until: self.until.as_deref().map(|text| instant(text, now)).transpose()?,
                actor: self.actor,
                action: self.action,
                target: self.target,
                organization,
                result: self.result,
            };
            if format == Format::Csv {
                output::line(CSV_NAMES);
            }
            let mut all = Vec::new();
            let mut from = Some(0);
            while let Some(after) = from {
                let by = Authority::operator();
                let page = audit::list(&desk.context, &by, &filter, From::After(after), LARGEST_PAGE).await?;
                from = page.next;
                if session.json {
                    all.extend(page.events);
                } else {
                    page.events.iter().try_for_each(|event| write(event, format))?;
                }
            }
            if session.json { output::json(&all) } else { Ok(()) }
        })
    }
}

const CSV_NAMES: &str =
    "seq,time,actor_kind,actor,action,target_kind,target,organization,ip,request_id,result,details,number";

fn write(event: &Event, format: Format) -> Result<(), Failure> {
    match format {
        Format::Json => {
            let text = serde_json::to_string(event).map_err(|cause| Failure::Refused(cause.to_string()))?;
            output::line(&text);
        }
        Format::Csv => {
            let empty = String::new();
            let optional = |text: &Option<String>| text.as_ref().unwrap_or(&empty).clone();
            let cells = [
                event.seq.to_string(),
                event.time.rfc3339(),
                event.actor_kind.clone(),
                event.actor.clone(),
                event.action.clone(),
                event.target_kind.clone(),
                event.target.clone(),
                optional(&event.organization),
                optional(&event.ip),
                optional(&event.request_id),
                event.result.clone(),
                event.details.clone(),
                event.number.map(|number| number.to_string()).unwrap_or_default(),
            ];
            output::line(&cells.iter().map(|cell| csv_cell(cell)).collect::<Vec<_>>().join(","));
        }
    }
    Ok(())
}

/// RFC 4180 §2.6; what a spreadsheet would take for a formula is kept from being one.
fn csv_cell(text: &str) -> String {
    let guarded = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() };
    if guarded.contains([',', '"', '\n', '\r']) {
        return format!("\"{}\"", guarded.replace('"', "\"\""));
    }
    guarded
}

/// An instant of RFC 3339, a day in UTC, or so long ago.
fn instant(text: &str, now: Timestamp) -> Result<Timestamp, Failure> {
    let midnight = format!("{text}T00:00:00Z");
    for candidate in [text, midnight.as_str()] {
        if let Ok(at) = DateTime::parse_from_rfc3339(candidate) {
            return Ok(Timestamp::from_micros(at.timestamp_micros()));
        }
    }
    let ago = parse_seconds(text.trim_end_matches(" ago"));
    ago.map(|seconds| now.plus_seconds(-seconds))
        .map_err(|_| Failure::Usage(format!("`{text}` is no time: write 2026-11-22, 2026-11-22T10:00:00Z or 24h")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_quoted_where_it_must_be_and_is_never_a_formula() {
        assert_eq!(csv_cell("plain text"), "plain text");
        assert_eq!(csv_cell("a,\"b\""), "\"a,\"\"b\"\"\"");
        assert_eq!(csv_cell("=1+1"), "'=1+1");
    }

    #[test]
    fn a_time_is_a_day_an_instant_or_so_long_ago() {
        let now = Timestamp::from_seconds(1_000_000);
        assert_eq!(instant("1970-01-02", now).unwrap(), Timestamp::from_seconds(86_400));
        assert_eq!(instant("1970-01-02T00:00:01+00:00", now).unwrap(), Timestamp::from_seconds(86_401));
        assert_eq!(instant("1h", now).unwrap(), Timestamp::from_seconds(996_400));
        assert_eq!(instant("yesterday", now).unwrap_err().exit_code(), 2);
    }
}
