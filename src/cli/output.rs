//! What commands print.

// The one place of the program that writes to standard output and standard error by itself.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::io::{IsTerminal, Write};

use serde::Serialize;

use crate::cli::Failure;

/// A line on standard output.
pub fn line(text: &str) {
    // A closed pipe (`| head`) is no reason to panic.
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// A line on standard error that says what went wrong.
pub fn error(text: &str) {
    let _ = writeln!(std::io::stderr(), "grantor: {text}");
}

/// A line on standard error for the person at the terminal.
pub fn note(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// One JSON value on standard output.
///
/// # Errors
/// If the value cannot be written.
pub fn json(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).map_err(|cause| Failure::Refused(cause.to_string()))?;
    line(&text);
    Ok(())
}

/// Rows under headings, in columns as wide as they must be.
pub fn table(headings: &[&str], rows: &[Vec<String>]) {
    let mut widths: Vec<usize> = headings.iter().map(|heading| heading.len()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let print = |cells: &[String]| {
        let padded: Vec<String> = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        line(padded.join("  ").trim_end());
    };
    print(&headings.iter().map(|heading| (*heading).to_owned()).collect::<Vec<_>>());
    for row in rows {
        print(row);
    }
}

/// Asks before something is destroyed.
///
/// # Errors
/// [`Failure::Refused`] if the answer is no, or nobody is there to answer.
pub fn confirm(question: &str, yes: bool) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() {
        return Err(Failure::Refused(format!("{question} Nobody is there to ask: add --yes")));
    }
    let _ = write!(std::io::stderr(), "{question} [y/N] ");
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    if matches!(answer.trim(), "y" | "Y" | "yes") {
        Ok(())
    } else {
        Err(Failure::Refused("nothing was changed".to_owned()))
    }
}
