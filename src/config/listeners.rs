//! The listeners and the issuer: where the server answers, and under what name.

use std::net::SocketAddr;

use url::{Host, Url};

use crate::config::choices::IssuerSetting;
use crate::config::error::Refused;
use crate::config::parsed;
use crate::config::resolve::number;
use crate::config::settings::Server;

/// Checks `[server]`.
///
/// # Errors
/// An address that is none, or both listeners at one address.
pub(crate) fn server(parsed: &parsed::Server) -> Result<Server, Refused> {
    let address = socket("server.address", &parsed.address)?;
    let private_address = socket("server.private_address", &parsed.private_address)?;
    if address == private_address && address.port() != 0 {
        let fix = format!("is {address}, the same as `server.address`; write another port");
        return Err(Refused::new("server.private_address", fix));
    }
    let workers = number("server.workers", parsed.workers, 0..=1024)?;
    let drain = number("server.drain", parsed.drain, 0..=600)?;
    Ok(Server { address, private_address, workers, drain, allow_plain_http: parsed.allow_plain_http })
}

/// An IP address and a port.
fn socket(key: &str, text: &str) -> Result<SocketAddr, Refused> {
    let fix = "must be an IP address and a port, such as \"127.0.0.1:8080\" or \"[::1]:8080\"";
    text.trim().parse().map_err(|_| Refused::new(key, fix))
}

/// Checks the issuer, against the address of the public listener.
///
/// # Errors
/// An issuer that is no base of URLs, is plain http off loopback, or is missing where it cannot be derived.
pub(crate) fn issuer(given: Option<String>, server: &Server) -> Result<IssuerSetting, Refused> {
    let refused = |fix: String| Err(Refused::new("issuer", fix));
    let Some(issuer) = given else {
        if server.address.ip().is_loopback() {
            return Ok(IssuerSetting::FromAddress);
        }
        return refused(format!(
            "is required because `server.address` is {}, not loopback; write the URL that clients use, such as \
             \"https://id.example.com\"",
            server.address
        ));
    };
    let Some(url) = Url::parse(&issuer).ok().filter(|url| matches!(url.scheme(), "http" | "https")) else {
        return refused("must be an https URL, such as \"https://id.example.com\"".to_owned());
    };
    if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
        return refused(
            "must be a URL without user, query and fragment, such as \"https://id.example.com\"".to_owned(),
        );
    }
    // RFC 8414 section 3.3: clients compare the issuer character by character, so it has one spelling only.
    let canonical = url.as_str().trim_end_matches('/');
    if canonical != issuer {
        return refused(format!("must be spelt as clients will see it; write \"{canonical}\""));
    }
    if url.scheme() == "http" && !is_loopback(&url) && !server.allow_plain_http {
        return refused(
            "is plain http off loopback, where anyone on the way reads passwords and tokens; write https, or set \
             `server.allow_plain_http` = true"
                .to_owned(),
        );
    }
    Ok(IssuerSetting::Fixed(issuer))
}

/// Whether the host of the URL is this machine itself.
fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        // RFC 6761 section 6.3: names under `localhost` are loopback.
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(address: &str, allow_plain_http: bool) -> Server {
        let private_address = SocketAddr::from(([127, 0, 0, 1], 9080));
        Server { address: address.parse().unwrap(), private_address, workers: 0, drain: 0, allow_plain_http }
    }

    fn fix(given: &str) -> String {
        issuer(Some(given.to_owned()), &at("127.0.0.1:8080", false)).unwrap_err().fix
    }

    #[test]
    fn on_loopback_the_issuer_follows_from_the_bound_address() {
        let setting = issuer(None, &at("127.0.0.1:0", false)).unwrap();
        assert_eq!(setting, IssuerSetting::FromAddress);
        assert_eq!(setting.with_address(([127, 0, 0, 1], 40_001).into()), "http://127.0.0.1:40001");
    }

    #[test]
    fn off_loopback_the_issuer_is_required() {
        let refused = issuer(None, &at("0.0.0.0:8080", false)).unwrap_err();
        assert!(refused.fix.starts_with("is required because `server.address` is 0.0.0.0:8080"), "{}", refused.fix);
    }

    #[test]
    fn plain_http_off_loopback_needs_its_switch() {
        assert!(fix("http://id.example.com").contains("`server.allow_plain_http` = true"));
        assert!(fix("http://localhost.example.com").contains("plain http"));
        let plain = "http://id.example.com".to_owned();
        assert_eq!(issuer(Some(plain.clone()), &at("0.0.0.0:1", true)).unwrap(), IssuerSetting::Fixed(plain));
        for own in
            ["http://localhost:8080", "http://127.0.0.1:8080", "http://[::1]:8080", "https://id.example.com/auth"]
        {
            assert!(issuer(Some(own.to_owned()), &at("127.0.0.1:1", false)).is_ok(), "{own}");
        }
    }

    #[test]
    fn an_issuer_has_one_spelling_only() {
        for wrong in [
            "https://id.example.com/",
            "https://ID.example.com",
            "https://id.example.com:443",
            " https://id.example.com",
        ] {
            assert!(fix(wrong).ends_with("write \"https://id.example.com\""), "{wrong}");
        }
        for wrong in ["", "id.example.com", "ftp://id.example.com"] {
            assert!(fix(wrong).starts_with("must be an https URL"), "{wrong}");
        }
        for wrong in ["https://id.example.com?a=b", "https://id.example.com#a", "https://u:hunter2@id.example.com"] {
            let fix = fix(wrong);
            assert!(fix.starts_with("must be a URL without") && !fix.contains("hunter2"), "{fix}");
        }
    }
}
