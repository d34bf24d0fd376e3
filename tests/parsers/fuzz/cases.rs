//! Inputs that once went wrong.

use parsers::{connecting, events, settings};

/// An event as it is, for the function that the sample of Pins is for.
fn check_event(event: &str) {
    events(&[b"\x05\x00\x1f", event.as_bytes()].concat());
}

fn event_with(host: &str, query: &str) -> String {
    format!(
        r#"{{"version":"2.0","rawPath":"/api/v1/health","rawQueryString":"{query}",
        "headers":{{"host":"{host}","x-forwarded-proto":"https"}},
        "requestContext":{{"http":{{"method":"GET"}},"stage":"$default"}},"isBase64Encoded":false}}"#
    )
}

#[test]
fn an_invalid_host_ended_the_invocation() {
    check_event(&event_with("a b", ""));
    check_event(&event_with("[", ""));
    check_event(&event_with("api.example.com:99999", ""));
}

#[test]
fn an_invalid_query_ended_the_invocation() {
    check_event(&event_with("api.example.com", "state=<é>"));
}

#[test]
fn a_body_that_is_no_base_64_ended_the_invocation() {
    check_event(&event_with("api.example.com", "").replace("false}", r#"true,"body":"%"}"#));
}

#[test]
fn a_return_address_beyond_ascii_was_no_header() {
    connecting(b"\x96+Y\x01\x91\x00\x00");
}

#[test]
fn a_repeated_app_id_removed_the_settings() {
    settings(b"l)\x00q");
}

#[test]
fn an_invalid_domain_is_not_the_callers_fault() {
    events(b"\x0f\x8es\x86\x85\n.\xa2~\x17\x17\n\x99O\xf1\xf5\x158\xda\x19/9\xfe\xf7\xd8zPD\xe04\xa3");
}
