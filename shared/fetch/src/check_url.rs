//! Which addresses are asked at all, and with how much trust.

use std::net::IpAddr;

use rustls::pki_types::DnsName;
use url::{Host, Url};

use crate::{Allowed, Forbidden, public::is_public};

/// The port of `https`, the only one that strangers may name: another one is more likely a service that was
/// never meant to be asked.
const HTTPS: u16 = 443;

/// How a host is treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trust {
    /// Its name may lead anywhere: the operator said so.
    Allowed,
    /// Its name has to lead to the public internet.
    Untrusted,
}

/// Judges `address` by itself. Where the name of its host leads is still to be seen.
///
/// `Url` has read the host [as browsers do](https://url.spec.whatwg.org/#host-parsing): `2130706433`, `0x7f.1`
/// and `①②⑦.0.0.1` all arrive here as the address 127.0.0.1, and what is left as a name is none of its forms.
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
