//! The hosts that are exempt from the rules for unknown hosts.

use std::str::FromStr;

use url::{Host, Url};

use crate::check_url::is_private;

/// The ports of an entry without a port: `https` and `http`.
const DEFAULT_PORTS: [u16; 2] = [443, 80];

/// Hosts from which media may be fetched even if they are private or do not use TLS.
///
/// Every user of the API can then send any GET request to such a host: it should serve only media.
///
/// Written as a list with commas, in the setting `PINWRIGHT_FETCH_ALLOW`: `minio.internal:9000, 10.0.0.7, [fd00::7]:8443`.
/// An entry without a port means ports 443 and 80. The default is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allowed(Vec<Entry>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    host: Host,
    port: Option<u16>,
}

/// An entry that names no host.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{entry}\" {fault}")]
pub struct BadEntry {
    /// The entry, as it was written.
    pub entry: String,
    /// What is wrong with it.
    pub fault: &'static str,
}

impl Allowed {
    /// Whether `address` may be on the public internet, as far as the address itself shows it, or its host is one of these.
    #[must_use]
    pub fn may_be_fetched(&self, address: &Url) -> bool {
        let is_listed = match (address.host(), address.port_or_known_default()) {
            (Some(host), Some(port)) => self.has(&host, port),
            _ => false,
        };
        is_listed || !is_private(address)
    }

    /// Whether `port` of `host` may be fetched from, whatever the host's address is.
    pub(crate) fn has(&self, host: &Host<&str>, port: u16) -> bool {
        let is_its = |entry: &Entry| match entry.port {
            Some(own) => own == port,
            None => DEFAULT_PORTS.contains(&port),
        };
        self.0.iter().any(|entry| entry.host == *host && is_its(entry))
    }
}

impl FromStr for Allowed {
    type Err = BadEntry;

    fn from_str(list: &str) -> Result<Self, BadEntry> {
        if list.trim().is_empty() {
            return Ok(Self::default());
        }
        let entries = list.split(',').map(|entry| {
            let entry = entry.trim();
            Entry::read(entry).map_err(|fault| BadEntry { entry: entry.to_owned(), fault })
        });
        entries.collect::<Result<_, _>>().map(Self)
    }
}

impl Entry {
    fn read(entry: &str) -> Result<Self, &'static str> {
        if entry.is_empty() {
            return Err("is an entry without a host");
        }
        if entry.contains("//") {
            return Err("is an address: write only its host, and its port if it has one");
        }
        let (host, port) = split(entry)?;
        if host.contains('*') {
            return Err("is a pattern: write each host by itself");
        }
        let host = Host::parse(host).map_err(|_| "is not a host, nor a host and a port")?;
        Ok(Self { host, port: port.map(read_port).transpose()? })
    }
}

/// Parts `host:port`. The colons of an address of IPv6 are within brackets.
fn split(entry: &str) -> Result<(&str, Option<&str>), &'static str> {
    let end_of_v6 = entry.starts_with('[').then(|| entry.find(']')).flatten();
    let (host, rest) = entry.split_at(end_of_v6.map_or(0, |end| end + 1));
    match rest.split_once(':') {
        None => Ok((entry, None)),
        Some((_, port)) if port.contains(':') => Err("has too many colons: write IPv6 as [::1] or [::1]:443"),
        Some(("", port)) if !host.is_empty() => Ok((host, Some(port))),
        Some((name, port)) if host.is_empty() => Ok((name, Some(port))),
        Some(_) => Err("has something between the bracket and the colon"),
    }
}

fn read_port(port: &str) -> Result<u16, &'static str> {
    let is_number = port.bytes().all(|digit| digit.is_ascii_digit());
    let number = port.parse().ok().filter(|number| is_number && *number > 0);
    number.ok_or("has a port that is not a number from 1 to 65535")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(list: &str, address: &str) -> bool {
        let address = Url::parse(address).unwrap();
        let (host, port) = (address.host().unwrap(), address.port_or_known_default().unwrap());
        list.parse::<Allowed>().unwrap().has(&host, port)
    }

    #[test]
    fn an_entry_with_a_port_allows_that_port_only() {
        for (entry, origin) in [
            ("minio.internal:9000", "minio.internal"),
            ("10.0.0.7:9000", "10.0.0.7"),
            ("[fd00::7]:9000", "[fd00::7]"),
        ] {
            assert!(has(entry, &format!("http://{origin}:9000/")), "{entry}");
            assert!(has(entry, &format!("https://{origin}:9000/")), "{entry}");
            for other in ["http://{}/", "https://{}/", "http://{}:9001/", "http://{}:900/"] {
                assert!(!has(entry, &other.replace("{}", origin)), "{entry} {other}");
            }
        }
    }

    #[test]
    fn an_entry_without_a_port_allows_the_usual_two() {
        for host in ["minio.internal", "10.0.0.7", "[fd00::7]"] {
            assert!(has(host, &format!("http://{host}/")), "{host}");
            assert!(has(host, &format!("https://{host}/")), "{host}");
            assert!(has(host, &format!("https://{host}:80/")), "{host}");
            assert!(!has(host, &format!("https://{host}:8443/")), "{host}");
        }
    }

    #[test]
    fn a_host_is_the_same_in_every_spelling() {
        assert!(has("Media.Example", "https://mEDIA.example/"));
        assert!(has("bücher.example", "https://xn--bcher-kva.example/"));
        assert!(has("10.7", "https://0x0a.0.0.7/"));
        assert!(has("[FD00:0::7]", "https://[fd00::7]/"));
    }

    #[test]
    fn a_host_allows_no_other() {
        for other in
            ["https://a.media.example/", "https://media.example./", "https://example/", "https://media/"]
        {
            assert!(!has("media.example", other), "{other}");
        }
        assert!(!has("10.0.0.7", "https://[::ffff:10.0.0.7]/"));
    }

    #[test]
    fn a_list_allows_each_of_its_hosts() {
        let list = " a.example:1,b.example ,[::1]:3 ";

        assert!(
            has(list, "http://a.example:1/")
                && has(list, "http://b.example/")
                && has(list, "http://[::1]:3/")
        );
        assert!(!has(list, "http://a.example/") && !has(list, "http://b.example:1/"));
    }

    #[test]
    fn an_empty_list_allows_nothing() {
        for list in ["", "  "] {
            assert_eq!(list.parse(), Ok(Allowed::default()));
        }
        assert!(!has("", "https://example.com/"));
    }

    #[test]
    fn a_bad_entry_is_named_with_what_is_wrong() {
        for (entry, fault) in [
            ("", "without a host"),
            ("http://a.example", "is an address"),
            ("//a.example", "is an address"),
            ("*.example", "is a pattern"),
            ("::1", "too many colons"),
            ("fd00::7:9000", "too many colons"),
            ("[::1", "too many colons"),
            ("a.example:80:80", "too many colons"),
            ("[::1]x:80", "between the bracket and the colon"),
            ("[::1]x", "is not a host"),
            ("[10.0.0.7]", "is not a host"),
            (":80", "is not a host"),
            ("a b", "is not a host"),
            ("a.example/path", "is not a host"),
            ("user@a.example", "is not a host"),
            ("256.0.0.1", "is not a host"),
            ("a.example:", "has a port"),
            ("a.example:0", "has a port"),
            ("a.example:65536", "has a port"),
            ("a.example:+80", "has a port"),
            ("a.example:http", "has a port"),
            ("[::1]:", "has a port"),
        ] {
            let error = format!("b.example,{entry}").parse::<Allowed>().unwrap_err();

            assert_eq!(error.entry, entry);
            assert!(error.fault.contains(fault), "{error}");
        }
    }
}
