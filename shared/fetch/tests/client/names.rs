//! Names that lead to where nobody may go.

use fetch::{CONNECT_TIMEOUT, Error, Forbidden, SystemResolver};
use reqwest::dns::{Name, Resolve, Resolving};
use tokio::time::Instant;

use crate::harness::{FakeResolver, Site, Trap, client, forbidden, full_text, url};

/// The addresses of a name, one of which at least is not public. Those at `PORT` of the machine itself would
/// really be connected to.
const LEADS: &[&str] = &[
    "127.0.0.1:PORT",
    "127.0.0.1:0",
    "0.0.0.0:PORT",
    "127.1.2.3:PORT",
    "[::1]:PORT",
    "[::]:PORT",
    "[::ffff:127.0.0.1]:PORT",
    "[::ffff:0.0.0.0]:PORT",
    "[::ffff:8.8.8.8]:PORT",
    "[::127.0.0.1]:PORT",
    "[::ffff:0:127.0.0.1]:PORT",
    "[64:ff9b::127.0.0.1]:PORT",
    "[64:ff9b:1::127.0.0.1]:PORT",
    "[2002:7f00:1::1]:PORT",
    "[2001::1]:PORT",
    "[2001:2::1]:PORT",
    "[2001:10::1]:PORT",
    "[2001:20::1]:PORT",
    "[2001:db8::1]:PORT",
    "[3fff::1]:PORT",
    "[100::1]:PORT",
    "[5f00::1]:PORT",
    "[fc00::1]:PORT",
    "[fd00:ec2::254]:PORT",
    "[fe80::1]:PORT",
    "[fe80::1%1]:PORT",
    "[fec0::1]:PORT",
    "[ff02::1]:PORT",
    "10.0.0.1:PORT",
    "100.64.0.1:PORT",
    "169.254.169.254:PORT",
    "169.254.170.2:PORT",
    "172.16.0.1:PORT",
    "192.0.0.1:PORT",
    "192.0.2.1:PORT",
    "192.88.99.1:PORT",
    "192.168.1.1:PORT",
    "198.18.0.1:PORT",
    "198.51.100.1:PORT",
    "203.0.113.1:PORT",
    "224.0.0.1:PORT",
    "240.0.0.1:PORT",
    "255.255.255.255:PORT",
    // One among others, wherever it stands.
    "1.1.1.1:443 127.0.0.1:PORT",
    "127.0.0.1:PORT 1.1.1.1:443",
    "[2606:4700:4700::1111]:443 127.0.0.1:PORT",
    "1.1.1.1:443 9.9.9.9:443 [2606:4700:4700::1111]:443 [::ffff:127.0.0.1]:PORT",
    "1.1.1.1:443 [fd00:ec2::254]:443",
];

/// Names that a resolver takes for the machine itself or for its network, or that look like an address.
const NAMES: &[&str] = &[
    "localhost",
    "LOCALHOST",
    "localhost.",
    "LocalHost.localdomain",
    "anything.localhost",
    "a.b.localhost.",
    "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ",
    "\u{ff4c}\u{ff4f}\u{ff43}\u{ff41}\u{ff4c}\u{ff48}\u{ff4f}\u{ff53}\u{ff54}",
    "local%68ost",
    "loc\u{ad}alhost",
    "ip6-localhost",
    "127.0.0.1.example.com",
    "127-0-0-1.example.com",
    "2130706433.example.com",
    "0x7f000001.example.com",
    "example.com.",
    "example\u{3002}com",
    "EXAMPLE.com",
    "bücher.example",
    "xn--bcher-kva.example",
    "_dmarc.example.com",
    "metadata.google.internal",
    "instance-data.ec2.internal",
    "router.local",
    "internal",
    "com",
];

#[tokio::test]
async fn a_name_with_an_address_that_is_not_public_is_not_connected_to() {
    for lead in LEADS {
        let trap = Trap::new();
        let resolver = FakeResolver::new(&[lead], &trap);

        let outcome = client("", resolver.clone()).peek(&url("https://example.com/"), 0, 64).await;

        assert_eq!(forbidden(&outcome), Some(Forbidden::Host), "{lead}");
        assert_eq!((resolver.lookups(), trap.connections()), (1, 0), "{lead}");
    }
}

#[tokio::test]
async fn names_of_this_machine_are_never_connected_to() {
    for name in NAMES {
        let trap = Trap::new();
        let resolver = FakeResolver::new(&["127.0.0.1:PORT"], &trap);

        let outcome = client("", resolver.clone()).peek(&url(&format!("https://{name}/")), 0, 64).await;

        assert_eq!(forbidden(&outcome), Some(Forbidden::Host), "{name}");
        assert_eq!((resolver.lookups(), trap.connections()), (1, 0), "{name}");
    }
}

#[tokio::test]
async fn the_refusal_of_a_name_does_not_tell_its_address() {
    let trap = Trap::new();
    let resolver = FakeResolver::new(&["10.20.30.40:PORT"], &trap);

    let error = client("", resolver).peek(&url("https://example.com/secret"), 0, 64).await.unwrap_err();

    let error_text = full_text(&error);
    assert!(!error_text.contains("10.20") && !error_text.contains("secret"), "{error_text}");
}

/// The address `2000::1` is assigned to nobody, so nobody answers.
#[tokio::test(start_paused = true)]
async fn a_name_is_resolved_once_and_later_answers_change_nothing() {
    let trap = Trap::new();
    let resolver = FakeResolver::new(&["[2000::1]:443", "127.0.0.1:PORT"], &trap);
    let client = client("", resolver.clone());

    let first = client.peek(&url("https://example.com/"), 0, 64).await;
    let asked_first = resolver.lookups();
    let second = client.peek(&url("https://example.com/"), 0, 64).await;

    assert!(matches!(first, Err(Error::Unreachable(_))), "{first:?}");
    assert_eq!(asked_first, 1);
    assert_eq!(forbidden(&second), Some(Forbidden::Host));
    assert_eq!((resolver.lookups(), trap.connections()), (2, 0));
}

#[tokio::test]
async fn an_allowed_name_may_lead_anywhere() {
    let site = Site::with_answer("HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\nabcdefg").await;
    let (name, port) = ("media.internal", site.authority.rsplit(':').next().unwrap());
    let resolver = FakeResolver::new(&["127.0.0.1:0"], &Trap::new());
    let client = client(&format!("{name}:{port}"), resolver);

    let result = client.peek(&url(&format!("http://Media.Internal:{port}/")), 0, 64).await;

    assert_eq!(result.unwrap().bytes, Some(7));
}

#[tokio::test]
async fn an_allowed_name_is_untrusted_at_other_ports() {
    let trap = Trap::new();
    let client = client("media.internal:9000", FakeResolver::new(&["127.0.0.1:PORT"], &trap));

    for (address, reason) in [
        ("https://media.internal/", Forbidden::Host),
        ("https://media.internal:9001/", Forbidden::Port),
        ("http://media.internal/", Forbidden::Scheme),
        ("https://media.internal.:9000/", Forbidden::Port),
        ("https://x.media.internal:9000/", Forbidden::Port),
        ("https://user@media.internal:9000/", Forbidden::Credentials),
        ("ftp://media.internal:9000/", Forbidden::Scheme),
    ] {
        assert_eq!(forbidden(&client.peek(&url(address), 0, 64).await), Some(reason), "{address}");
    }
    assert_eq!(trap.connections(), 0);
}

#[tokio::test]
async fn an_unknown_name_may_be_tried_again() {
    let outcome = client("", FakeResolver::default()).peek(&url("https://example.com/"), 0, 64).await;

    assert!(matches!(outcome, Err(Error::Unreachable(_))), "{outcome:?}");
}

#[tokio::test]
async fn a_name_without_addresses_may_be_tried_again() {
    struct Empty;
    impl Resolve for Empty {
        fn resolve(&self, _: Name) -> Resolving {
            Box::pin(async { Ok(Box::new(std::iter::empty()) as _) })
        }
    }

    let outcome = client("", Empty).peek(&url("https://example.com/"), 0, 64).await;

    assert!(matches!(outcome, Err(Error::Unreachable(_))), "{outcome:?}");
}

#[tokio::test(start_paused = true)]
async fn a_resolver_that_never_answers_is_given_up_with_the_connection() {
    struct Mute;
    impl Resolve for Mute {
        fn resolve(&self, _: Name) -> Resolving {
            Box::pin(std::future::pending())
        }
    }
    let start = Instant::now();

    let outcome = client("", Mute).peek(&url("https://example.com/"), 0, 64).await;

    assert!(matches!(outcome, Err(Error::Unreachable(_))), "{outcome:?}");
    assert!(start.elapsed() < CONNECT_TIMEOUT * 2, "{:?}", start.elapsed());
}

#[tokio::test]
async fn names_of_the_system_resolver_are_checked_too() {
    let outcome = client("", SystemResolver).peek(&url("https://localhost/"), 0, 64).await;

    assert_eq!(forbidden(&outcome), Some(Forbidden::Host));
}
