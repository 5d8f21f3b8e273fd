//! Which of the known kinds of file a text is, and the records in it, each with its line.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::admin::import::problem::Problem;

crate::words! {
    /// The kinds of file that are read.
    Format {
        /// One JSON object a line.
        Lines = "lines",
        /// One JSON array of objects.
        Array = "array",
        /// What Keycloak exports of a realm.
        Keycloak = "keycloak",
    }
}

/// A record as it stands in the file.
pub(in crate::admin::import) struct Located<'a> {
    /// Its line, from 1.
    pub(in crate::admin::import) line: usize,
    /// JSON that is well formed in an array and an export, and perhaps not on a line.
    pub(in crate::admin::import) json: &'a str,
}

/// As much of Keycloak's export as says where the users are.
#[derive(Deserialize)]
struct Export<'a> {
    #[serde(borrow)]
    users: Option<Vec<&'a RawValue>>,
}

/// Tells the kind of file by its content.
pub(in crate::admin::import) fn read(text: &str) -> Result<(Format, Vec<Located<'_>>), Problem> {
    let not_json = |error: &serde_json::Error| Problem::new(error.line(), "file", format_args!("not JSON: {error}"));
    if text.trim_start().starts_with('[') {
        let records: Vec<&RawValue> = serde_json::from_str(text).map_err(|error| not_json(&error))?;
        return Ok((Format::Array, located(text, &records)));
    }
    match serde_json::from_str::<Export<'_>>(text) {
        Ok(Export { users: Some(users) }) => Ok((Format::Keycloak, located(text, &users))),
        Ok(Export { users: None }) => Ok((Format::Lines, lines(text))),
        // Several objects are no JSON document; where the first line is one, each line is.
        Err(_) if first_line_is_json(text) => Ok((Format::Lines, lines(text))),
        Err(error) => Err(not_json(&error)),
    }
}

fn first_line_is_json(text: &str) -> bool {
    let first = text.lines().find(|line| !line.trim().is_empty());
    first.is_some_and(|line| serde_json::from_str::<IgnoredAny>(line).is_ok())
}

fn lines(text: &str) -> Vec<Located<'_>> {
    let numbered = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    numbered.map(|(index, json)| Located { line: index + 1, json }).collect()
}

fn located<'a>(text: &'a str, records: &[&'a RawValue]) -> Vec<Located<'a>> {
    let (mut line, mut counted_to) = (1, 0);
    let locate = |record: &&'a RawValue| {
        let json = record.get();
        // The record is a part of the text: the distance of their beginnings is its place there.
        let start = json.as_ptr() as usize - text.as_ptr() as usize;
        line += text[counted_to..start].matches('\n').count();
        counted_to = start;
        Located { line, json }
    };
    records.iter().map(locate).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_lines(text: &str) -> (Format, Vec<usize>) {
        let (format, records) = read(text).map_err(|problem| problem.to_string()).unwrap();
        (format, records.iter().map(|record| record.line).collect())
    }

    #[test]
    fn the_content_says_which_kind_of_file_it_is() {
        assert_eq!(read_lines("{\"username\":\"a\"}\n\n{\"username\":\"b\"}\n"), (Format::Lines, vec![1, 3]));
        assert_eq!(read_lines("{\"username\":\"a\"}"), (Format::Lines, vec![1]));
        assert_eq!(read_lines("\n[\n {\"username\":\"a\"},\n\n {\n\"username\":\"b\"}]"), (Format::Array, vec![3, 5]));
        let export = "{\n\"realm\": \"x\",\n\"users\": [ {\n\"username\":\"a\"}, {} ],\n\"clients\": []\n}";
        assert_eq!(read_lines(export), (Format::Keycloak, vec![3, 4]));
    }

    #[test]
    fn what_is_no_json_is_refused_with_its_line() {
        for (text, line) in [("{\n\"users\": [\n{]", 3), ("[{},\n{\"a\":}]", 2), ("username,email\nx,y\n", 1)] {
            let problem = read(text).map(|(format, _)| format).unwrap_err();
            assert_eq!((problem.line, problem.field.as_str()), (line, "file"), "{problem}");
        }
    }
}
