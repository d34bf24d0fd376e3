//! What the lock file may hold: one HTTP client, one TLS stack, one crypto provider. Nobody notices a second when it
//! comes; everybody waits for it at each cold start.

use std::{fs, path::Path};

/// Of each of these there is one version.
const ONE: [&str; 9] = [
    "http",
    "hyper",
    "hyper-rustls",
    "hyper-util",
    "reqwest",
    "ring",
    "rustls",
    "rustls-webpki",
    "tokio-rustls",
];

/// Other ways to do the same.
const NONE: [&str; 12] = [
    "aws-config",
    "aws-lc-rs",
    "aws-lc-sys",
    "aws-smithy-http-client",
    "boring",
    "curl",
    "isahc",
    "native-tls",
    "openssl",
    "openssl-sys",
    "s2n-tls",
    "ureq",
];

#[test]
fn there_is_one_http_client_with_one_tls_stack_and_one_crypto_provider() {
    let lock = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("Cargo.lock"));
    assert_eq!(complaints(&lock.unwrap()), [""; 0]);
}

#[test]
fn a_second_of_anything_is_noticed() {
    let package = |name: &&str| format!("[[package]]\nname = \"{name}\"\nversion = \"1.0.0\"\n");
    let lock = |extra: &[&str]| ONE.iter().chain(extra).map(package).collect::<Vec<_>>().join("\n");
    assert_eq!(complaints(&lock(&[])), [""; 0]);
    assert_eq!(complaints(&lock(&["hyper"])), ["hyper is there 2 times"]);
    assert_eq!(complaints(&lock(&["aws-lc-rs"])), ["aws-lc-rs is there"]);
    assert_eq!(complaints(""), ONE.map(|name| format!("{name} is there 0 times")));
}

fn complaints(lock: &str) -> Vec<String> {
    let packages: Vec<_> = lock.lines().filter_map(|line| line.strip_prefix("name = ")).collect();
    let count = |name: &str| packages.iter().filter(|package| package.trim_matches('"') == name).count();
    let several = ONE.iter().filter(|name| count(name) != 1);
    let several = several.map(|name| format!("{name} is there {} times", count(name)));
    let others = NONE.iter().filter(|name| count(name) != 0).map(|name| format!("{name} is there"));
    several.chain(others).collect()
}
