//! Asking what a file is, and what is asked with.

use std::{
    env,
    net::TcpListener,
    process::{Command, Stdio},
};

use fetch::{Error, FileInfo};

use crate::harness::{AfterAnswer, FakeResolver, Site, Trap, client, full_text, url};

#[tokio::test]
async fn a_head_request_gives_type_and_size() {
    for (headers, content_type, bytes) in [
        ("content-type: video/mp4\r\ncontent-length: 12\r\n", Some("video/mp4"), Some(12)),
        ("Content-Type:  Video/MP4 ; codecs=\"avc1\"\r\n", Some("video/mp4"), None),
        ("content-length: 2147483648\r\n", None, Some(2_147_483_648)),
        ("content-type: \r\n", None, None),
        ("content-type: caf\u{e9}/x\r\n", None, None),
        ("transfer-encoding: chunked\r\n", None, None),
    ] {
        let site = Site::with_answer(&format!("HTTP/1.1 200 OK\r\n{headers}\r\n")).await;

        let seen = site.client().head(&site.url("/file")).await.unwrap();

        assert_eq!(seen, FileInfo { content_type: content_type.map(str::to_owned), bytes }, "{headers}");
        assert!(site.heads()[0].starts_with("head /file http/1.1\r\n"), "{:?}", site.heads());
    }
}

#[tokio::test]
async fn a_host_without_head_gets_a_range_request_for_one_byte() {
    for (status, answer, bytes) in [
        (403, "206 Partial Content\r\ncontent-range: bytes 0-0/4321\r\ncontent-length: 1\r\n", Some(4321)),
        (405, "206 Partial Content\r\ncontent-range: bytes 0-0/*\r\ncontent-length: 1\r\n", None),
        (405, "206 Partial Content\r\ncontent-length: 1\r\n", None),
        (501, "200 OK\r\ncontent-length: 99\r\n", Some(99)), // it may send everything (RFC 9110, section 14.2)
    ] {
        let says = move |head: &str| {
            if head.starts_with("HEAD") {
                format!("HTTP/1.1 {status} -\r\n\r\n")
            } else {
                format!("HTTP/1.1 {answer}content-type: image/png\r\n\r\nX")
            }
        };
        let site = Site::new(says, AfterAnswer::Hold).await;

        let looked = tokio::spawn({
            let (client, address) = (site.client(), site.url("/"));
            async move { client.head(&address).await }
        });

        // Nothing of the body is waited for.
        assert_eq!(
            looked.await.unwrap().unwrap(),
            FileInfo { content_type: Some("image/png".to_owned()), bytes }
        );
        assert!(site.heads()[1].starts_with("get / ") && site.heads()[1].contains("range: bytes=0-0\r\n"));
    }
}

#[tokio::test]
async fn a_refusal_of_the_host_is_an_error() {
    for status in [204, 206, 400, 401, 404, 410, 416, 429, 451, 500, 503] {
        let site =
            Site::with_answer(&format!("HTTP/1.1 {status} -\r\ncontent-type: text/html\r\n\r\n")).await;

        let error = site.client().head(&site.url("/secret")).await.unwrap_err();

        assert!(matches!(error, Error::Refused { status: said } if said == status), "{error:?}");
        assert!(!full_text(&error).contains("secret"));
        assert_eq!(site.heads().len(), 1);
    }
}

#[tokio::test]
async fn a_second_refusal_of_the_host_is_final() {
    let site = Site::with_answer("HTTP/1.1 403 Forbidden\r\n\r\n").await;

    let outcome = site.client().head(&site.url("/")).await;

    assert!(matches!(outcome, Err(Error::Refused { status: 403 })), "{outcome:?}");
    assert_eq!(site.heads().len(), 2);
}

#[tokio::test]
async fn a_request_has_a_user_agent_and_nothing_else_about_us() {
    let site = Site::with_answer("HTTP/1.1 200 OK\r\n\r\n").await;

    site.client().head(&site.url("/file?q=1#part")).await.unwrap();

    let mut lines: Vec<_> = site.heads()[0].trim_end().lines().map(str::to_owned).collect();
    lines.sort();
    let host = format!("host: {}", site.authority);
    let agent = concat!("user-agent: pinwright/", env!("CARGO_PKG_VERSION"));
    assert_eq!(lines, ["accept-encoding: identity", "accept: */*", "head /file?q=1 http/1.1", &host, agent]);
}

#[tokio::test]
async fn no_failure_shows_the_address() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let mute = Site::with_answer("").await;
    let garbled = Site::with_answer("SSH-2.0-OpenSSH_9.9\r\n").await;

    for address in [
        format!("http://{nobody}/secret?secret=secret"),
        format!("http://{}/secret?secret=secret", mute.authority),
        format!("http://{}/secret?secret=secret", garbled.authority),
        format!("https://{}/secret?secret=secret", garbled.authority), // it does not speak TLS
    ] {
        let allowed = url(&address).authority().to_owned();
        let error = client(&allowed, FakeResolver::default()).head(&url(&address)).await.unwrap_err();

        let words = full_text(&error);
        assert!(matches!(error, Error::Unreachable(_)) && !words.contains("secret"), "{words}");
    }
}

/// The environment can only be set for another process: this one, run for another of its tests.
#[test]
fn proxies_of_the_environment_are_ignored() {
    let trap = Trap::new();
    let proxy = format!("http://127.0.0.1:{}", trap.port());
    let mut other = Command::new(env::current_exe().unwrap());
    other
        .args(["--exact", "looks::a_request_has_a_user_agent_and_nothing_else_about_us"])
        .stdout(Stdio::null());
    for name in ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
        other.env(name, &proxy);
    }

    let succeeded = other.env_remove("NO_PROXY").env_remove("no_proxy").status().unwrap().success();

    assert!(succeeded);
    assert_eq!(trap.connections(), 0);
}
