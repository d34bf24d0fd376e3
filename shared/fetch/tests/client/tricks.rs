//! Addresses that are refused by themselves, however they are spelled.

use fetch::Forbidden::{self, Credentials, Host, Port, Scheme};
use url::Url;

use crate::harness::{AfterAnswer, FakeResolver, Site, Trap, client, forbidden, full_text, url};

/// Each address, and why it is refused. `None`: it cannot even be read as an address. A `PORT` is that of the
/// trap, at 127.0.0.1. A host is judged before its port, so that no bad port hides a good host.
const TRICKS: &[(&str, Option<Forbidden>)] = &[
    // 127.0.0.1 as numbers: each part, or fewer, in any base (https://url.spec.whatwg.org/#concept-ipv4-parser).
    ("https://127.0.0.1/", Some(Host)),
    ("https://127.0.0.1:PORT/", Some(Host)),
    ("https://2130706433/", Some(Host)),
    ("https://2130706433:PORT/", Some(Host)),
    ("https://0x7f000001/", Some(Host)),
    ("https://0X7F000001:PORT/", Some(Host)),
    ("https://017700000001/", Some(Host)),
    ("https://0x7f.0.0.1/", Some(Host)),
    ("https://0x7f.0x0.0x0.0x1:PORT/", Some(Host)),
    ("https://0177.0.0.1/", Some(Host)),
    ("https://0177.00.00.01:PORT/", Some(Host)),
    ("https://00000177.0.0.01/", Some(Host)),
    ("https://127.1/", Some(Host)),
    ("https://127.1:PORT/", Some(Host)),
    ("https://127.0.1/", Some(Host)),
    ("https://0x7f.1/", Some(Host)),
    ("https://0177.0x1/", Some(Host)),
    ("https://127.0x000001/", Some(Host)),
    ("https://127.0.0x0.01/", Some(Host)),
    ("https://127.65535/", Some(Host)),
    ("https://127.16777215/", Some(Host)),
    ("https://127.255.255.254/", Some(Host)),
    ("https://127.0.0.1./", Some(Host)),
    ("https://0x7f.1./", Some(Host)),
    ("https://2130706433./", Some(Host)),
    ("https://127.0.0.1../", Some(Host)),
    ("https://4294967296/", None), // one more than there are
    ("https://127.0.0.256/", None),
    ("https://127.0.0.1.0/", None),
    ("https://127.0.0.09/", None),
    ("https://0x100.0.0.1/", None),
    ("https://127.0.0x/", Some(Host)), // no digits are a zero
    // In other letters.
    ("https://①②⑦.⓪.⓪.①/", Some(Host)),
    ("https://①②⑦.⓪.⓪.①:PORT/", Some(Host)),
    ("https://\u{ff11}\u{ff12}\u{ff17}.0.0.1/", Some(Host)), // full width
    ("https://\u{ff11}\u{ff12}\u{ff17}\u{ff0e}\u{ff10}\u{ff0e}\u{ff10}\u{ff0e}\u{ff11}/", Some(Host)),
    ("https://127\u{3002}0\u{3002}0\u{3002}1/", Some(Host)), // ideographic full stops
    ("https://127\u{ff61}0\u{ff61}0\u{ff61}1:PORT/", Some(Host)),
    ("https://\u{ff10}\u{ff58}\u{ff17}\u{ff46}.1/", Some(Host)),
    ("https://𝟏𝟐𝟕.𝟎.𝟎.𝟏/", Some(Host)),
    ("https://¹²⁷.⁰.⁰.¹/", Some(Host)),
    ("https://127\u{ad}.0.0.1/", Some(Host)),
    ("https://127.0\u{200b}.0.1/", Some(Host)),
    ("https://%31%32%37.%30.%30.%31/", Some(Host)),
    ("https://127%2e0%2e0%2e1:PORT/", Some(Host)),
    ("https://127.0.0.%31/", Some(Host)),
    ("https://%30x7f%2E1/", Some(Host)),
    ("https://%EF%BC%91%32%37.0.0.1/", Some(Host)),
    ("https://%2531%2532%2537.0.0.1/", None),
    ("https://127.0.0.1%00.example.com/", None),
    ("https://127.0.0.1%2f.example.com/", None),
    ("https://127.0.0.1%23.example.com/", None),
    // With what browsers leave out or put right.
    ("https:127.0.0.1", Some(Host)),
    ("https:/127.0.0.1/", Some(Host)),
    ("https:///127.0.0.1/", Some(Host)),
    ("https:////////127.0.0.1/", Some(Host)),
    ("https:\\\\127.0.0.1\\", Some(Host)),
    ("https://127.0.0.1\\@example.com/", Some(Host)),
    (" https://127.0.0.1/ ", Some(Host)),
    ("ht\ntps://127.\t0.0\r.1/", Some(Host)),
    ("HTTPS://127.0.0.1/", Some(Host)),
    ("https://127.0.0.1#@example.com/", Some(Host)),
    ("https://127.0.0.1?@example.com/", Some(Host)),
    ("https://127.0.0.1:/", Some(Host)),
    ("https://127.0.0.1:443/", Some(Host)),
    ("https://127.0.0.1:00443/", Some(Host)),
    // The machine itself, the network around it, and the cloud's metadata.
    ("https://0/", Some(Host)),
    ("https://0.0.0.0:PORT/", Some(Host)),
    ("https://0x0/", Some(Host)),
    ("https://00000000000/", Some(Host)),
    ("https://169.254.169.254/latest/meta-data/", Some(Host)),
    ("https://2852039166/", Some(Host)),
    ("https://0xa9fea9fe/", Some(Host)),
    ("https://0251.0376.0251.0376/", Some(Host)),
    ("https://0xa9.0376.43518/", Some(Host)),
    ("https://169.254.169.253/", Some(Host)),
    ("https://169.254.170.2/", Some(Host)),
    ("https://10.0.0.1/", Some(Host)),
    ("https://167772161/", Some(Host)),
    ("https://10.1/", Some(Host)),
    ("https://172.16.0.1/", Some(Host)),
    ("https://172.31.255.255/", Some(Host)),
    ("https://192.168.0.1/", Some(Host)),
    ("https://0xc0a80001/", Some(Host)),
    ("https://100.64.0.1/", Some(Host)),
    ("https://192.0.0.8/", Some(Host)),
    ("https://198.18.0.1/", Some(Host)),
    ("https://192.88.99.1/", Some(Host)),
    ("https://203.0.113.7/", Some(Host)),
    ("https://224.0.0.1/", Some(Host)),
    ("https://240.0.0.1/", Some(Host)),
    ("https://255.255.255.255/", Some(Host)),
    ("https://4294967295/", Some(Host)),
    // IPv6, in all its spellings.
    ("https://[::1]/", Some(Host)),
    ("https://[::1]:PORT/", Some(Host)),
    ("https://[0:0:0:0:0:0:0:1]/", Some(Host)),
    ("https://[0000:0000:0000:0000:0000:0000:0000:0001]/", Some(Host)),
    ("https://[::0.0.0.1]/", Some(Host)),
    ("https://[0::1]/", Some(Host)),
    ("https://[::]/", Some(Host)),
    ("https://[::]:PORT/", Some(Host)),
    ("https://[0:0::0:0]/", Some(Host)),
    ("https://[::ffff:127.0.0.1]/", Some(Host)),
    ("https://[::ffff:127.0.0.1]:PORT/", Some(Host)),
    ("https://[::FFFF:7f00:1]/", Some(Host)),
    ("https://[0:0:0:0:0:ffff:7f00:0001]/", Some(Host)),
    ("https://[::ffff:169.254.169.254]/", Some(Host)),
    ("https://[::ffff:8.8.8.8]/", Some(Host)),
    ("https://[::127.0.0.1]/", Some(Host)),
    ("https://[::7f00:1]/", Some(Host)),
    ("https://[::8.8.8.8]/", Some(Host)),
    ("https://[::ffff:0:127.0.0.1]/", Some(Host)),
    ("https://[64:ff9b::127.0.0.1]/", Some(Host)),
    ("https://[64:ff9b::a9fe:a9fe]/", Some(Host)),
    ("https://[64:ff9b::8.8.8.8]/", Some(Host)),
    ("https://[64:ff9b:1::7f00:1]/", Some(Host)),
    ("https://[2002:7f00:1::]/", Some(Host)),
    ("https://[2002:a9fe:a9fe::1]/", Some(Host)),
    ("https://[2001::1]/", Some(Host)),
    ("https://[2001:0:4136:e378:8000:63bf:80ff:fffe]/", Some(Host)),
    ("https://[2001:10::1]/", Some(Host)),
    ("https://[2001:20::1]/", Some(Host)),
    ("https://[2001:2::1]/", Some(Host)),
    ("https://[2001:db8::1]/", Some(Host)),
    ("https://[3fff::1]/", Some(Host)),
    ("https://[100::1]/", Some(Host)),
    ("https://[5f00::1]/", Some(Host)),
    ("https://[fc00::1]/", Some(Host)),
    ("https://[fd00:ec2::254]/latest/meta-data/", Some(Host)),
    ("https://[FD00:0EC2:0:0:0:0:0:254]/", Some(Host)),
    ("https://[fe80::1]/", Some(Host)),
    ("https://[febf::1]/", Some(Host)),
    ("https://[fec0::1]/", Some(Host)),
    ("https://[ff02::1]/", Some(Host)),
    ("https://[4000::1]/", Some(Host)),
    ("https://[fe80::1%25eth0]/", None),
    ("https://[fe80::1%eth0]/", None),
    ("https://[::1%25lo]/", None),
    ("https://[::1]./", None),
    ("https://[::1/", None),
    ("https://::1/", None),
    ("https://[127.0.0.1]/", None),
    ("https://[::ffff:127.1]/", None),
    ("https://[::ffff:0x7f.0.0.1]/", None),
    ("https://[::ffff:0177.0.0.1]/", None),
    ("https://[v1.127.0.0.1]/", None),
    ("https://%5B::1%5D/", None),
    // Names that are none.
    ("https:///", None),
    ("https://:443/", None),
    ("https://exa mple.com/", None),
    ("https://example.com%20/", None),
    ("https://example.com:PORT:443/", None),
    ("https://example.com:65536/", None),
    ("https://example.com:-1/", None),
    ("https://example.com:443@/", None),
    ("https://xn--/", None),
    ("https://a..example.com/", Some(Host)), // what TLS does not know how to ask for
    ("https://.example.com/", Some(Host)),
    ("https://example.com../", Some(Host)),
    ("https://./", Some(Host)),
    ("https://-/", Some(Host)),
    ("https://a234567890123456789012345678901234567890123456789012345678901234.com/", Some(Host)),
    ("//127.0.0.1/", None),
    ("127.0.0.1", None),
    // Passwords, most of them to hide the host behind.
    ("https://good.example.com@127.0.0.1/", Some(Credentials)),
    ("https://good.example.com@127.0.0.1:PORT/", Some(Credentials)),
    ("https://good.example.com:443@127.0.0.1:PORT/", Some(Credentials)),
    ("https://user:password@example.com/", Some(Credentials)),
    ("https://:password@example.com/", Some(Credentials)),
    ("https://user@example.com/", Some(Credentials)),
    ("https://a@b@127.0.0.1/", Some(Credentials)),
    ("https://example.com%40@127.0.0.1/", Some(Credentials)),
    ("https://example.com%2f@127.0.0.1/", Some(Credentials)),
    ("https://@127.0.0.1:PORT/", Some(Host)),
    ("https://:@127.0.0.1:PORT/", Some(Host)),
    // Ports of other services, on a host that nothing else is wrong with.
    ("https://1.1.1.1:PORT/", Some(Port)),
    ("https://example.com:22/", Some(Port)),
    ("https://example.com:25/", Some(Port)),
    ("https://example.com:80/", Some(Port)),
    ("https://example.com:6379/", Some(Port)),
    ("https://example.com:8443/", Some(Port)),
    ("https://example.com:0/", Some(Port)),
    ("https://example.com:65535/", Some(Port)),
    ("https://example.com:PORT/", Some(Port)),
    ("https://localhost:PORT/", Some(Port)),
    ("https://[2606:4700:4700::1111]:PORT/", Some(Port)),
    // Other ways to fetch.
    ("http://example.com/", Some(Scheme)),
    ("http://example.com:443/", Some(Scheme)),
    ("http://127.0.0.1:PORT/", Some(Scheme)),
    ("http://[::1]:PORT/", Some(Scheme)),
    ("http://169.254.169.254/latest/meta-data/", Some(Scheme)),
    ("ftp://127.0.0.1:PORT/", Some(Scheme)),
    ("file:///etc/passwd", Some(Scheme)),
    ("file://127.0.0.1/etc/passwd", Some(Scheme)),
    ("data:video/mp4;base64,AAAA", Some(Scheme)),
    ("gopher://127.0.0.1:PORT/_SET%20a%20b", Some(Scheme)),
    ("dict://127.0.0.1:PORT/", Some(Scheme)),
    ("ldap://127.0.0.1:PORT/", Some(Scheme)),
    ("ws://127.0.0.1:PORT/", Some(Scheme)),
    ("wss://127.0.0.1/", Some(Scheme)),
    ("unix:///var/run/docker.sock", Some(Scheme)),
    ("jar:https://127.0.0.1!/", Some(Scheme)),
    ("javascript:fetch('https://127.0.0.1')", Some(Scheme)),
    ("blob:https://127.0.0.1/1", Some(Scheme)),
    ("about:blank", Some(Scheme)),
];

fn tricks(trap: &Trap) -> impl Iterator<Item = (String, Option<Forbidden>)> {
    let port = trap.port().to_string();
    TRICKS.iter().map(move |(trick, reason)| (trick.replace("PORT", &port), *reason))
}

#[tokio::test]
async fn no_spelling_gets_past_the_guard() {
    let trap = Trap::new();
    let resolver = FakeResolver::new(&["127.0.0.1:PORT"], &trap);
    let client = client("", resolver.clone());

    for (trick, reason) in tricks(&trap) {
        let address = Url::parse(&trick).ok();
        assert_eq!(address.is_some(), reason.is_some(), "{trick} can, or cannot, be read");
        let Some(address) = address else { continue };
        assert_eq!(forbidden(&client.peek(&address, 0, 64).await), reason, "{trick} is {address}");
        let deadline = tokio::time::Instant::now() + fetch::ANSWER_TIMEOUT;
        assert_eq!(forbidden(&client.download(&address, 1, deadline).await.map(drop)), reason, "{trick}");
    }

    assert_eq!((trap.connections(), resolver.lookups()), (0, 0));
}

#[tokio::test]
async fn no_redirect_to_any_spelling_is_followed() {
    let trap = Trap::new();
    let tricks: Vec<_> = tricks(&trap).collect();
    let locations: Vec<_> = tricks.iter().map(|(trick, _)| trick.clone()).collect();
    let points = move |head: &str| {
        let index = head.split(['/', ' ']).find_map(|word| word.parse::<usize>().ok()).unwrap();
        format!("HTTP/1.1 302 Found\r\nlocation: {}\r\n\r\n", locations[index])
    };
    let site = Site::new(points, AfterAnswer::HangUp).await;
    let resolver = FakeResolver::new(&["127.0.0.1:PORT"], &trap);
    let client = client(&site.authority, resolver.clone());

    for (index, (trick, reason)) in tricks.iter().enumerate() {
        // A header's value is one line, and what has no scheme is a path of the same host.
        if trick.contains('\n') || trick.starts_with("127") {
            continue;
        }
        let reason = match reason {
            None if trick.starts_with("//") => Some(Scheme),
            None => Some(Forbidden::Location),
            reason => *reason,
        };
        let result = client.peek(&site.url(&format!("/{index}")), 0, 64).await;
        assert_eq!(forbidden(&result), reason, "{trick}");
    }

    assert_eq!((trap.connections(), resolver.lookups()), (0, 0));
}

#[tokio::test]
async fn an_address_that_no_request_can_carry_is_refused() {
    let trap = Trap::new();
    let resolver = FakeResolver::new(&["127.0.0.1:PORT"], &trap);
    let long = url(&format!("https://example.com/{}", "secret".repeat(20_000)));

    let error = client("", resolver).peek(&long, 0, 64).await.unwrap_err();

    assert!(!full_text(&error).contains("secret"));
    assert_eq!(forbidden::<()>(&Err(error)), Some(Forbidden::TooLong));
    assert_eq!(trap.connections(), 0);
}
