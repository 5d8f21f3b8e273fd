//! The cookie of a session of the console (RFC 6265 §4.2).

use grantor::http::console::browser::secret_in;

/// What it is called over TLS, and over plain HTTP.
const NAMES: [&str; 2] = ["__Host-grantor", "grantor_session"];

/// Each line of an input is one line of the header `Cookie`.
pub fn run(data: &[u8]) {
    let lines: Vec<&[u8]> = data.split(|byte| *byte == b'\n').collect();
    for name in NAMES {
        let found = |lines: &[&[u8]]| {
            secret_in(lines.iter().copied(), name).map(|secret| {
                assert_eq!(format!("{secret:?}"), "Secret(SecretString(redacted))");
                secret.expose().to_owned()
            })
        };
        let Some(secret) = found(&lines) else {
            // Whatever a browser sends, it does not keep the cookie that follows from being found.
            let is_named = lines.iter().any(|line| contains(line, name.as_bytes()));
            let ours = format!("a=b; {name}={}; c=d", "s".repeat(43));
            let with_ours: Vec<&[u8]> = lines.iter().copied().chain([ours.as_bytes()]).collect();
            assert!(is_named || found(&with_ours) == Some("s".repeat(43)), "a cookie hides ours");
            continue;
        };
        assert!(secret.len() == 43 && secret.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        // To the letter: no browser lets another host set a cookie that is called so.
        let pair = format!("{name}={secret}");
        assert!(lines.iter().any(|line| contains(line, pair.as_bytes())), "a cookie was taken for ours");
        assert_eq!(found(&[pair.as_bytes()]), Some(secret.clone()));
        let first: Vec<&[u8]> = [pair.as_bytes()].into_iter().chain(lines.iter().copied()).collect();
        assert_eq!(found(&first), Some(secret), "the first of the name counts");
    }
}

fn contains(line: &[u8], part: &[u8]) -> bool {
    line.windows(part.len()).any(|window| window == part)
}
