//! The database URL: which of the two databases, and where.

use std::fmt;
use std::path::PathBuf;

/// Which database, and where it is. Its `Debug` and `Display` hide the password.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// A file of `SQLite`: relative to the working folder, or absolute.
    Sqlite(PathBuf),
    /// A server of `PostgreSQL`: the whole URL, which can hold a password. Never log it; [`DatabaseUrl::redacted`] can be shown.
    Postgres(String),
}

impl DatabaseUrl {
    /// Reads `sqlite://path`, `postgres://…` or `postgresql://…`.
    ///
    /// # Errors
    /// The reason and the fix. It never repeats the text, which can hold a password.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let forms = "write \"sqlite://data/grantor.db\" or \"postgres://user:password@host/database\"";
        if text.chars().any(|c| c.is_control() || c.is_whitespace()) && !text.starts_with("sqlite://") {
            return Err(format!("a database URL has no spaces or line breaks; {forms}"));
        }
        match text.split_once("://") {
            Some(("sqlite", path)) => sqlite(path, forms),
            Some(("postgres" | "postgresql", rest)) if !rest.is_empty() => Ok(Self::Postgres(text.to_owned())),
            Some(("postgres" | "postgresql", _)) => Err(format!("names no server; {forms}")),
            // What stands before "://" is the scheme only if it looks like one; anything else could be part of a password.
            Some((scheme, _)) if scheme.len() <= 20 && scheme.bytes().all(|b| b.is_ascii_alphanumeric()) => {
                Err(format!("`{scheme}://` is no database this server knows; {forms}"))
            }
            _ => Err(format!("is not a database URL; {forms}")),
        }
    }

    /// The URL with whatever could be a password replaced: for logs and for people.
    #[must_use]
    pub fn redacted(&self) -> String {
        match self {
            Self::Sqlite(path) => format!("sqlite://{}", path.display()),
            Self::Postgres(url) => redact(url),
        }
    }
}

/// The path of `sqlite://path`.
fn sqlite(path: &str, forms: &str) -> Result<DatabaseUrl, String> {
    if path.is_empty() || path.ends_with('/') {
        return Err(format!("names no file; {forms}"));
    }
    if path.starts_with(":memory:") {
        return Err(format!("a database in memory forgets everything at the next start; {forms}"));
    }
    if path.contains(['?', '#', '\0']) {
        return Err(format!("a SQLite URL is only a path, without parameters; {forms}"));
    }
    Ok(DatabaseUrl::Sqlite(PathBuf::from(path)))
}

/// Hides the passwords of a `PostgreSQL` URL. It would rather hide too much than too little: a password need not be escaped
/// properly, so everything up to the last `@` counts as the user's part.
fn redact(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return "(set)".to_owned();
    };
    let (user, place) = match rest.rsplit_once('@') {
        Some((user, place)) => (Some(user), place),
        None => (None, rest),
    };
    // A `?` this early means that the `@` stood in a parameter, which can be the password.
    let user = user.map_or_else(String::new, |user| match user.split_once([':', '?']) {
        Some((name, _)) => format!("{name}:***@"),
        None => format!("{user}@"),
    });
    let place = match place.split_once('?') {
        Some((place, query)) => format!("{place}?{}", query.split('&').map(parameter).collect::<Vec<_>>().join("&")),
        None => place.to_owned(),
    };
    format!("{scheme}://{user}{place}")
}

/// One parameter of the query, without its value where that is a password. An escaped name could spell `password` unseen.
fn parameter(text: &str) -> String {
    let name = text.split('=').next().unwrap_or_default();
    if name.to_ascii_lowercase().contains("pass") || name.contains('%') {
        return format!("{name}=***");
    }
    text.to_owned()
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}", self.redacted())
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.redacted())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sqlite_url_is_a_relative_or_an_absolute_path() {
        let relative = DatabaseUrl::parse("sqlite://data/grantor.db");
        assert_eq!(relative, Ok(DatabaseUrl::Sqlite("data/grantor.db".into())));
        let absolute = DatabaseUrl::parse("sqlite:///var/lib/my grantor.db");
        assert_eq!(absolute, Ok(DatabaseUrl::Sqlite("/var/lib/my grantor.db".into())));
    }

    #[test]
    fn a_wrong_scheme_is_told_the_two_forms_there_are() {
        for wrong in [
            "sqllite://a.db",
            "mysql://root:hunter2@h/d",
            "data/grantor.db",
            "sqlite:a.db",
            "postgres:///",
            "a:hunter2@x://y",
        ] {
            if let Err(fix) = DatabaseUrl::parse(wrong) {
                assert!(
                    fix.contains("\"sqlite://data/grantor.db\" or \"postgres://user:password@host/database\""),
                    "{fix}"
                );
                assert!(!fix.contains("hunter2"), "{fix}");
            } else {
                assert_eq!(wrong, "postgres:///", "libpq takes its defaults from elsewhere");
            }
        }
        for wrong in [
            "sqlite://",
            "sqlite://:memory:",
            "sqlite://a.db?mode=ro",
            "sqlite://data/",
            "postgres://",
            "postgres://h/d\n",
        ] {
            assert!(DatabaseUrl::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_password_is_never_shown() {
        for (url, shown) in [
            ("postgres://me:hunter2@h:5432/d", "postgres://me:***@h:5432/d"),
            ("postgresql://me:hun@ter2/hunter2?@h/d", "postgresql://me:***@h/d"),
            ("postgres://me@h/d?sslmode=require&password=hunter2", "postgres://me@h/d?sslmode=require&password=***"),
            ("postgres://h/d?password=hunter2@x", "postgres://h/d:***@x"),
            ("postgres://h/d?p%61ssword=hunter2", "postgres://h/d?p%61ssword=***"),
        ] {
            let parsed = DatabaseUrl::parse(url).unwrap();
            assert_eq!(parsed.redacted(), shown);
            assert_eq!(format!("{parsed:?}"), format!("{shown:?}"));
            assert_eq!(parsed, DatabaseUrl::Postgres(url.into()));
        }
    }
}
