//! Asking what a file is, and what is asked with.

use std::{
    env,
    net::TcpListener,
    process::{Command, Stdio},
};

use fetch::{Error, FileInfo};

use crate::harness::{AfterAnswer, FakeResolver, Site, Trap, client, full_text, url};

#[tokio::test]
async fn a_peek_returns_the_type_the_size_and_the_first_bytes() {
    let long = "X".repeat(2 * 64);
    for (headers, body, content_type, bytes) in [
        ("content-type: video/mp4\r\ncontent-length: 12\r\n", "ftypisom....", Some("video/mp4"), Some(12)),
        ("Content-Type:  Video/MP4 ; codecs=\"avc1\"\r\n", &long, Some("video/mp4"), None),
        ("content-length: 0\r\n", "", None, Some(0)),
        ("content-type: \r\ncontent-length: 1\r\n", "X", None, Some(1)),
        ("content-type: caf\u{e9}/x\r\ncontent-length: 1\r\n", "X", None, Some(1)),
    ] {
        let site = Site::with_answer(&format!("HTTP/1.1 200 OK\r\n{headers}\r\n{body}")).await;

        let file_info = site.client().peek(&site.url("/file"), 0, 64).await.unwrap();

        let content = body.as_bytes()[..body.len().min(64)].to_vec().into();
        let content_type = content_type.map(str::to_owned);
        assert_eq!(file_info, FileInfo { content_type, bytes, is_part: false, content }, "{headers}");
        assert!(site.heads()[0].starts_with("get /file http/1.1\r\n"), "{:?}", site.heads());
        assert!(site.heads()[0].contains("range: bytes=0-63\r\n"), "{:?}", site.heads());
    }
}

#[tokio::test]
async fn a_part_of_a_file_comes_from_a_host_that_knows_parts() {
    for (answer, bytes) in [
        ("206 Partial Content\r\ncontent-range: bytes 100-163/4321\r\ncontent-length: 1\r\n", Some(4321)),
        ("206 Partial Content\r\ncontent-range: bytes 100-163/*\r\ncontent-length: 1\r\n", None),
        ("206 Partial Content\r\ncontent-length: 1\r\n", None),
    ] {
        let site = Site::with_answer(&format!("HTTP/1.1 {answer}\r\nX")).await;

        let file_info = site.client().peek(&site.url("/"), 100, 64).await.unwrap();

        assert_eq!(file_info, FileInfo { content_type: None, bytes, is_part: true, content: "X".into() });
        assert!(site.heads()[0].contains("range: bytes=100-163\r\n"), "{:?}", site.heads());
    }
}

#[tokio::test]
async fn an_empty_file_has_no_part() {
    let answer = "HTTP/1.1 416 -\r\ncontent-range: bytes */0\r\ncontent-length: 4\r\n\r\nnone";
    let site = Site::with_answer(answer).await;

    let file_info = site.client().peek(&site.url("/"), 0, 64).await.unwrap();

    assert_eq!((file_info.bytes, file_info.content.len()), (Some(0), 0));
}

/// It would send for ever.
#[tokio::test]
async fn a_peek_ends_with_the_requested_bytes() {
    let body = "X".repeat(64);
    let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n{body}");
    let site = Site::new(move |_| answer.clone(), AfterAnswer::Hold).await;

    let file_info = site.client().peek(&site.url("/"), 0, 64).await.unwrap();

    assert_eq!((file_info.bytes, file_info.content.len()), (Some(1_000_000), 64));
}

#[tokio::test]
async fn a_refusal_of_the_host_is_an_error() {
    for status in [204, 400, 401, 403, 404, 405, 410, 416, 429, 451, 500, 503] {
        let site =
            Site::with_answer(&format!("HTTP/1.1 {status} -\r\ncontent-type: text/html\r\n\r\n")).await;

        let error = site.client().peek(&site.url("/secret"), 0, 64).await.unwrap_err();

        assert!(matches!(error, Error::Refused { status: said } if said == status), "{error:?}");
        assert!(!full_text(&error).contains("secret"));
        assert_eq!(site.heads().len(), 1);
    }
}

#[tokio::test]
async fn a_request_has_a_user_agent_and_nothing_else_about_us() {
    let site = Site::with_answer("HTTP/1.1 200 OK\r\n\r\n").await;

    site.client().peek(&site.url("/file?q=1#part"), 0, 64).await.unwrap();

    let mut lines: Vec<_> = site.heads()[0].trim_end().lines().map(str::to_owned).collect();
    lines.sort();
    let host = format!("host: {}", site.authority);
    let agent = concat!("user-agent: pinwright/", env!("CARGO_PKG_VERSION"));
    let range = "range: bytes=0-63";
    assert_eq!(
        lines,
        ["accept-encoding: identity", "accept: */*", "get /file?q=1 http/1.1", &host, range, agent]
    );
}

#[tokio::test]
async fn no_failure_shows_the_address() {
    let closed_address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let no_answer = Site::with_answer("").await;
    let not_http = Site::with_answer("SSH-2.0-OpenSSH_9.9\r\n").await;

    for address in [
        format!("http://{closed_address}/secret?secret=secret"),
        format!("http://{}/secret?secret=secret", no_answer.authority),
        format!("http://{}/secret?secret=secret", not_http.authority),
        format!("https://{}/secret?secret=secret", not_http.authority), // it does not speak TLS
    ] {
        let allowed = url(&address).authority().to_owned();
        let error = client(&allowed, FakeResolver::default()).peek(&url(&address), 0, 64).await.unwrap_err();

        let error_text = full_text(&error);
        assert!(matches!(error, Error::Unreachable(_)) && !error_text.contains("secret"), "{error_text}");
    }
}

/// The environment can only be set for another process: this one, run for another of its tests.
#[test]
fn proxies_of_the_environment_are_ignored() {
    let trap = Trap::new();
    let proxy = format!("http://127.0.0.1:{}", trap.port());
    let mut other = Command::new(env::current_exe().unwrap());
    other
        .args(["--exact", "peek::a_request_has_a_user_agent_and_nothing_else_about_us"])
        .stdout(Stdio::null());
    for name in ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
        other.env(name, &proxy);
    }

    let succeeded = other.env_remove("NO_PROXY").env_remove("no_proxy").status().unwrap().success();

    assert!(succeeded);
    assert_eq!(trap.connections(), 0);
}
