//! Checks addresses before anything is sent to them.

use std::net::IpAddr;

use rustls::pki_types::DnsName;
use url::{Host, Url};

use crate::{Allowed, Forbidden, public::is_public};

/// The port of `https`, the only one that is allowed for unknown hosts: another one is more likely an internal service.
const HTTPS: u16 = 443;

/// How a host is treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trust {
    /// Its name may resolve to any address, because the operator has allowed it.
    Allowed,
    /// Its name must resolve to public addresses.
    Untrusted,
}

/// Suffixes of names that are never on the public internet: of the machine itself, and of home and company networks ([RFC
/// 6761](https://www.rfc-editor.org/rfc/rfc6761), [RFC 6762](https://www.rfc-editor.org/rfc/rfc6762), [RFC
/// 8375](https://www.rfc-editor.org/rfc/rfc8375), and ICANN's reservation of `internal`).
const PRIVATE_NAMES: [&str; 4] = ["localhost", "local", "home.arpa", "internal"];

/// Whether `address` is obviously private: nobody on the public internet can open it.
pub(crate) fn is_private(address: &Url) -> bool {
    match address.host() {
        Some(Host::Ipv4(address)) => !is_public(IpAddr::V4(address)),
        Some(Host::Ipv6(address)) => !is_public(IpAddr::V6(address)),
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            let ends_with = |ending: &str| {
                name.strip_suffix(ending).is_some_and(|front| front.is_empty() || front.ends_with('.'))
            };
            PRIVATE_NAMES.into_iter().any(ends_with)
        }
        None => true,
    }
}

/// Checks `address` by itself. The name of its host is not resolved here.
///
/// `Url` has read the host [as browsers do](https://url.spec.whatwg.org/#host-parsing): `2130706433`, `0x7f.1` and
/// `①②⑦.0.0.1` all arrive here as the address 127.0.0.1, and a host that is still a name is not an address in disguise.
pub(crate) fn check_url(address: &Url, allowed: &Allowed) -> Result<Trust, Forbidden> {
    if !matches!(address.scheme(), "https" | "http") {
        return Err(Forbidden::Scheme);
    }
    // The client would turn them into an `Authorization` header.
    if !address.username().is_empty() || address.password().is_some() {
        return Err(Forbidden::Credentials);
    }
    let (Some(host), Some(port)) = (address.host(), address.port_or_known_default()) else {
        return Err(Forbidden::Host);
    };
    if allowed.has(&host, port) {
        return Ok(Trust::Allowed);
    }

    if address.scheme() != "https" {
        return Err(Forbidden::Scheme);
    }
    let may_be_public = match host {
        // The client connects to these without asking any resolver.
        Host::Ipv4(address) => is_public(IpAddr::V4(address)),
        Host::Ipv6(address) => is_public(IpAddr::V6(address)),
        // No certificate can be for anything else.
        Host::Domain(name) => DnsName::try_from(name).is_ok(),
    };
    if !may_be_public {
        return Err(Forbidden::Host);
    }
    if port != HTTPS {
        return Err(Forbidden::Port);
    }
    Ok(Trust::Untrusted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_say_itself_that_it_is_private() {
        for private in [
            "https://localhost/a.jpg",
            "https://LOCALHOST./a.jpg",
            "https://media.localhost/",
            "https://printer.local/",
            "https://minio.internal:9000/",
            "http://127.0.0.1:3000/",
            "https://2130706433/",
            "https://10.0.0.1/",
            "https://[::1]/",
            "https://[fd00::7]/",
        ] {
            assert!(is_private(&Url::parse(private).unwrap()), "{private}");
        }
        for other in
            ["https://images.example.com/", "http://1.1.1.1/", "https://mylocalhost/", "https://a.locals/"]
        {
            assert!(!is_private(&Url::parse(other).unwrap()), "{other}");
        }
    }
}
