//! What is wrong with a file, and where.

use std::fmt;

use crate::admin::AdminError;

/// Problems that are told one by one; the rest are counted.
const TOLD: usize = 10;

/// A line of the file, its field, and what that must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::admin::import) struct Problem {
    pub(in crate::admin::import) line: usize,
    pub(in crate::admin::import) field: String,
    pub(in crate::admin::import) message: String,
}

impl Problem {
    pub(in crate::admin::import) fn new(line: usize, field: &str, message: impl fmt::Display) -> Self {
        // A file that is not what it should be may hold anything: names that it brings are shown short.
        Self { line, field: field.chars().take(60).collect(), message: message.to_string() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}: {}", self.line, self.field.escape_debug(), self.message)
    }
}

/// One refusal for all of them.
pub(in crate::admin::import) fn refusal(mut problems: Vec<Problem>) -> AdminError {
    problems.sort_by_key(|problem| problem.line);
    let mut told: Vec<String> = problems.iter().take(TOLD).map(ToString::to_string).collect();
    if problems.len() > TOLD {
        told.push(format!("and {} more", problems.len() - TOLD));
    }
    AdminError::Refused(format!("nothing was imported: {}", told.join("; ")))
}
