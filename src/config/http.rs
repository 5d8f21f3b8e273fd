//! The `[http]` section: further token paths, origins of browsers, and proxies.

use std::net::IpAddr;

use ipnet::IpNet;
use url::Url;

use crate::config::choices::ErrorShape;
use crate::config::error::Refused;
use crate::config::parsed;
use crate::config::settings::{Http, TokenPath};

/// The paths this server answers by itself, which no further token path may cover.
const BUILT_IN: &[&str] = &[
    "/oauth/token",
    "/oauth/introspect",
    "/oauth/revoke",
    "/oauth/userinfo",
    "/oauth/authorize",
    "/oauth/device_authorization",
    "/.well-known/openid-configuration",
    "/.well-known/oauth-authorization-server",
    "/.well-known/jwks.json",
    "/verify",
    "/health/live",
    "/health/ready",
    "/api/v1/me",
    "/api/openapi.json",
];

/// Checks `[http]`.
///
/// # Errors
/// A path, an origin or a network that is none.
pub(crate) fn http(parsed: parsed::Http) -> Result<Http, Refused> {
    Ok(Http {
        token_path: token_paths(parsed.token_path)?,
        cors_origins: parsed.cors_origins.into_iter().map(origin).collect::<Result<_, _>>()?,
        trusted_proxies: parsed.trusted_proxies.iter().map(|text| network(text)).collect::<Result<_, _>>()?,
    })
}

/// The further token paths, each once.
fn token_paths(parsed: Vec<parsed::TokenPath>) -> Result<Vec<TokenPath>, Refused> {
    let mut paths: Vec<TokenPath> = Vec::with_capacity(parsed.len());
    for parsed::TokenPath { path, errors } in parsed {
        let refused = |fix: String| Err(Refused::new("http.token_path", fix));
        if let Err(fix) = check_path(&path) {
            return refused(format!("the path {path:?} {fix}"));
        }
        if let Some(own) = BUILT_IN.iter().find(|own| covers(&path, own)) {
            return refused(format!("the path \"{path}\" covers the built-in {own}; write another path"));
        }
        if paths.iter().any(|other| other.path == path) {
            return refused(format!("the path \"{path}\" stands there twice; remove one of the two"));
        }
        let errors = match errors.as_deref() {
            None | Some("rfc6749") => ErrorShape::Rfc6749,
            Some("akeneo") => ErrorShape::Akeneo,
            Some(_) => return refused(format!("`errors` of \"{path}\" must be \"rfc6749\" or \"akeneo\"")),
        };
        paths.push(TokenPath { path, errors });
    }
    Ok(paths)
}

/// Whether the text is a path of plain segments and `{any}`.
fn check_path(path: &str) -> Result<(), &'static str> {
    let Some(segments) = path.strip_prefix('/') else {
        return Err("must start with a slash");
    };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    for segment in segments.split('/') {
        match segment {
            "{any}" => {}
            "" => return Err("has an empty segment; remove the slash at its end, or the doubled one"),
            "." | ".." => return Err("has a segment of dots; write the path without it"),
            _ if segment.bytes().all(plain) => {}
            _ => return Err("may only have letters, digits, '-', '.', '_', '~' and whole segments `{any}`"),
        }
    }
    Ok(())
}

/// Whether the pattern matches the path.
fn covers(pattern: &str, path: &str) -> bool {
    let mut segments = path.split('/');
    let all = pattern.split('/').all(|one| segments.next().is_some_and(|other| one == "{any}" || one == other));
    all && segments.next().is_none()
}

/// An origin, spelt as browsers send it: anything else would never match.
fn origin(text: String) -> Result<String, Refused> {
    let refused = |fix: String| Err(Refused::new("http.cors_origins", fix));
    let Some(url) = Url::parse(&text).ok().filter(|url| matches!(url.scheme(), "http" | "https")) else {
        return refused(format!("{text:?} is no origin; write for instance \"https://app.example.com\""));
    };
    let canonical = url.origin().ascii_serialization();
    if canonical != text {
        return refused(format!("{text:?} is not how a browser writes an origin; write \"{canonical}\""));
    }
    Ok(text)
}

/// A network, or one address.
fn network(text: &str) -> Result<IpNet, Refused> {
    let text = text.trim();
    let address = || text.parse::<IpAddr>().map(IpNet::from);
    text.parse::<IpNet>().map(|network| network.trunc()).or_else(|_| address()).map_err(|_| {
        Refused::new("http.trusted_proxies", format!("{text:?} is no network; write for instance \"10.0.0.0/8\""))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(list: &[(&str, Option<&str>)]) -> Result<Vec<TokenPath>, String> {
        let entry = |(path, errors): &(&str, Option<&str>)| parsed::TokenPath {
            path: (*path).to_owned(),
            errors: errors.map(str::to_owned),
        };
        token_paths(list.iter().map(entry).collect()).map_err(|refused| refused.fix)
    }

    #[test]
    fn a_further_token_path_may_have_a_segment_of_any_text() {
        let two =
            paths(&[("/api/oauth/v1/token", Some("akeneo")), ("/realms/{any}/protocol/openid-connect/token", None)])
                .unwrap();
        assert_eq!(two[0].errors, ErrorShape::Akeneo);
        assert_eq!(two[1].errors, ErrorShape::Rfc6749);
    }

    #[test]
    fn a_path_that_is_taken_is_refused() {
        for taken in ["/oauth/token", "/{any}/token", "/oauth/{any}", "/{any}"] {
            assert!(paths(&[(taken, None)]).unwrap_err().contains("covers the built-in"), "{taken}");
        }
        assert!(paths(&[("/a", None), ("/a", Some("akeneo"))]).unwrap_err().contains("twice"));
    }

    #[test]
    fn a_path_that_is_none_is_refused() {
        for wrong in ["", "token", "/", "/a/", "//a", "/a?b", "/{id}", "/a{any}", "/../a", "/a b"] {
            assert!(paths(&[(wrong, None)]).is_err(), "{wrong}");
        }
        assert!(paths(&[("/a", Some("rfc"))]).unwrap_err().contains("must be \"rfc6749\" or \"akeneo\""));
    }

    #[test]
    fn an_origin_is_spelt_as_a_browser_spells_it() {
        assert!(origin("https://app.example.com".to_owned()).is_ok());
        for wrong in ["https://app.example.com/", "https://App.example.com", "https://app.example.com:443"] {
            assert!(
                origin(wrong.to_owned()).unwrap_err().fix.ends_with("write \"https://app.example.com\""),
                "{wrong}"
            );
        }
        assert!(origin("*".to_owned()).is_err());
    }

    #[test]
    fn a_proxy_is_a_network_or_an_address() {
        assert_eq!(network("10.0.0.7").unwrap().to_string(), "10.0.0.7/32");
        assert_eq!(network("10.1.2.3/8").unwrap().to_string(), "10.0.0.0/8");
        assert!(network("proxy.example.com").is_err());
    }
}
