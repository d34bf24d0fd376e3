//! Which addresses are on the public internet.
//!
//! The tables follow IANA's registries of special-purpose addresses
//! ([IPv4](https://www.iana.org/assignments/iana-ipv4-special-registry),
//! [IPv6](https://www.iana.org/assignments/iana-ipv6-special-registry)): a block that is not "Globally Reachable" there is
//! refused. If a refused block contains a few reachable addresses (anycast services of routers, for example 192.0.0.9),
//! those are refused too: none of them serves media. The standard library has the same as `IpAddr::is_global`, but
//! unstable.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

/// The blocks of IPv4 that are not public.
const SPECIAL_V4: [Ipv4Net; 15] = [
    v4([0, 0, 0, 0], 8),  // "this network", RFC 791: Linux takes 0.0.0.0 for the machine itself
    v4([10, 0, 0, 0], 8), // private, RFC 1918
    v4([100, 64, 0, 0], 10), // shared by a carrier's customers, RFC 6598
    v4([127, 0, 0, 0], 8), // loopback, RFC 1122
    v4([169, 254, 0, 0], 16), // link-local, RFC 3927: the cloud's metadata
    v4([172, 16, 0, 0], 12), // private, RFC 1918
    v4([192, 0, 0, 0], 24), // protocol assignments, RFC 6890
    v4([192, 0, 2, 0], 24), // documentation, RFC 5737
    v4([192, 88, 99, 0], 24), // relays from 6to4, RFC 7526
    v4([192, 168, 0, 0], 16), // private, RFC 1918
    v4([198, 18, 0, 0], 15), // benchmarks, RFC 2544
    v4([198, 51, 100, 0], 24), // documentation, RFC 5737
    v4([203, 0, 113, 0], 24), // documentation, RFC 5737
    v4([224, 0, 0, 0], 4), // multicast, RFC 5771
    v4([240, 0, 0, 0], 4), // reserved, RFC 1112; its last address is the limited broadcast, RFC 8190
];

/// All of IPv6 that has ever been given out for hosts of the public internet
/// ([RFC 4291, section 2.4](https://www.rfc-editor.org/rfc/rfc4291#section-2.4), and IANA's registry of global
/// unicast addresses).
///
/// Outside are, among others: the unspecified address and loopback (RFC 4291), addresses of IPv4 in all their
/// wrappings (`::/96` and `::ffff:0:0/96`, RFC 4291; `::ffff:0:0:0/96`, RFC 2765; `64:ff9b::/96`, RFC 6052;
/// `64:ff9b:1::/48`, RFC 8215), `100::/64` (discarded, RFC 6666), `5f00::/16` (segments, RFC 9602), `fc00::/7`
/// (private, RFC 4193: here too is the cloud's metadata), `fe80::/10` (link-local, RFC 4291), `fec0::/10`
/// (site-local, RFC 3879) and `ff00::/8` (multicast, RFC 4291).
const GLOBAL_V6: Ipv6Net = v6([0x2000, 0], 3);

/// The blocks within [`GLOBAL_V6`] that are not public.
const SPECIAL_V6: [Ipv6Net; 4] = [
    // Protocol assignments, RFC 2928: Teredo, which wraps IPv4 (`2001::/32`, RFC 4380), benchmarks
    // (`2001:2::/48`, RFC 5180), hashes that are no addresses (ORCHID, `2001:10::/28` and `2001:20::/28`,
    // RFC 4843 and 7343).
    v6([0x2001, 0], 23),
    v6([0x2001, 0xdb8], 32), // documentation, RFC 3849
    v6([0x2002, 0], 16),     // 6to4, which wraps IPv4, RFC 3056
    v6([0x3fff, 0], 20),     // documentation, RFC 9637
];

const fn v4([a, b, c, d]: [u8; 4], prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6([a, b]: [u16; 2], prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, 0, 0, 0, 0, 0, 0), prefix)
}

/// Whether a host of the public internet can have `address`.
pub(crate) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !SPECIAL_V4.iter().any(|block| block.contains(&address)),
        IpAddr::V6(address) => {
            GLOBAL_V6.contains(&address) && !SPECIAL_V6.iter().any(|block| block.contains(&address))
        }
    }
}

#[cfg(test)]
mod tests {
    use ipnet::IpNet;

    use super::*;

    /// The rows of both registries, but for those that are globally reachable and within no row that is not; and
    /// the blocks that other RFCs take out of use.
    const SPECIAL: &[&str] = &[
        // IPv4
        "0.0.0.0/8",
        "0.0.0.0/32",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.0.0/29",
        "192.0.0.8/32",
        "192.0.0.9/32",
        "192.0.0.10/32",
        "192.0.0.170/32",
        "192.0.0.171/32",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4", // multicast, a registry of its own
        "240.0.0.0/4",
        "255.255.255.255/32",
        // IPv6
        "::1/128",
        "::/128",
        "::ffff:0:0/96",
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "100::/64",
        "100:0:0:1::/64",
        "2001::/23",
        "2001::/32",
        "2001:1::1/128",
        "2001:1::2/128",
        "2001:1::3/128",
        "2001:2::/48",
        "2001:3::/32",
        "2001:4:112::/48",
        "2001:10::/28",
        "2001:20::/28",
        "2001:30::/28",
        "2001:db8::/32",
        "2002::/16",
        "3fff::/20",
        "5f00::/16",
        "fc00::/7",
        "fe80::/10",
        "::/96",           // IPv4, RFC 4291, section 2.5.5.1
        "::ffff:0:0:0/96", // IPv4, RFC 2765
        "fec0::/10",       // site-local, RFC 3879
        "ff00::/8",        // multicast
        "::/3",            // never given out
        "4000::/2",
        "8000::/1",
    ];

    /// Where public blocks begin and end next to those above, and some that everybody knows.
    const PUBLIC: &[&str] = &[
        "1.0.0.0",
        "1.1.1.1",
        "8.8.8.8",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "169.253.255.255",
        "169.255.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "191.255.255.255",
        "192.0.1.0",
        "192.0.1.255",
        "192.0.3.0",
        "192.88.98.255",
        "192.88.100.0",
        "192.167.255.255",
        "192.169.0.0",
        "198.17.255.255",
        "198.20.0.0",
        "198.51.99.255",
        "198.51.101.0",
        "203.0.112.255",
        "203.0.114.0",
        "223.255.255.255",
        "2000::",
        "2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "2001:200::",
        "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff",
        "2001:db9::",
        "2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "2003::",
        "2606:4700:4700::1111",
        "2a00:1450:4001:80b::200e",
        "3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "3fff:1000::",
        "3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    ];

    #[test]
    fn no_special_block_is_public() {
        for block in SPECIAL {
            let block: IpNet = block.parse().unwrap();

            for address in [block.network(), block.broadcast()] {
                assert!(!is_public(address), "{address} of {block}");
            }
        }
    }

    #[test]
    fn addresses_between_the_special_blocks_are_public() {
        for address in PUBLIC {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn an_address_of_ipv4_is_never_public_in_the_wrappings_of_ipv6() {
        for v4 in ["127.0.0.1", "169.254.169.254", "8.8.8.8"] {
            let v4: Ipv4Addr = v4.parse().unwrap();
            let [a, b] = [u32::from(v4) >> 16, u32::from(v4) & 0xffff];

            for wrapped in [
                v4.to_ipv6_mapped().to_string(),
                v4.to_ipv6_compatible().to_string(),
                format!("::ffff:0:{a:x}:{b:x}"),
                format!("64:ff9b::{a:x}:{b:x}"),
                format!("64:ff9b:1::{a:x}:{b:x}"),
                format!("2002:{a:x}:{b:x}::1"),
                format!("2001:0:{a:x}:{b:x}::1"),
                format!("2001::{:x}:{:x}", !a & 0xffff, !b & 0xffff), // Teredo inverts the client's
                format!("fe80::5efe:{a:x}:{b:x}"),
            ] {
                assert!(!is_public(wrapped.parse().unwrap()), "{wrapped}");
            }
        }
    }
}
