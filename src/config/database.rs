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

/// What to do about a `PostgreSQL` URL that is refused: most often a password stands in it as it is.
const ESCAPES: &str = "percent-encode the user, the password and whatever else stands in it: `%` is `%25`, \
                       `/` is `%2F`, `?` is `%3F`, `#` is `%23`, `@` is `%40`, `:` is `%3A`, `&` is `%26`, \
                       `=` is `%3D`";

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
            Some(("postgres" | "postgresql", "")) => Err(format!("names no server; {forms}")),
            Some(("postgres" | "postgresql", rest)) => match flaw(rest) {
                None => Ok(Self::Postgres(text.to_owned())),
                Some(flaw) => Err(format!("{flaw}; {ESCAPES}")),
            },
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

/// What is wrong with a `PostgreSQL` URL (after `://`), if anything is. libpq quotes what it cannot read, and takes
/// a URL apart elsewhere than people do where a password is not escaped; so it is given neither.
fn flaw(rest: &str) -> Option<&'static str> {
    let (authority, place) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let hosts = authority.rsplit_once('@').map_or(authority, |(_, hosts)| hosts);
    let (path, query) = place.split_once('?').unwrap_or((place, ""));
    if !rest.split('%').skip(1).all(begins_with_a_byte) {
        return Some("has a `%` without two hexadecimal digits after it (and `%00` is none)");
    }
    if !hosts.split(',').all(is_host) {
        return Some("has a port that is no number from 1 to 65535, or an IPv6 address that is not in `[` and `]`");
    }
    // libpq looks for the `@` up to the first `/`, beyond `?` and `#`.
    if path.starts_with('#') || path.contains('@') || (path.is_empty() && query.contains('@')) {
        return Some("has a `/`, `?` or `#` before its `@`");
    }
    if !query.is_empty() && query.split('&').any(|parameter| parameter.matches('=').count() != 1) {
        return Some("has a parameter that is not `name=value`");
    }
    None
}

/// Whether this, which stood behind a `%`, goes on as an escaped byte that libpq takes.
fn begins_with_a_byte(text: &str) -> bool {
    let digits = text.as_bytes().get(..2);
    digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit) && digits != b"00")
}

/// Whether this is `host`, `host:port`, `[address]` or `[address]:port`; libpq has defaults for an empty host or port.
fn is_host(text: &str) -> bool {
    let port = match text.strip_prefix('[').map(|text| text.split_once(']')) {
        Some(Some(("", _)) | None) => return false,
        Some(Some((_, ""))) => return true,
        Some(Some((_, after))) => after.strip_prefix(':'),
        None => text.split_once(':').map_or(Some(""), |(_, port)| Some(port)),
    };
    port.is_some_and(|port| {
        let is_number = port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0);
        port.is_empty() || is_number
    })
}

/// Hides the passwords of a `PostgreSQL` URL; of one that cannot be taken apart safely, everything.
fn redact(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return "(set)".to_owned();
    };
    if flaw(rest).is_some() {
        return format!("{scheme}://***");
    }
    let (place, query) = rest.split_once('?').map_or((rest, None), |(place, query)| (place, Some(query)));
    let (user, place) = place.rsplit_once('@').map_or((None, place), |(user, place)| (Some(user), place));
    let user = user.map_or_else(String::new, |user| match user.split_once(':') {
        Some((name, _)) => format!("{name}:***@"),
        None => format!("{user}@"),
    });
    let query = query.map_or_else(String::new, |query| {
        format!("?{}", query.split('&').map(parameter).collect::<Vec<_>>().join("&"))
    });
    format!("{scheme}://{user}{place}{query}")
}

/// One parameter of the query, without its value where that is a password. An escaped name could spell `password` unseen.
fn parameter(text: &str) -> String {
    let name = text.split('=').next().unwrap_or_default();
    let lower = name.to_ascii_lowercase();
    if ["pass", "secret", "scram", "%"].iter().any(|part| lower.contains(part)) {
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
            ("postgresql://me:hun@ter2@h/d", "postgresql://me:***@h/d"),
            ("postgresql://me:hun@ter2/hunter2?@h/d", "postgresql://***"),
            ("postgres://me@h/d?sslmode=require&password=hunter2", "postgres://me@h/d?sslmode=require&password=***"),
            ("postgres://h/d?password=hunter2@x", "postgres://h/d?password=***"),
            ("postgres://h/d?p%61ssword=hunter2", "postgres://h/d?p%61ssword=***"),
            ("postgres://h/d?scram_client_key=hunter2", "postgres://h/d?scram_client_key=***"),
        ] {
            let database = DatabaseUrl::Postgres(url.into());
            assert_eq!(database.to_string(), shown);
            assert_eq!(format!("{database:?}"), format!("{shown:?}"));
        }
    }

    #[test]
    fn a_postgresql_url_is_kept_as_it_is_written() {
        for url in [
            "postgres://me:p@ss@h/d",
            "postgres://me:hun%2Fter:2,[@h:5432/d",
            "postgres://me:hunter2@a:5432,b,[::1]:5433,[fe80::1%25eth0]/d?target_session_attrs=read-write",
            "postgres://me@%2Frun%2Fpostgresql:/d?",
            "postgres://h/d?user=me&password=hun@ter2/#",
            "postgres://h?p%61ssword=hunter2",
            "postgresql:///d?host=/run/postgresql",
        ] {
            let parsed = DatabaseUrl::parse(url).unwrap();
            assert_eq!(parsed, DatabaseUrl::Postgres(url.into()));
            for shown in [parsed.to_string(), format!("{parsed:?}")] {
                assert!(!["p@ss", "hun", "ter2"].iter().any(|part| shown.contains(part)), "{shown}");
            }
        }
    }

    #[test]
    fn a_password_that_is_not_escaped_is_refused_and_not_repeated() {
        let escape = "has a `%` without";
        let host = "has a port that is no number";
        let early = "has a `/`, `?` or `#` before its `@`";
        let parameter = "has a parameter that is not";
        for (url, flaw) in [
            ("postgres://me:100%hunter2@h/d", escape),
            ("postgres://me:hunter2%@h/d", escape),
            ("postgres://me:hunter2%4@h/d", escape),
            ("postgres://me:hunter2%é@h/d", escape),
            ("postgres://me:hunter2%00@h/d", escape),
            ("postgres://h/d?password=hunter2%", escape),
            ("postgres://me:hunter2/hunter2@h/d", host),
            ("postgres://me:hunter2?hunter2@h/d", host),
            ("postgres://me:hunter2#hunter2@h/d", host),
            ("postgres://me:hunter2", host),
            ("postgres://me:hunter2@h:hunter2/d", host),
            ("postgres://me:hunter2@h:5432,b:+5433/d", host),
            ("postgres://me:hunter2@h:0/d", host),
            ("postgres://me:hunter2@h:65536/d", host),
            ("postgres://me:hunter2@::1/d", host),
            ("postgres://me:hunter2@[::1/d", host),
            ("postgres://me:hunter2@[]/d", host),
            ("postgres://me:hunter2@[::1]hunter2/d", host),
            ("postgres://me:5/hunter2@h/d", early),
            ("postgres://me:5?hunter2@h/d", early),
            ("postgres://me:5#hunter2@h/d", early),
            ("postgres://me:hunter2@hunter2/hunter2@h/d", early),
            ("postgres://hunter2?password=hunter2@h/d", early),
            ("postgres://me:5/hunter2?hunter2@h/d", parameter),
            ("postgres://h/d?password=hunter2&hunter2", parameter),
            ("postgres://h/d?password=hunter2=hunter2", parameter),
        ] {
            let fix = DatabaseUrl::parse(url).unwrap_err();
            assert!(fix.starts_with(flaw) && fix.contains("`%` is `%25`, `/` is `%2F`"), "{url}: {fix}");
            let database = DatabaseUrl::Postgres(url.into());
            for shown in [fix, database.to_string(), format!("{database:?}")] {
                assert!(!shown.contains("hunter2"), "{shown}");
            }
        }
    }
}
