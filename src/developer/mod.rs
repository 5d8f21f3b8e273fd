//! What developers get beside their credentials: programs in their own language, a Postman collection, and the shapes of
//! secrets for scanners. Plain values go in, text comes out.

pub mod call;
pub mod inspection;
pub mod postman;
pub mod secret_formats;
pub mod snippets;

/// A file of variables that a shell and most programs read: `GRANTOR_<NAME>='<value>'`, a line for each.
#[must_use]
pub fn env_file(values: &[(&str, &str)]) -> String {
    let line = |(name, value): &(&str, &str)| {
        // The one character that single quotes do not take.
        format!("GRANTOR_{}='{}'\n", name.to_uppercase(), value.replace('\'', "'\\''"))
    };
    values.iter().map(line).collect()
}
